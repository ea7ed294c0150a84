"""Labels of predictions of real model servers: from an inference with an id to accuracy in `/metrics`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

from tests.support import agent, wine
from tests.support.exchange import Message, Reply, send
from tests.support.models import WINE
from tests.support.ports import free_port
from tests.support.processes import Driftgauge
from tests.support.scrape import Samples

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]

JSON = {"Content-Type": "application/json"}
V1, V2 = "/v1/models/wine:predict", "/v2/models/wine/infer"
SIZES = (1, 2, 30, 56)
"""Rows of the batches, 89 in all: half of the wines."""


class Inferences:
    """Inferences with real responses, and the labels that they get: every seventh is not the predicted class."""

    def __init__(self) -> None:
        self.labels: dict[str, list[int]] = {}
        self.right = 0

    def take(self, own: str, classes: list[int]) -> None:
        """Note the response of an inference."""
        first = sum(map(len, self.labels.values()))
        self.labels[own] = [(one + 1) % 3 if (first + row) % 7 == 0 else one for row, one in enumerate(classes)]
        self.right += sum(label == one for label, one in zip(self.labels[own], classes, strict=True))

    @property
    def count(self) -> int:
        """How many labels there are."""
        return sum(map(len, self.labels.values()))

    def csv(self, ids: list[str]) -> bytes:
        """The labels of some inferences, row by row."""
        lines = [f"{own},{row},{label}" for own in ids for row, label in enumerate(self.labels[own])]
        return "\n".join(["id,row,label", *lines]).encode()

    def json_lines(self, ids: list[str]) -> bytes:
        """The labels of some inferences, each in one list."""
        return b"\n".join(json.dumps({"id": own, "labels": self.labels[own]}).encode() for own in ids)


def batches() -> Iterator[NDArray[np.float64]]:
    """Rows of wines, batch by batch."""
    first = 0
    for size in SIZES:
        yield wine.ROWS[2 * first : 2 * (first + size) : 2]
        first += size


def write_reference(path: Path, output: str) -> Path:
    """All wines with out-of-fold predictions, as the guide asks for, and their true classes."""
    predicted = cross_val_predict(GaussianNB(), wine.ROWS, wine.TARGET, cv=5)
    table = np.column_stack([wine.ROWS, predicted, wine.TARGET])
    header = ",".join([*wine.FEATURES, f"prediction:{output}", f"label:{output}"])
    np.savetxt(path, table, delimiter=",", header=header, comments="", fmt="%.6g")
    return path


@contextmanager
def labelled(mode: str, folder: Path, output: str, *flags: str) -> Iterator[tuple[Driftgauge, str]]:
    """Run driftgauge with a labelled reference; yields it and the URL of its labels port."""
    port = free_port()
    common = ("--labels-port", str(port), "--reference", write_reference(folder / "wine.csv", output))
    fast = ("--flush-interval-seconds=0.02", "--evaluation-interval-seconds=0.5", "--min-rows=50")
    with Driftgauge(mode, *common, *fast, *flags) as process:
        yield process, f"http://127.0.0.1:{port}"


def proxy_flags(url: str) -> tuple[str, ...]:
    """The flags of a proxy in front of a server."""
    return "--upstream-url", url, "--inference-service", WINE.inference_service, "--namespace", WINE.namespace


def infer(url: str, path: str, body: bytes, request_id: str | None = None) -> Reply:
    """Send an inference, with an id in its head if it is given."""
    reply = send(url, Message(path, body, JSON | ({} if request_id is None else {"X-Request-Id": request_id})))
    assert 200 == reply.status, reply.body
    return reply


def post(url: str, body: bytes, kind: str) -> int:
    """Post labels. Returns how many were accepted."""
    query = f"namespace={WINE.namespace}&inference_service={WINE.inference_service}"
    reply = send(url, Message(f"/labels?{query}", body, {"Content-Type": kind}))
    assert 202 == reply.status, reply.body
    accepted: int = json.loads(reply.body)["accepted"]
    return accepted


def classes_of(reply: Reply) -> list[int]:
    """The classes in a response of V1 or V2."""
    found = json.loads(reply.body)
    return [int(one) for one in (found["outputs"][0]["data"] if "outputs" in found else found["predictions"])]


def assert_accuracy(process: Driftgauge, inferences: Inferences, output: str) -> None:
    """Wait until all labels are judged; their accuracy is that of the predictions that the server gave."""

    def is_shown(now: Samples) -> bool:
        """Whether the window has all labels."""
        return now.total("driftgauge_performance", metric="accuracy", sample="window") > 0 and (
            inferences.count == now.total("driftgauge_outcome_window_rows")
        )

    found = process.wait_for(is_shown, "accuracy of all labels")
    accuracy = found.total("driftgauge_performance", metric="accuracy", sample="window", output=output)
    assert inferences.right / inferences.count == pytest.approx(accuracy, abs=1e-12)
    assert inferences.count == found.total("driftgauge_labels_total", outcome="matched")
    assert inferences.count == found.total("driftgauge_labels_total")
    assert inferences.right == found.total("driftgauge_correct_predictions_total", output=output)
    assert 178 == found.total("driftgauge_outcome_reference_rows")


def test_v1_by_header_and_v2_by_body(kserve_url: str, tmp_path: Path) -> None:
    """KServe's responses to V1 with `X-Request-Id` and to V2 with `id` meet their labels in one stream of outcomes."""
    with labelled("proxy", tmp_path, "class", *proxy_flags(kserve_url)) as (proxy, labels_url):
        inferences = Inferences()
        for number, rows in enumerate(batches()):
            reply = infer(proxy.url, V1, wine.v1(rows), f"order-{number}")
            inferences.take(f"order-{number}", classes_of(reply))
            inferences.take(f"lot-{number}", classes_of(infer(proxy.url, V2, wine.v2_json(rows, f"lot-{number}"))))
        orders, lots = ([own for own in inferences.labels if own.startswith(kind)] for kind in ("order", "lot"))
        assert sum(SIZES) == post(labels_url, inferences.csv(orders), "text/csv")
        assert sum(SIZES) == post(labels_url, inferences.json_lines(lots), "application/x-ndjson")
        assert_accuracy(proxy, inferences, "class")


@pytest.mark.parametrize(("server", "output"), [("kserve_url", "class"), ("mlserver_url", "predict")])
def test_the_id_that_the_server_made(request: pytest.FixtureRequest, server: str, output: str, tmp_path: Path) -> None:
    """Where the client sends no id, both servers make one, and the client labels by the id of the response."""
    with labelled("proxy", tmp_path, output, *proxy_flags(request.getfixturevalue(server))) as (proxy, labels_url):
        inferences = Inferences()
        for rows in batches():
            tensor = {"name": "rows", "shape": list(rows.shape), "datatype": "FP64", "data": rows.tolist()}
            reply = infer(proxy.url, V2, json.dumps({"inputs": [tensor]}).encode())
            inferences.take(json.loads(reply.body)["id"], classes_of(reply))
        assert len(SIZES) == len(inferences.labels)
        assert sum(SIZES) == post(labels_url, inferences.csv([*inferences.labels]), "text/csv")
        assert_accuracy(proxy, inferences, output)


def test_mlserver_by_body_and_by_header(mlserver_url: str, tmp_path: Path) -> None:
    """MLServer's responses meet labels by the id of the body, and by `X-Request-Id`."""
    with labelled("proxy", tmp_path, "predict", *proxy_flags(mlserver_url)) as (proxy, labels_url):
        inferences = Inferences()
        for number, rows in enumerate(batches()):
            own = f"{'lot' if number % 2 else 'order'}-{number}"
            reply = infer(proxy.url, V2, wine.v2_json(rows, f"lot-{number}"), f"order-{number}")
            inferences.take(own, classes_of(reply))
        assert sum(SIZES) == post(labels_url, inferences.json_lines([*inferences.labels]), "application/jsonl")
        assert_accuracy(proxy, inferences, "predict")


def test_events_of_the_agent(kserve_url: str, tmp_path: Path) -> None:
    """Bodies of a real server in events of KServe's agent: V1 by the event's id, V2 by the id of the response."""
    with labelled("logger", tmp_path, "class") as (logger, labels_url):
        inferences = Inferences()
        for number, rows in enumerate(batches()):
            asked = wine.v1(rows)
            reply = infer(kserve_url, V1, asked)
            inferences.take(f"order-{number}", classes_of(reply))
            assert [200, 200] == agent.post(logger.port, *agent.pair(asked, reply.body, f"order-{number}"))
            asked = wine.v2_json(rows, f"lot-{number}")
            reply = infer(kserve_url, V2, asked)
            inferences.take(f"lot-{number}", classes_of(reply))
            assert [200, 200] == agent.post(logger.port, *agent.pair(asked, reply.body, f"event-{number}"))
        assert inferences.count == post(labels_url, inferences.csv([*inferences.labels]), "text/csv")
        assert_accuracy(logger, inferences, "class")
