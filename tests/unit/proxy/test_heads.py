"""Which lines of a head go on, and how bodies are framed."""

import pytest

from sidecar.proxy.heads import (
    BadHeadError,
    Framing,
    Headers,
    answer_framing,
    answer_head,
    end_to_end,
    first,
    request_head,
)

LENGTH = (b"Content-Length", b"3")
CHUNKED = (b"Transfer-Encoding", b"chunked")


def test_end_to_end_keeps_order_case_and_number() -> None:
    """Lines for the other end stay as they are."""
    lines = [(b"x-A", b"1"), (b"X-b", b""), (b"X-A", b"2"), LENGTH]

    assert lines == end_to_end(lines)


@pytest.mark.parametrize(
    "name",
    [b"Connection", b"keep-alive", b"Proxy-Connection", b"Trailer", b"UPGRADE", b"Proxy-Authenticate"],
)
def test_hop_by_hop_goes(name: bytes) -> None:
    """Lines of one connection go, however they are spelled (RFC 9110 section 7.6.1)."""
    assert [LENGTH] == end_to_end([(name, b"x"), LENGTH])


def test_named_lines_go() -> None:
    """`Connection` names further lines, in any case, in any of its lines."""
    lines = [(b"Connection", b" close , x-one"), (b"connection", b"X-TWO"), (b"X-One", b"1"), (b"X-Two", b"2"), LENGTH]

    assert [LENGTH] == end_to_end(lines)


@pytest.mark.parametrize("line", [LENGTH, CHUNKED, (b"Host", b"m")])
def test_framing_cannot_be_named(line: tuple[bytes, bytes]) -> None:
    """`Connection` cannot take away the lines by which the receiver finds the end of the body."""
    assert [line] == end_to_end([(b"Connection", line[0]), line])


def test_first_ignores_case() -> None:
    """The first line of a name counts, however it is spelled."""
    assert b"1" == first([(b"Ce-ID", b"1"), (b"ce-id", b"2")], b"ce-id")
    assert first([], b"ce-id") is None


def test_host_is_added_only_where_it_is_missing() -> None:
    """A request has exactly the host that the client gave, or that of the model server."""
    assert b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n" == request_head("GET", b"/a", [(b"host", b"x")], b"m:1")
    assert b"GET /a HTTP/1.1\r\nHost: m:1\r\nA: 1\r\n\r\n" == request_head("GET", b"/a", [(b"A", b"1")], b"m:1")


def test_request_keeps_its_transfer_coding() -> None:
    """What codings a chunked body has beside stays told, since only the chunks are made anew."""
    lines = [(b"Host", b"x"), (b"Transfer-Encoding", b"gzip, chunked")]

    assert b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" == request_head(
        "POST", b"/", lines, b"m"
    )


FRAMINGS = [
    # method, status, lines, came in chunks, HTTP/1.1 client, framing: RFC 9112 section 6.3
    ("HEAD", 200, [LENGTH], False, True, Framing.NONE),
    ("HEAD", 200, [CHUNKED], True, True, Framing.NONE),
    ("GET", 204, [], False, True, Framing.NONE),
    ("GET", 304, [LENGTH], False, True, Framing.NONE),
    ("GET", 200, [LENGTH], False, True, Framing.LENGTH),
    ("GET", 200, [LENGTH], False, False, Framing.LENGTH),
    ("GET", 200, [CHUNKED], True, True, Framing.CHUNKED),
    ("GET", 200, [CHUNKED], True, False, Framing.CLOSE),
    ("GET", 200, [], False, True, Framing.CHUNKED),
    ("GET", 200, [], False, False, Framing.CLOSE),
]


@pytest.mark.parametrize(("method", "status", "lines", "chunked", "http11", "expected"), FRAMINGS)
def test_answer_framing(
    method: str,
    status: int,
    lines: Headers,
    chunked: bool,  # noqa: FBT001 - a column of a table
    http11: bool,  # noqa: FBT001 - a column of a table
    expected: Framing,
) -> None:
    """An answer keeps its framing where the client understands it."""
    assert expected is answer_framing(method, status, lines, chunked=chunked, http11=http11)


HEADS = [
    (200, [CHUNKED, (b"A", b"1")], Framing.CHUNKED, None, b"Transfer-Encoding: chunked\r\nA: 1\r\n"),
    (200, [(b"A", b"1")], Framing.CHUNKED, None, b"A: 1\r\nTransfer-Encoding: chunked\r\n"),
    (
        200,
        [(b"Transfer-Encoding", b"gzip")],
        Framing.CHUNKED,
        None,
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    ),
    (200, [CHUNKED, (b"A", b"1")], Framing.CLOSE, b"close", b"A: 1\r\nConnection: close\r\n"),
    (200, [LENGTH], Framing.LENGTH, b"keep-alive", b"Content-Length: 3\r\nConnection: keep-alive\r\n"),
    (200, [CHUNKED], Framing.NONE, None, b"Transfer-Encoding: chunked\r\n"),
    (204, [CHUNKED], Framing.NONE, None, b""),
]


@pytest.mark.parametrize(("status", "lines", "framing", "connection", "expected"), HEADS)
def test_answer_head(status: int, lines: Headers, framing: Framing, connection: bytes | None, expected: bytes) -> None:
    """The head tells the framing that the body has, where it stood, and our own connection's fate."""
    assert b"HTTP/1.1 %d Yes\r\n%b\r\n" % (status, expected) == answer_head(status, b"Yes", lines, framing, connection)


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: x", b"a\nb", b"a\rb"])
def test_line_breaks_are_refused(value: bytes) -> None:
    """A value that would read as two lines is not passed on."""
    with pytest.raises(BadHeadError, match="line break"):
        answer_head(200, b"OK", [(b"X", value)], Framing.NONE, None)


def test_frames() -> None:
    """Only chunks add bytes to a piece; an empty piece adds none, since an empty chunk would be the end."""
    assert b"3\r\nabc\r\n" == Framing.CHUNKED.frame(b"abc")
    assert b"" == Framing.CHUNKED.frame(b"")
    assert b"0\r\n\r\n" == Framing.CHUNKED.end
    assert [b"abc"] * 3 == [framing.frame(b"abc") for framing in (Framing.NONE, Framing.LENGTH, Framing.CLOSE)]
    assert [b""] * 3 == [framing.end for framing in (Framing.NONE, Framing.LENGTH, Framing.CLOSE)]
