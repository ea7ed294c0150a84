"""Valid heads are read, odd and large ones are refused."""

import pytest

from driftgauge.http1.grammar import (
    MAX_FIELD_BYTES,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_LINE_BYTES,
    BadResponseError,
    RefusedError,
)
from driftgauge.http1.head_cache import HeadCache
from driftgauge.http1.head_parser import read_request, read_response
from driftgauge.http1.heads import request_length
from tests.support.framing import REFUSED

GET = b"GET / HTTP/1.1\r\nHost: m\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def test_request() -> None:
    """Method, target and lines are those of the wire; the field of a name is its first line."""
    head = read_request(b"POST /a%20b? HTTP/1.1\r\nHOST: m\r\nX-A: 1 \r\nx-a: 2\r\nContent-Length: 3\r\n\r\n")

    assert (b"POST", b"/a%20b?", True, 3) == (head.method, head.target, head.http11, head.length)
    assert [(b"HOST", b"m"), (b"X-A", b"1"), (b"x-a", b"2"), (b"Content-Length", b"3")] == head.lines
    assert {b"host": b"m", b"x-a": b"1", b"content-length": b"3"} == head.fields


def test_raw_bytes_are_kept_only_where_they_equal_the_lines() -> None:
    """`raw` is empty where white space around a value was removed, since those bytes must not be forwarded."""
    plain = GET + b"X: 1\r\n\r\n"

    assert plain == read_request(plain).raw
    assert b"" == read_request(GET + b"X: 1 \r\n\r\n").raw
    assert b"" == read_request(GET + b"X:\t1\r\n\r\n").raw


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (b"", 0),
        (b"Content-Length: 0\r\n", 0),
        (b"content-length: 12\r\n", 12),
        (b"Transfer-Encoding: Chunked\r\n", None),
    ],
)
def test_length_of_a_request(lines: bytes, length: int | None) -> None:
    """A request without a framing line has no body (RFC 9112 section 6.3)."""
    assert length == read_request(GET + lines + b"\r\n").length


@pytest.mark.parametrize(
    ("version", "line", "keeps"),
    [
        (b"1", b"", True),
        (b"1", b"Connection: keep-alive\r\n", True),
        (b"1", b"Connection: Close\r\n", False),
        (b"1", b"Connection: keep-alive\r\nConnection: x, close\r\n", False),
        (b"0", b"", False),
        (b"0", b"Connection: Keep-Alive\r\n", True),
        (b"0", b"Connection: x, keep-alive\r\n", True),
        (b"0", b"Connection: keep-alive, close\r\n", False),
    ],
)
def test_persistence(version: bytes, line: bytes, keeps: bool) -> None:  # noqa: FBT001 - a column of a table
    """HTTP/1.1 keeps a connection unless a header says otherwise, HTTP/1.0 does not (RFC 9112 section 9.3)."""
    assert keeps is read_request(b"GET / HTTP/1.%b\r\nHost: m\r\n%b\r\n" % (version, line)).keep_alive


@pytest.mark.parametrize(
    ("version", "lines", "expects"),
    [
        (b"1", b"Expect: 100-Continue\r\nContent-Length: 1\r\n", True),
        (b"1", b"Expect: 100-continue\r\n", False),
        (b"1", b"Expect: else\r\nContent-Length: 1\r\n", False),
        (b"0", b"Expect: 100-continue\r\nContent-Length: 1\r\n", False),
        (b"1", b"Content-Length: 1\r\n", False),
    ],
)
def test_expectation(version: bytes, lines: bytes, expects: bool) -> None:  # noqa: FBT001 - a column of a table
    """A client expects 100 if it says so, has a body, and uses HTTP/1.1 (RFC 9110 section 10.1.1)."""
    assert expects is read_request(b"PUT / HTTP/1.%b\r\nHost: m\r\n%b\r\n" % (version, lines)).expects_continue


def test_upgrade_requests_are_read() -> None:
    """A request with `Upgrade` is read like any other request of HTTP/1.1."""
    head = read_request(GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\nX: 1\r\nX: 2\r\n\r\n")

    assert b"websocket" == head.fields[b"upgrade"]
    assert 5 == len(head.lines)


WHOLE = {name: raw for name, raw in REFUSED.items() if raw.endswith(b"\r\n\r\n") and raw.count(b"\r\n\r\n") == 1}


@pytest.mark.parametrize("raw", WHOLE.values(), ids=WHOLE)
def test_odd_heads_are_refused(raw: bytes) -> None:
    """An odd head is refused with 400 and a sentence that quotes nothing of it."""
    with pytest.raises(RefusedError) as caught:
        read_request(raw)

    assert 400 == caught.value.status
    assert caught.value.sentence.startswith(("The ", "A transfer"))


ODD_FRAMING = [
    ({b"content-length": b"+1"}, True),
    ({b"content-length": b"1, 1"}, True),
    ({b"content-length": b""}, True),
    ({b"content-length": b"1", b"transfer-encoding": b"chunked"}, True),
    ({b"transfer-encoding": b"chunked"}, False),
    ({b"transfer-encoding": b"gzip, chunked"}, True),
    ({b"transfer-encoding": b"identity"}, True),
]


@pytest.mark.parametrize(("fields", "http11"), ODD_FRAMING)
def test_our_own_rules_refuse_odd_framing(fields: dict[bytes, bytes], http11: bool) -> None:  # noqa: FBT001 - a column of a table
    """Our own rules refuse odd framing, even if a later llhttp accepts it."""
    with pytest.raises(RefusedError):
        request_length(fields, http11=http11)


LARGE = {
    "head": (GET + (b"X: " + b"x" * 100_000 + b"\r\n") * 3 + b"\r\n", 431),
    "line": (GET + b"X: " + b"x" * MAX_FIELD_BYTES + b"\r\n\r\n", 431),
    "number of lines": (GET + b"X: 1\r\n" * (MAX_FIELDS + 1) + b"\r\n", 431),
    "target": (b"GET /" + b"x" * MAX_LINE_BYTES + b" HTTP/1.1\r\nHost: m\r\n\r\n", 414),
    "target beyond the limit of a line": (b"GET /" + b"x" * MAX_FIELD_BYTES + b" HTTP/1.1\r\nHost: m\r\n\r\n", 414),
    "target beyond the limit of a head": (b"GET /" + b"x" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: m\r\n\r\n", 414),
    "long method": (b"G" * 2 * MAX_FIELD_BYTES + b" / HTTP/1.1\r\nHost: m\r\n\r\n", 431),
    "CONNECT": (b"CONNECT m:1 HTTP/1.1\r\nHost: m:1\r\n\r\n", 501),
}


@pytest.mark.parametrize(("raw", "status"), LARGE.values(), ids=LARGE)
def test_limits_of_a_request(raw: bytes, status: int) -> None:
    """A head that is too large or unsupported is refused with the status code for it."""
    with pytest.raises(RefusedError) as caught:
        read_request(raw)

    assert status == caught.value.status


def test_longest_target_that_passes() -> None:
    """A target of 64 KiB is read."""
    target = b"/".ljust(MAX_LINE_BYTES, b"x")

    assert target == read_request(b"GET %b HTTP/1.1\r\nHost: m\r\n\r\n" % target).target


def test_largest_head_that_passes() -> None:
    """A head with as many lines as allowed and with a long line is read."""
    lines = b"".join(b"X-%d: 1\r\n" % number for number in range(MAX_FIELDS - 2))
    long = b"Y: " + b"y" * (MAX_FIELD_BYTES - 10) + b"\r\n"

    assert MAX_FIELDS == len(read_request(GET + lines + long + b"\r\n").lines)


def test_response() -> None:
    """Status code, reason and lines are those of the wire."""
    head = read_response(b"HTTP/1.1 299 Well, \xc3\xa9\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 3\r\n\r\n")

    assert (299, b"Well, \xc3\xa9", True, 3) == (head.status, head.reason, head.http11, head.length)
    assert [(b"X-A", b"1"), (b"X-A", b"2"), (b"Content-Length", b"3")] == head.lines


@pytest.mark.parametrize("raw", [b"HTTP/1.1 200 \r\n\r\n", b"HTTP/1.1 200\r\n\r\n"])
def test_reason_may_be_missing(raw: bytes) -> None:
    """A status line without a reason is read, with or without the space before it."""
    assert b"" == read_response(raw).reason


@pytest.mark.parametrize(
    ("raw", "final"),
    [(b"HTTP/1.1 103 E\r\n\r\n", False), (b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", False)],
)
def test_interim_responses(raw: bytes, final: bool) -> None:  # noqa: FBT001 - a column of a table
    """A 1xx response is not final and has no body."""
    head = read_response(raw)

    assert final is head.is_final
    assert not head.has_body(b"GET")


@pytest.mark.parametrize(
    ("method", "status", "has_body"),
    [(b"GET", 200, True), (b"HEAD", 200, False), (b"GET", 204, False), (b"GET", 304, False), (b"GET", 404, True)],
)
def test_which_responses_have_a_body(method: bytes, status: int, has_body: bool) -> None:  # noqa: FBT001 - a column
    """Whether a response has a body depends on method and status code alone (RFC 9112 section 6.3)."""
    assert has_body is read_response(b"HTTP/1.1 %d X\r\n\r\n" % status).has_body(method)


BAD_RESPONSES = {
    "no HTTP": b"SMTP ready\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 OK\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "overflow_key": OK + b"X: a\r\n b\r\n\r\n",
    "bare LF": OK + b"X: a\nY: b\r\n\r\n",
    "bare CR": OK + b"X: a\rb\r\n\r\n",
    "NUL": OK + b"X: \x00\r\n\r\n",
    "space before the colon": OK + b"Content-Length : 1\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "one length twice in other case": OK + b"Content-Length: 1\r\ncontent-length: 1\r\n\r\n",
    "length twice": OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "length and chunks": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "odd length": OK + b"Content-Length: +1\r\n\r\n",
    "long length": OK + b"Content-Length: 1234567890123456789\r\n\r\n",
    "two codings": OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    "other coding": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "too large": OK + b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
}


@pytest.mark.parametrize("raw", BAD_RESPONSES.values(), ids=BAD_RESPONSES)
def test_odd_responses_are_refused(raw: bytes) -> None:
    """An odd response is refused, so that no client has to guess where it ends."""
    with pytest.raises(BadResponseError):
        read_response(raw)


def test_chunked_response() -> None:
    """A chunked response has no length, and `raw` is empty where white space was removed."""
    head = read_response(OK + b"Transfer-Encoding: CHUNKED\r\nX: \t1\r\n\r\n")

    assert head.chunked
    assert (None, b"", b"1") == (head.length, head.raw, head.fields[b"x"])


def test_cache_of_heads() -> None:
    """Equal bytes give the cached head, other bytes are parsed, and a refused head changes nothing."""
    read = HeadCache(read_request)
    one, other = GET + b"A: 1\r\n\r\n", GET + b"A: 2\r\n\r\n"
    head = read(one)

    assert head is read(one)

    with pytest.raises(RefusedError):
        read(GET + b"A : 1\r\n\r\n")

    assert head is read(one)
    assert [b"2", b"1"] == [read(raw).fields[b"a"] for raw in (other, one)]


def test_a_host_may_have_every_character_of_a_registered_name() -> None:
    """Unreserved characters and sub-delimiters (RFC 3986, section 3.2.2), except the comma, which separates lists."""
    host = b"a-Z.9_~%41!$&'()*+;="

    assert host == read_request(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").fields[b"host"]
