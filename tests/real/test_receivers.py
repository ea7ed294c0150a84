"""Independent CloudEvents SDKs receive what the logger sends on, and the events on changes of verdicts."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.real.test_senders import javascript_sender, pair, python_sender
from tests.support.drifting_proxy import drifting_proxy
from tests.support.parts import node_modules, program
from tests.support.ports import free_port
from tests.support.processes import Child, Driftgauge, get

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(120)]

PROGRAMS = Path(__file__).parent / "programs"
REQUEST = {"instances": [[9.4, 3.51]]}


class JavaScriptReceiver(Child):
    """A receiver with the JavaScript SDK."""

    def __init__(self) -> None:
        self.port = free_port()
        words: list[str | Path] = [
            "env",
            f"NODE_PATH={node_modules()}",
            program("node"),
            PROGRAMS / "receive_cloudevents.cjs",
        ]
        super().__init__([*words, str(self.port)])

    def events(self) -> list[dict[str, Any]]:
        """What it has received, in order of the ids and types."""
        found: list[dict[str, Any]] = json.loads(get(f"http://127.0.0.1:{self.port}/"))
        return sorted(found, key=lambda one: (one["attributes"]["id"], one["attributes"]["type"]))


@pytest.mark.parametrize("sender", [python_sender, javascript_sender], ids=["python", "javascript"])
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_javascript_receiver(sender: Any, mode: str) -> None:  # noqa: ANN401 - one of two functions
    """Attributes, extensions and data are those that were sent, in both modes."""
    events = [event for number in range(3) for event in pair(mode, f"e{number}", REQUEST)]
    with JavaScriptReceiver() as receiver:
        receiver.await_port(receiver.port)
        with Driftgauge("logger", f"--forward-url=http://127.0.0.1:{receiver.port}/in") as logger:
            assert {200} == set(sender(logger.url, events))
            logger.wait_for(lambda s: s.total("driftgauge_forwarded_events_total", outcome="sent") == 6, "six events")
        received = receiver.events()
    expected = sorted(events, key=lambda one: (one["attributes"]["id"], one["attributes"]["type"]))
    names = ("id", "type", "source", "inferenceservicename", "namespace", "component")
    assert [[one["attributes"][name] for name in names] for one in expected] == [
        [one["attributes"].get(name) for name in names] for one in received
    ]
    assert [one["data"] for one in expected] == [json.loads(base64.b64decode(one["data"])) for one in received]


def test_javascript_receives_changes(tmp_path: Path) -> None:
    """The JavaScript SDK accepts the event on drift: its attributes and the data."""
    with JavaScriptReceiver() as receiver:
        receiver.await_port(receiver.port)
        with drifting_proxy(tmp_path, f"http://127.0.0.1:{receiver.port}/") as proxy:
            proxy.wait_for(lambda s: s.total("driftgauge_events_total", outcome="sent") == 1, "an event")
        (event,) = receiver.events()
    attributes = event["attributes"]
    assert {
        "type": "io.driftgauge.drift.detected",
        "source": "/namespaces/cellar/inferenceservices/wine",
        "subject": "predictor/wine",
        "inferenceservicename": "wine",
        "namespace": "cellar",
        "stream": "inputs",
        "datacontenttype": "application/json",
    }.items() <= attributes.items()
    assert "alcohol" == json.loads(base64.b64decode(event["data"]))["features"][0]["feature"]
