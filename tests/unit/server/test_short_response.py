"""An answer of our own is said once, and the talk is over when the client has read enough."""

import pytest

from driftgauge.http1.heads import read_request
from driftgauge.server.listener import DrainState
from driftgauge.server.short_response import ShortResponse
from tests.support.exchange_sides import Client

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: m\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

OK = b"HTTP/1.1 200 OK\r\nContent-Type: t/t\r\nContent-Length: 2\r\n"
CASES = {
    "usual": (GET, False, True, OK + b"\r\nhi", "stays"),
    "no body to a HEAD": (HEAD, False, True, OK + b"\r\n", "stays"),
    "the client leaves": (CLOSE, False, True, OK + b"Connection: close\r\n\r\nhi", "leaves"),
    "clients are asked to leave": (GET, True, True, OK + b"Connection: close\r\n\r\nhi", "leaves"),
    "what comes next cannot be read": (GET, False, False, OK + b"Connection: close\r\n\r\nhi", "leaves"),
    "an old client that stays": (OLD, False, True, OK + b"Connection: keep-alive\r\n\r\nhi", "stays"),
}


@pytest.mark.parametrize(("request_head", "draining", "stays", "said", "note"), CASES.values(), ids=CASES)
def test_answers(request_head: bytes, *, draining: bool, stays: bool, said: bytes, note: str) -> None:
    """With the framing and the connection that fit the request."""
    client = Client()
    response = ShortResponse(read_request(request_head), client, DrainState(draining))
    response.say(200, b"t/t", b"hi", stays=stays)
    response.end()

    assert ([said], [note]) == (client.said, client.notes)


def test_a_client_that_does_not_read_is_waited_for() -> None:
    """What it asks next would pile up."""
    client = Client()
    response = ShortResponse(read_request(GET), client, DrainState())
    response.client_full(full=True)
    response.say(200, b"", b"")
    response.end()
    assert [] == client.notes

    response.client_full(full=False)
    assert ["stays"] == client.notes
