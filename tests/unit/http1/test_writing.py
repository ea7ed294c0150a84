"""Header lines of one connection are removed from heads, and bodies are framed."""

import json

import pytest

from driftgauge.http1.grammar import Framing
from driftgauge.http1.head_parser import read_request, read_response
from driftgauge.http1.writing import (
    connection_line,
    error_response,
    interim_head,
    request_head,
    response_framing,
    response_head,
    trailers,
)

GET = b"GET /a HTTP/1.1\r\nHost: m\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: 3\r\n"


def _sent(lines: bytes) -> bytes:
    """The forwarded lines of a request, without its `Host`."""
    return request_head(read_request(GET + lines + b"\r\n"), "u:1").removeprefix(GET).removesuffix(b"\r\n")


def _responded(
    lines: bytes, framing: Framing, connection: bytes | None = None, start: bytes = b"HTTP/1.1 200 Yes"
) -> bytes:
    return response_head(read_response(start + b"\r\n" + lines + b"\r\n"), framing, connection)


KEPT = {
    "nothing": b"",
    "order, case, number": b"x-A: 1\r\nX-b: \r\nX-A: 2\r\nContent-Length: 3\r\n",
    "no space": b"X:1\r\n",
    "inner white space": b"X: 1 \t 2\r\n",
    "trailers where there are chunks": CHUNKED + b"Trailer: X\r\n",
}


@pytest.mark.parametrize("lines", KEPT.values(), ids=KEPT)
def test_end_to_end_lines_are_kept(lines: bytes) -> None:
    """End-to-end lines keep their order, case, number and bytes."""
    assert lines.replace(b"X:1", b"X:1") == _sent(lines)


DROPPED = {
    "the connection's own": b"Connection: keep-alive\r\n",
    "close": b"Connection: close\r\n",
    "in any case": b"CONNECTION: Keep-Alive\r\n",
    "without a space": b"Connection:close\r\n",
    "white space behind": b"Connection: close \r\n",
    "twice": b"Connection: close\r\nConnection: close\r\n",
    "the rest": b"keep-alive: 1\r\nProxy-Connection: a\r\nUPGRADE: h2c\r\nProxy-Authenticate: x\r\n",
    "announced trailers of no chunks": b"Trailer: X\r\n",
    "named": b"Connection: x-one , close\r\nconnection: X-TWO\r\nX-One: 1\r\nX-Two: 2\r\n",
}


@pytest.mark.parametrize("lines", DROPPED.values(), ids=DROPPED)
@pytest.mark.parametrize("around", [(b"", LENGTH), (LENGTH, b""), (b"X-Connection: close\r\n", b"")])
def test_lines_of_one_connection_are_removed(lines: bytes, around: tuple[bytes, bytes]) -> None:
    """Lines of one connection are removed in any spelling and at any place (RFC 9110 section 7.6.1)."""
    before, after = around

    assert before + after == _sent(before + lines + after)


@pytest.mark.parametrize("line", [LENGTH, CHUNKED])
def test_connection_cannot_remove_framing(line: bytes) -> None:
    """`Connection` cannot remove `Host` or the framing lines."""
    name = line.split(b":")[0]

    assert line == _sent(b"Connection: host, " + name + b"\r\n" + line)


@pytest.mark.parametrize("odd", [b"X: \t1\t \r\n", b"X:\t1\r\n", b"X: 1  \r\n"])
def test_white_space_around_values_is_normalised(odd: bytes) -> None:
    """White space around a value is normalised, so that no other parser takes it for a part of the value."""
    assert b"X: 1\r\n" == _sent(odd)


def test_host_is_added_only_where_it_is_missing() -> None:
    """A request without `Host` gets that of the model server."""
    old = read_request(b"GET /a HTTP/1.0\r\nA: 1\r\n\r\n")

    assert b"GET /a HTTP/1.1\r\nHost: u:1\r\nA: 1\r\n\r\n" == request_head(old, "u:1")


FRAMINGS = [
    # method, response, HTTP/1.1 client, framing: RFC 9112 section 6.3
    (b"HEAD", b"200 ", LENGTH, True, Framing.NONE),
    (b"HEAD", b"200 ", CHUNKED, True, Framing.NONE),
    (b"GET", b"204 ", b"", True, Framing.NONE),
    (b"GET", b"304 ", LENGTH, True, Framing.NONE),
    (b"GET", b"200 ", LENGTH, True, Framing.LENGTH),
    (b"GET", b"200 ", LENGTH, False, Framing.LENGTH),
    (b"GET", b"200 ", CHUNKED, True, Framing.CHUNKED),
    (b"GET", b"200 ", CHUNKED, False, Framing.CLOSE),
    (b"GET", b"200 ", b"", True, Framing.CHUNKED),
    (b"GET", b"200 ", b"", False, Framing.CLOSE),
]


@pytest.mark.parametrize(("method", "status", "lines", "http11", "expected"), FRAMINGS)
def test_response_framing(
    method: bytes,
    status: bytes,
    lines: bytes,
    http11: bool,  # noqa: FBT001 - a column of a table
    expected: Framing,
) -> None:
    """A response keeps its framing where the client understands it."""
    head = read_response(b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n")

    assert expected is response_framing(method, head, http11=http11)


HEADS = [
    # lines, framing, our own Connection, what arrives
    (CHUNKED + b"A: 1\r\n", Framing.CHUNKED, None, CHUNKED + b"A: 1\r\n"),
    (CHUNKED + b"Trailer: T\r\nKeep-Alive: 1\r\n", Framing.CHUNKED, None, CHUNKED + b"Trailer: T\r\n"),
    (b"A: 1\r\n", Framing.CHUNKED, None, b"A: 1\r\n" + CHUNKED),
    (CHUNKED + b"A: 1\r\n", Framing.CLOSE, b"close", b"A: 1\r\nConnection: close\r\n"),
    (CHUNKED + b"A: 1\r\n", Framing.CLOSE, None, b"A: 1\r\n"),
    (LENGTH, Framing.LENGTH, b"keep-alive", LENGTH + b"Connection: keep-alive\r\n"),
    (b"Connection: keep-alive\r\n" + LENGTH, Framing.LENGTH, None, LENGTH),
    (CHUNKED, Framing.NONE, None, CHUNKED),
]


@pytest.mark.parametrize(("lines", "framing", "connection", "expected"), HEADS)
def test_response_head(lines: bytes, framing: Framing, connection: bytes | None, expected: bytes) -> None:
    """The head states the framing of the body, in its old place, and whether our connection is kept."""
    assert b"HTTP/1.1 200 Yes\r\n" + expected + b"\r\n" == _responded(lines, framing, connection)


@pytest.mark.parametrize("lines", [CHUNKED, LENGTH])
def test_no_content_has_no_framing(lines: bytes) -> None:
    """A 204 never has a body, so its framing lines are removed (RFC 9112 section 6.1, RFC 9110 section 8.6)."""
    assert b"HTTP/1.1 204 No\r\nA: 1\r\n\r\n" == _responded(lines + b"A: 1\r\n", Framing.NONE, None, b"HTTP/1.1 204 No")


@pytest.mark.parametrize("start", [b"HTTP/1.0 200 ", b"HTTP/1.1 200"])
def test_status_line_is_completed(start: bytes) -> None:
    """The status line is one of HTTP/1.1, whatever the version and the spaces of the model server."""
    assert b"HTTP/1.1 200 \r\n" + LENGTH + b"\r\n" == _responded(LENGTH, Framing.LENGTH, None, start)


def test_interim_head() -> None:
    """An interim response keeps its lines except those of the connection and of a body that it cannot have."""
    head = read_response(b"HTTP/1.1 103 Hints\r\nLink: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n")

    assert b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" == interim_head(head)


def test_trailers() -> None:
    """Trailers of framing, routing or credentials are not forwarded (RFC 9110 section 6.5.1)."""
    kept = [(b"X-Sum", b"1"), (b"Server-Timing", b"a")]
    bad = [(name, b"1") for name in (b"Content-Length", b"HOST", b"transfer-encoding", b"Authorization", b"Trailer")]

    assert kept == trailers([*bad, *kept])


@pytest.mark.parametrize(
    ("keep_alive", "http11", "line"),
    [(True, True, None), (True, False, b"keep-alive"), (False, True, b"close"), (False, False, None)],
)
def test_connection_line(keep_alive: bool, http11: bool, line: bytes | None) -> None:  # noqa: FBT001 - columns of a table
    """`Connection` is written only where the version does not imply whether the connection is kept."""
    assert line == connection_line(keep_alive=keep_alive, http11=http11)


def test_error_has_kserves_form() -> None:
    """An error response is JSON with the one member `error`, and states its length."""
    head, body = error_response(502, 'No "model".', keep_alive=True)
    expected = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

    assert {"error": 'No "model".'} == json.loads(body)
    assert expected % len(body) == head


def test_error_may_end_the_connection() -> None:
    """An error response after which the connection ends has `Connection: close`."""
    assert b"\r\nConnection: close\r\n" in error_response(400, "No.", keep_alive=False)[0]


def test_frames() -> None:
    """Only chunks add bytes to a piece; an empty piece gets no chunk, since an empty chunk is the end."""
    others = (Framing.NONE, Framing.LENGTH, Framing.CLOSE)

    assert b"3\r\nabc\r\n" == Framing.CHUNKED.frame(b"abc")
    assert b"" == Framing.CHUNKED.frame(b"")
    assert b"0\r\n\r\n" == Framing.CHUNKED.end()
    assert b"0\r\nX: 1\r\n\r\n" == Framing.CHUNKED.end([(b"X", b"1")])
    assert [b"abc"] * 3 == [framing.frame(b"abc") for framing in others]
    assert [b""] * 3 == [framing.end([(b"X", b"1")]) for framing in others]


@pytest.mark.parametrize(
    ("lines", "forwarded"),
    [
        (b"X: 1\r\n", b"X: 1\r\nVia: 1.1 me\r\n"),
        (b"X: \t1\r\n", b"X: 1\r\nVia: 1.1 me\r\n"),
        (b"via: 1.1 a, 1.0 b\r\nX: 1\r\n", b"via: 1.1 a, 1.0 b\r\nX: 1\r\nVia: 1.1 me\r\n"),
        (b"Connection: close\r\nX: 1\r\n", b"X: 1\r\nVia: 1.1 me\r\n"),
        (b"Connection: X\r\nX: 1\r\n", b"Via: 1.1 me\r\n"),
    ],
)
def test_via_is_the_last_line_of_a_request(lines: bytes, forwarded: bytes) -> None:
    """A `Via` with the version that the client spoke is added after all lines, also after another `Via`."""
    head = read_request(GET + lines + b"\r\n")

    assert GET + forwarded + b"\r\n" == request_head(head, "u:1", b"me")


def test_via_of_an_old_client() -> None:
    """A request in HTTP/1.0 is forwarded in HTTP/1.1, and `Via` has the version in which it came."""
    head = read_request(b"GET /a HTTP/1.0\r\nHost: m\r\n\r\n")

    assert b"GET /a HTTP/1.1\r\nHost: m\r\nVia: 1.0 me\r\n\r\n" == request_head(head, "u:1", b"me")
