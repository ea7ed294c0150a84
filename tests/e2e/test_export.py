"""Data for retraining: traffic and labels of a real process become a file, the file a reference, which has no drift."""

import http.client
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftgauge.storage.ring import id_digests
from tests.e2e.test_labels import post
from tests.support import agent
from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge
from tests.support.redis_server import RedisServer
from tests.support.traffic import PATH

INFERENCES, LABELLED = 300, 200
CITIES = ("Paris", "Rome", "Oslo")
FAST = ("--flush-interval-seconds=0.02", "--drain-delay-seconds=0", "--evaluation-interval-seconds=1", "--min-rows=50")


def row_of(number: int, place: int) -> tuple[float, str]:
    """Alcohol and city of a row; no other has this alcohol."""
    return 9 + number / 100 + place / 1000, CITIES[(number + place) % 3]


def grade_of(alcohol: float) -> int:
    """What the model says: 5 or 6."""
    return 5 + round(1000 * alcohol) % 2


def response_of(body: bytes) -> bytes:
    """The grades of the rows of a request."""
    return json.dumps({"predictions": [grade_of(row["alcohol"]) for row in json.loads(body)["instances"]]}).encode()


def label_of(number: int, place: int) -> int:
    """What is right: in nine of ten rows what the model says."""
    grade = grade_of(row_of(number, place)[0])
    return 11 - grade if (number * 7 + place) % 10 == 0 else grade


def write_reference(path: Path) -> None:
    """Write a reference with labels."""
    rows = [(row_of(n % INFERENCES, n % 2), n) for n in range(2_000)]
    lines = [f"{row[0]},{row[1]},{5 + n % 2},{5 + (n + n // 7 % 2) % 2}" for row, n in rows]
    path.write_text("alcohol,city,prediction:predictions,label:predictions\n" + "\n".join(lines) + "\n")


def infer(port: int, inferences: int) -> None:
    """Send inferences of two rows, each with an id."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for number in range(inferences):
        rows = [dict(zip(("alcohol", "city"), row_of(number, place), strict=True)) for place in (0, 1)]
        body = json.dumps({"instances": rows})
        connection.request("POST", PATH, body, {"X-Request-Id": f"order-{number}"})
        response = connection.getresponse()
        assert (200, response_of(body.encode())) == (response.status, response.read())
    connection.close()


def driftgauge(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of the command line."""
    argv = [sys.executable, "-m", "driftgauge", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)


def send_events(port: int, inferences: int) -> None:
    """Post what KServe's agent logs of the same inferences."""
    events: list[agent.Event] = []
    for number in range(inferences):
        rows = [dict(zip(("alcohol", "city"), row_of(number, place), strict=True)) for place in (0, 1)]
        body = json.dumps({"instances": rows}).encode()
        events += agent.pair(body, response_of(body), f"order-{number}")
    assert {200} == set(agent.post(port, *(replace(event, namespace="prod") for event in events)))


@contextmanager
def labelled_process(folder: Path, *flags: str, mode: str = "proxy") -> Iterator[Driftgauge]:
    """A process that has seen all inferences, and the labels of most, which came in another order."""
    reference, port = folder / "wine.csv", free_port()
    write_reference(reference)
    places = [(number, place) for number in range(LABELLED) for place in (0, 1)]
    shuffled = np.random.default_rng(1).permutation(places).tolist()
    lines = "".join(f"order-{number},{place},{label_of(number, place)}\n" for number, place in shuffled)
    common = ("--reference", str(reference), "--labels-port", str(port), *FAST, *flags)
    with EchoModel(response=response_of) as model:
        of_proxy = ("--upstream-url", model.url, "--inference-service=wine", "--namespace=prod")
        with Driftgauge(mode, *(of_proxy if mode == "proxy" else ()), *common) as process:
            (infer if mode == "proxy" else send_events)(process.port, INFERENCES)
            process.wait_for(lambda s: s.total("driftgauge_responses_pending") == INFERENCES, "responses that wait")
            assert 202 == post(port, b"id,row,label\n" + lines.encode())[0]
            process.wait_for(lambda s: s.total("driftgauge_outcome_window_rows") == 2 * LABELLED, "labelled rows")
            yield process


@pytest.mark.parametrize(("mode", "store"), [("proxy", "memory"), ("proxy", "redis"), ("logger", "memory")])
def test_traffic_becomes_a_reference(mode: str, store: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each row has its own features, prediction and label; the reference that the export names has no drift."""
    output, reference = tmp_path / "rows.parquet", tmp_path / "new.npz"
    with ExitStack() as stack:
        flags = ["--allow-capture=true"]
        if store == "redis":
            server: RedisServer = request.getfixturevalue("own_server")
            flags += ["--redis-url", server.url]
        proxy = stack.enter_context(labelled_process(tmp_path, *flags, mode=mode))
        where = ("--admin-url", proxy.admin_url, "--namespace=prod", "--inference-service=wine")
        done = driftgauge("export", *where, "-o", output)
        only = driftgauge("export", *where, "-o", tmp_path / "labelled.csv", "--labelled-only", "--since=1h")
        none = driftgauge("export", *where, "-o", tmp_path / "none.csv", "--until=1h")
        wrong = driftgauge("export", *where, "-o", tmp_path / "none.csv", "--revision=other")
    assert (0, "") == (done.returncode, done.stderr)
    frame = pd.read_parquet(output)
    sent = [(number, place) for number in range(INFERENCES) for place in (0, 1)]
    digests = [f"{one:016x}" for one in id_digests(f"order-{number}" for number, _ in sent).tolist()]
    mine = pd.DataFrame({"driftgauge:id": digests, "driftgauge:row": [place for _, place in sent], "sent": sent})
    joined = mine.merge(frame, on=["driftgauge:id", "driftgauge:row"], validate="one_to_one")

    assert 2 * INFERENCES == len(frame) == len(joined)
    assert frame["driftgauge:time"].is_monotonic_increasing
    for number, place, found in zip(*zip(*joined["sent"], strict=True), joined.to_dict("records"), strict=True):
        assert row_of(number, place) == (found["alcohol"], found["city"])
        assert grade_of(found["alcohol"]) == found["prediction:predictions"]
        label = found["label:predictions"]
        assert label_of(number, place) == label if number < LABELLED else np.isnan(label)

    assert f"wrote {output}: 600 rows, 400 of them with labels" in done.stdout
    assert "label:predictions: 400 rows, 66.7%" in done.stdout
    (command,) = (line for line in done.stdout.splitlines() if line.startswith("a reference of it: driftgauge "))
    words = shlex.split(command.removeprefix("a reference of it: driftgauge "))
    built = driftgauge(*[str(reference) if word == "reference.npz" else word for word in words])
    checked = driftgauge("check", reference, output)
    assert (0, 0) == (built.returncode, checked.returncode), built.stderr + checked.stdout + checked.stderr
    assert "prediction:predictions" in built.stdout
    assert "driftgauge:" not in built.stdout
    assert 400 == len(pd.read_csv(tmp_path / "labelled.csv")["label:predictions"].dropna())
    assert "left out: 200 rows without a label" in only.stdout
    assert (1, False) == (none.returncode, (tmp_path / "none.csv").exists())
    assert "no row is left (600 rows not before --until)" in none.stderr
    assert (2, True) == (wrong.returncode, "404" in wrong.stderr)


def test_rows_stay_in_the_process_unless_allowed(tmp_path: Path) -> None:
    """No row leaves without `allow_capture` and the token, and no column that `export_columns` does not allow."""
    flags = ("--allow-capture=true", "--export-columns=alcohol,label:*")
    with labelled_process(tmp_path, *flags) as proxy:
        where = ("--admin-url", proxy.admin_url, "--namespace=prod", "--inference-service=wine")
        some = driftgauge("export", *where, "-o", tmp_path / "some.npz")
        whole = driftgauge("reference", "capture", *where, "-o", tmp_path / "whole.npz", "--yes")
    with np.load(tmp_path / "some.npz") as members:
        columns, meta = members["columns"].tolist(), members["driftgauge"].tobytes().decode()

    assert 0 == some.returncode
    assert ["alcohol", "label:predictions"] == columns
    assert "Paris" not in meta
    assert 2 == whole.returncode
    assert "403: column 'city' is not served: export_columns does not allow it" in whole.stderr
