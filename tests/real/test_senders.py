"""Independent CloudEvents SDKs send to the logger: it accepts every event, counts its rows and pairs it."""

import base64
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import wine
from tests.support.parts import environment_python, node_modules, program
from tests.support.processes import Driftgauge

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(120)]

PROGRAMS = Path(__file__).parent / "programs"
ROWS = wine.ROWS[:5]
LATENCY_SECONDS = 0.25

Event = dict[str, Any]
Sender = Callable[[str, Sequence[Event]], list[int]]


def python_sender(url: str, events: Sequence[Event]) -> list[int]:
    """Send with version 1 of the Python SDK; returns the status codes of its requests."""
    argv: list[str | Path] = [environment_python("cloudevents1"), PROGRAMS / "send_cloudevents1.py", url]
    return _run(argv, events)


def javascript_sender(url: str, events: Sequence[Event]) -> list[int]:
    """Send with the JavaScript SDK; returns the status codes of its requests."""
    argv: list[str | Path] = [
        "env",
        f"NODE_PATH={node_modules()}",
        program("node"),
        PROGRAMS / "send_cloudevents.cjs",
        url,
    ]
    return _run(argv, events)


def _run(argv: Sequence[str | Path], events: Sequence[Event]) -> list[int]:
    done = subprocess.run(argv, input=json.dumps(events), stdout=subprocess.PIPE, check=True, timeout=60, text=True)
    statuses: list[int] = json.loads(done.stdout)
    return statuses


def pair(mode: str, request_id: str, request: object, content_type: str = "application/json") -> list[Event]:
    """Both events of one inference, with KServe's attributes; the response is 0.25 s after the request."""

    def event(kind: str, data: object, time: str, content: str) -> Event:
        attributes = {
            "id": request_id,
            "type": f"org.kubeflow.serving.inference.{kind}",
            "source": "http://localhost:9081/",
            "specversion": "1.0",
            "time": time,
            "recordedtime": time,
            "datacontenttype": content,
            "inferenceservicename": "wine",
            "namespace": "default",
            "component": "predictor",
        }
        return {"mode": mode, "attributes": attributes, "data": data}

    return [
        event("request", request, "2026-11-23T06:00:00.500Z", content_type),
        event("response", {"predictions": [0] * len(ROWS)}, "2026-11-23T06:00:00.750Z", "application/json"),
    ]


def logger(reference: Path) -> Driftgauge:
    """A logger with a directory of references."""
    return Driftgauge("logger", "--reference-dir", reference.parent)


@pytest.mark.parametrize(
    ("sender", "modes", "responses"),
    [
        pytest.param(python_sender, ["binary", "structured"], 4, id="python-1"),
        pytest.param(javascript_sender, ["binary", "structured", "batch", "batch"], 5, id="javascript"),
    ],
)
def test_events_of_an_independent_sender_are_accepted_and_paired(
    wine_reference: Path, sender: Sender, modes: list[str], responses: int
) -> None:
    """Every request gets 200; rows, requests and latencies are those that were sent."""
    request = json.loads(wine.v1(ROWS))
    events = [event for n, mode in enumerate(modes) for event in pair(mode, f"{mode}-{n}", request)]
    with logger(wine_reference) as sidecar:
        statuses = sender(sidecar.url, events)
        samples = sidecar.wait_for(
            lambda now: (
                len(modes) == now.total("request_latency_seconds_count")
                and len(modes) * len(ROWS) == now.total("driftgauge_rows_total") == now.total("request_sum")
            ),
            f"{len(modes)} pairs and their rows",
        )

    assert [200] * responses == statuses
    assert len(modes) == samples.total("request_count", inference_service="wine", code="")
    assert len(modes) * len(ROWS) == samples.total("request_sum")
    assert len(modes) * LATENCY_SECONDS == pytest.approx(samples.total("request_latency_seconds_sum"))
    assert len(events) == samples.total("driftgauge_payloads_total", outcome="accepted")
    assert len(events) == samples.total("driftgauge_payloads_total")


@pytest.mark.parametrize("mode", ["binary", "structured", "batch"])
def test_raw_bytes_of_the_javascript_sender_give_their_rows(wine_reference: Path, mode: str) -> None:
    """A V2 binary body is decoded in each mode: as the body itself, or as `data_base64`."""
    body, _ = wine.v2_binary(ROWS)
    data = {"base64": base64.b64encode(body).decode()}
    with logger(wine_reference) as sidecar:
        statuses = javascript_sender(sidecar.url, pair(mode, "raw", data, "application/octet-stream"))
        sidecar.wait_for(lambda now: len(ROWS) == now.total("driftgauge_rows_total"), "the rows of the bytes")

    assert {200} == set(statuses)
