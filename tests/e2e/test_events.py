"""Events on changes of verdicts, from a whole process to a receiver, by the variables that Knative sets."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jsonschema import validate

from driftgauge.config.load import load
from driftgauge.errors import ConfigError
from tests.support.drifting_proxy import drifting_proxy
from tests.support.event_server import CLOSE, ERROR, HANG, EventServer
from tests.support.ports import free_port
from tests.support.processes import get
from tests.support.scrape import Samples
from tests.support.traffic import body_of, wrong_responses

Received = list[tuple[dict[str, str], bytes]]


@contextmanager
def receiver(status: int = 202) -> Iterator[tuple[str, Received]]:
    """A receiver that responds with a status code; its URL, and what it has received: headers in lower case, body."""
    received: Received = []

    class Handler(BaseHTTPRequestHandler):
        """Handles one connection."""

        def do_POST(self) -> None:
            """Record an event."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/sink?key=s3cret", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def faulty(fault: str) -> Iterator[str]:
    """The URL of a receiver that does not listen, fails, never responds, or takes events and says nothing."""
    if fault == "away":
        yield f"http://127.0.0.1:{free_port()}/"
        return
    server = EventServer(lambda _: {"fails": ERROR, "hangs": HANG, "takes and closes": CLOSE}[fault])
    ended = asyncio.Event()
    listens = threading.Event()

    async def run() -> None:
        """Listen until the end of the block."""
        async with server.listening():
            loops.append(asyncio.get_running_loop())
            listens.set()
            await ended.wait()

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert listens.wait(10)
        yield server.url
        assert server.heads
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join()


def events(samples: Samples, outcome: str) -> float:
    """The events with an outcome."""
    return samples.total("driftgauge_events_total", outcome=outcome)


def test_drift_is_sent_once(tmp_path: Path) -> None:
    """One event, however many looks follow, with a token; the port serves the schema of its data."""
    token = tmp_path / "token"
    token.write_text("abc-123\n")
    flags = (f"--event-token-file={token}", "--event-report-url=https://drift.example.com/", "--allow-capture=true")
    with receiver() as (url, received), drifting_proxy(tmp_path, url, *flags) as proxy:
        proxy.wait_for(lambda s: events(s, "sent") == 1, "an event")
        before = proxy.metrics().total("driftgauge_evaluation_timestamp_seconds")
        proxy.wait_for(lambda s: s.total("driftgauge_evaluation_timestamp_seconds") > before + 1, "five more looks")
        assert 1 == events(proxy.metrics(), "sent")
        schema = json.loads(get(f"{proxy.admin_url}/schemas/event-1.schema.json"))
        assert "s3cret" not in get(f"{proxy.admin_url}/metrics").decode() + proxy.stderr
    ((headers, body),) = received
    data = json.loads(body)
    validate(data, schema)
    assert ("Bearer abc-123", "io.driftgauge.drift.detected", "wine%20makers") == (
        headers["authorization"],
        headers["ce-type"],
        headers["ce-team"],
    )
    assert ("drift", "ok", "alcohol") == (data["state"], data["previous_state"], data["features"][0]["feature"])
    assert data["links"]["window"].startswith("https://drift.example.com/window?namespace=cellar&")


def test_refused_events_are_dead(tmp_path: Path) -> None:
    """The counter and one line of the log say so; the line names the receiver without its secret."""
    with receiver(403) as (url, received), drifting_proxy(tmp_path, url) as proxy:
        proxy.wait_for(lambda s: events(s, "dead") == 1, "a dead event")
        assert 1 == proxy.stderr.count("is dead")
        assert "s3cret" not in proxy.stderr
    assert 1 == len(received)


@pytest.mark.parametrize("fault", ["away", "fails", "hangs", "takes and closes"])
def test_a_receiver_with_a_fault_holds_nothing_up(tmp_path: Path, fault: str) -> None:
    """Inferences have their own bytes, evaluations go on, the event waits, and at the end it is logged as lost."""
    with faulty(fault) as url, drifting_proxy(tmp_path, url) as proxy:
        found = proxy.wait_for(lambda s: s.total("driftgauge_events_pending") == 1, "an event that waits")
        before = found.total("driftgauge_evaluation_timestamp_seconds")
        bodies = [body_of([[30.0 + number % 5]]) for number in range(200)]
        assert [] == wrong_responses(proxy.port, bodies, 4)
        after = proxy.wait_for(lambda s: s.total("driftgauge_evaluation_timestamp_seconds") > before, "another look")
        assert (300, 0) == (after.total("request_count"), after.total("request_error_count"))
        assert 0 == events(after, "sent") + events(after, "dead") + events(after, "dropped")
        assert 0 == proxy.terminate()
        assert "1 events on changes of verdicts are lost" in proxy.stderr


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"event_url": "ftp://a"}, "event_url: must be http://host"),
        ({"event_url": "http://u:s3cret@a"}, "event_url: a flag must hold no password; set DRIFTGAUGE_EVENT_URL"),
        ({"event_report_url": "a"}, "event_report_url: must be http://host"),
        ({"event_overrides": "x"}, "event_overrides: must be JSON such as"),
        ({"event_overrides": '{"extensions": {"Team": "a"}}'}, "event_overrides: names the extension 'Team'"),
        ({"event_overrides": '{"extensions": {"type": "a"}}'}, "event_overrides: names the extension 'type'"),
        ({"event_overrides": '{"extensions": {"a": 1}}'}, "event_overrides: gives the extension a a value"),
        ({"event_cooldown_seconds": "-1"}, "event_cooldown_seconds: "),
    ],
)
def test_wrong_options(flags: dict[str, str], sentence: str) -> None:
    """Each fault is one sentence that names the option, and shows no secret."""
    with pytest.raises(ConfigError) as raised:
        load("proxy", flags)
    assert str(raised.value).startswith(sentence)
    assert "s3cret" not in str(raised.value)
