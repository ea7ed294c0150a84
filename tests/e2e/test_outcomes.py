"""Labels of a whole process, from the port to all its views: metrics, JSON, the page and the file."""

import csv
import http.client
import io
import json
from pathlib import Path

import numpy as np

from driftgauge.cli.reference_capture import CAPTURED, Terminal, WindowAddress, run_capture
from driftgauge.reference.dataset import load_reference
from driftgauge.storage.ring import id_digests
from tests.e2e.test_labels import post
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge
from tests.support.traffic import PATH, body_of

V2 = b'{"outputs": [{"name": "grade", "datatype": "INT64", "shape": [2], "data": [6, 5]}]}'
INFERENCES = 150
PREDICTED = (6, 5)


def infer(port: int, inferences: int) -> None:
    """Send inferences of two rows, each with an id, and read their responses to the end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for number in range(inferences):
        connection.request("POST", PATH, body_of([[9.0 + number % 3], [10.0]]), {"X-Request-Id": f"order-{number}"})
        response = connection.getresponse()
        assert (200, V2) == (response.status, response.read())
    connection.close()


def read(port: int, path: str) -> tuple[int, bytes]:
    """Read a path of the admin port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def write_reference(path: Path) -> None:
    """Write a reference whose predicted grades are right in nine of ten rows."""
    dice = np.random.default_rng(3)
    grades = dice.choice([5, 6], size=1_000)
    labels = np.where(dice.random(1_000) < 0.9, grades, 11 - grades)
    rows = np.column_stack([dice.normal(10, 1, 1_000), grades, labels])
    np.savetxt(path, rows, delimiter=",", header="alcohol,prediction:grade,label:grade", comments="", fmt="%g")


def test_labels_reach_every_view(tmp_path: Path) -> None:
    """Half of the labelled predictions are wrong, and each view of the process says so."""
    reference, port = tmp_path / "wine.csv", free_port()
    write_reference(reference)
    labels = np.random.default_rng(1).choice([5, 6], size=2 * INFERENCES).tolist()
    right = sum(label == PREDICTED[place % 2] for place, label in enumerate(labels))
    flags = (
        *("--inference-service=wine", "--namespace=prod", "--reference", str(reference)),
        *("--flush-interval-seconds=0.02", "--drain-delay-seconds=0", "--evaluation-interval-seconds=1"),
        *("--min-rows=50", "--allow-capture=true", "--labels-port", str(port), "--false-alarm-interval=1h"),
    )
    with (
        EchoModel(response=lambda _: V2) as model,
        Driftgauge("proxy", "--upstream-url", model.url, *flags) as proxy,
    ):
        infer(proxy.port, INFERENCES)
        proxy.wait_for(lambda s: s.total("driftgauge_responses_pending") == INFERENCES, "responses that wait")
        lines = "".join(f"order-{place // 2},{place % 2},{label}\n" for place, label in enumerate(labels))
        assert 202 == post(port, b"id,row,label\n" + lines.encode())[0]
        proxy.wait_for(lambda s: s.total("driftgauge_outcome_window_rows") == 2 * INFERENCES, "labelled rows")
        found = proxy.wait_for(lambda s: s.total("driftgauge_responses_pending") == 0, "a look after the last label")
        status, page = read(proxy.admin_port, "/report?inference_service=wine")
        _, drift = read(proxy.admin_port, "/drift")
        _, table = read(proxy.admin_port, "/window?inference_service=wine&labels=1&format=csv")
        _, archive = read(proxy.admin_port, "/window?inference_service=wine&labels=1")
        _, complete = read(proxy.admin_port, "/window?inference_service=wine&labels=1&complete=1")
        url = f"http://127.0.0.1:{proxy.admin_port}"
        address = WindowAddress(url, "prod", "wine", "predictor", "wine", labels=True)
        silent = Terminal(asks=False, replies=io.StringIO(), out=io.StringIO(), err=io.StringIO())
        captured = run_capture(address, tmp_path / "captured.npz", silent)
        refused, _ = read(proxy.admin_port, "/window?inference_service=wine&labels=1&format=xml")
        _, facts = read(proxy.admin_port, "/status")
    (outcomes,) = (one["outcomes"] for one in json.loads(drift)["models"])
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    counted = found.total("driftgauge_correct_predictions_total", output="grade")

    assert found.total("driftgauge_performance", metric="accuracy", sample="window") == right / len(labels)
    assert found.total("driftgauge_outcome_coverage_ratio") == 1
    assert found.total("driftgauge_responses_pending") == 0
    assert counted == right
    assert (status, b"Outcomes one by one" in page) == (200, True)
    assert [one["test"] for one in outcomes["outputs"][0]["tests"]] == ["performance", "concept"]
    assert len(rows) == 2 * INFERENCES
    assert sum(row["prediction:grade"] == row["label:grade"] for row in rows) == right
    with np.load(io.BytesIO(archive)) as members:
        assert members["columns"].tolist() == ["alcohol", "prediction:grade", "label:grade"]
        assert len(set(members["ids"].tolist())) == INFERENCES
    for row in rows:  # each row has its own input, although all predictions of a place are equal
        number = next(one for one in range(INFERENCES) if id_digests([f"order-{one}"])[0] == int(row["id"], 16))
        assert float(row["alcohol"]) == (10.0 if row["row"] == "1" else 9.0 + number % 3)
        assert float(row["label:grade"]) == labels[2 * number + int(row["row"])]
    assert len(complete) == len(archive)
    assert captured == CAPTURED
    (captured_labels,) = load_reference(tmp_path / "captured.npz", 0.0).labelled
    assert captured_labels.reference.labels.size == 2 * INFERENCES
    assert refused == 400
    assert json.loads(facts)["labels"] == {
        "models": 1,
        "models_with_labels": 1,
        "responses_pending": 0,
        "performance_tolerance": 0.02,
    }
