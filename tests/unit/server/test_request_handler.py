"""A response of our own is written once, and the exchange ends when the client has read enough."""

import pytest

from driftgauge.http1.head_parser import read_request
from driftgauge.server.request_handler import ShortResponse
from tests.support.recording_peers import Client

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: m\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

OK = b"HTTP/1.1 200 OK\r\nContent-Type: t/t\r\nContent-Length: 2\r\n"
CASES = {
    "usual": (GET, False, True, OK + b"\r\nhi", "kept"),
    "no body to a HEAD": (HEAD, False, True, OK + b"\r\n", "kept"),
    "the client leaves": (CLOSE, False, True, OK + b"Connection: close\r\n\r\nhi", "ended"),
    "clients are asked to leave": (GET, True, True, OK + b"Connection: close\r\n\r\nhi", "ended"),
    "what comes next cannot be read": (GET, False, False, OK + b"Connection: close\r\n\r\nhi", "ended"),
    "an old client that keeps its connection": (OLD, False, True, OK + b"Connection: keep-alive\r\n\r\nhi", "kept"),
}


@pytest.mark.parametrize(("request_head", "draining", "keep_alive", "written", "note"), CASES.values(), ids=CASES)
def test_responses(request_head: bytes, *, draining: bool, keep_alive: bool, written: bytes, note: str) -> None:
    """A response has the framing and the `Connection` that fit the request."""
    client = Client(draining=draining)
    response = ShortResponse(read_request(request_head), client)
    response.write(200, b"t/t", b"hi", keep_alive=keep_alive)
    response.finish()

    assert ([written], [note]) == (client.written, client.notes)


def test_a_client_that_does_not_read_is_waited_for() -> None:
    """The exchange does not end before the client has read, so that no further request is read."""
    client = Client()
    response = ShortResponse(read_request(GET), client)
    response.on_client_full(full=True)
    response.write(200, b"", b"")
    response.finish()
    assert [] == client.notes

    response.on_client_full(full=False)
    assert ["kept"] == client.notes
