"""Forms of requests that guides show: KServe's own server predicts a class for each row, and so many rows arrive."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support import wine
from tests.support.captured import captured_rows
from tests.support.exchange import Message, send
from tests.support.processes import Driftgauge

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]

JSON = {"Content-Type": "application/json"}
V1, V2 = "/v1/models/wine:predict", "/v2/models/wine/infer"
ROWS = wine.ROWS[:3]


def frames(key: str) -> dict[str, object]:
    """The request of KServe's LightGBM guide: a frame of one row each, as columns by row index.

    Source: https://kserve.github.io/website/docs/model-serving/predictive-inference/frameworks/lightgbm
    """
    return {
        key: [{name: {"0": value} for name, value in zip(wine.FEATURES, row, strict=True)} for row in ROWS.tolist()]
    }


def columns() -> dict[str, object]:
    """One frame of several rows, as columns by row index."""
    pairs = zip(wine.FEATURES, ROWS.T.tolist(), strict=True)
    return {"instances": [{name: {str(row): value for row, value in enumerate(values)} for name, values in pairs}]}


def named_rows() -> dict[str, object]:
    """Rows by name: KServe's server reads a list of one value as a column of one row."""
    return {
        "instances": [{name: [value] for name, value in zip(wine.FEATURES, row, strict=True)} for row in ROWS.tolist()]
    }


def vectors() -> dict[str, object]:
    """TensorFlow Serving's row format with one named vector for each row."""
    return {"instances": [{"dense_input": row} for row in ROWS.tolist()]}


def tensor(*shape: int, flat: bool = False) -> dict[str, object]:
    """A V2 tensor of some shape, with an id, without which KServe cannot write the response."""
    data = ROWS.ravel().tolist() if flat else ROWS.tolist()
    return {"id": "wine-1", "inputs": [{"name": "rows", "shape": list(shape), "datatype": "FP64", "data": data}]}


@pytest.mark.parametrize(
    ("path", "request_body"),
    [
        pytest.param(V1, frames("inputs"), id="lightgbm-guide"),
        pytest.param(V1, frames("instances"), id="lightgbm-guide-instances"),
        pytest.param(V1, columns(), id="one-frame-of-three-rows"),
        pytest.param(V1, named_rows(), id="lists-of-one-value"),
        pytest.param(V1, vectors(), id="named-vector"),
        pytest.param(V2, tensor(-1, len(wine.FEATURES), flat=True), id="missing-size-flat"),
        pytest.param(V2, tensor(-1, len(wine.FEATURES)), id="missing-size-nested"),
        pytest.param(V2, tensor(len(ROWS), -1, flat=True), id="missing-width"),
    ],
)
def test_as_many_rows_as_the_server_predicts(
    kserve_url: str, wine_reference: Path, path: str, request_body: dict[str, object]
) -> None:
    """KServe predicts three classes, and the window has three rows with these values, in order."""
    flags = ("--upstream-url", kserve_url, "--reference", wine_reference, "--inference-service", "wine")
    fast = ("--min-rows", "3", "--evaluation-interval-seconds", "0.5", "--allow-capture", "true")
    with Driftgauge("proxy", *flags, *fast) as sidecar:
        reply = send(sidecar.url, Message(path, json.dumps(request_body).encode(), JSON))
        assert 200 == reply.status
        found = captured_rows(sidecar, len(ROWS))
        samples = sidecar.metrics()

    response = json.loads(reply.body)
    assert len(ROWS) == len(response["predictions"] if path == V1 else response["outputs"][0]["data"])
    np.testing.assert_array_equal(ROWS, found, strict=True)
    assert 1 == samples.total("driftgauge_payloads_total", kind="request", outcome="accepted")
