"""A model server's bytes are read as the response to one request."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.http1.grammar import (
    MAX_HEAD_BYTES,
    MAX_INTERIM_RESPONSES,
    BadResponseError,
    HeaderList,
    InterimResponsesError,
)
from driftgauge.http1.heads import ResponseHead
from driftgauge.http1.responses import ResponseReader

HINTS = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n"
UNENDING = b"HTTP/1.1 200 OK\r\n\r\nabc"


def responses_to(method: bytes, log: "Log") -> ResponseReader:
    """A reader that expects the response to one request."""
    reader = ResponseReader()
    reader.expect(method, log)
    return reader


class Log:
    """Records its calls."""

    def __init__(self) -> None:
        self.reported: list[object] = []
        self.body = b""
        self.flushes = 0

    def on_response_head(self, head: ResponseHead) -> None:
        """Record the status code."""
        self.reported.append(head.status)

    def on_response_body(self, data: bytes) -> None:
        """Join the pieces."""
        self.body += data

    def on_response_end(self, trailers: HeaderList) -> None:
        """Record the end."""
        self.reported.append(list(trailers))

    def flush_response(self) -> None:
        """Count the call."""
        self.flushes += 1


WHOLE = {
    "length": (LENGTH, [200, []], b"abc", True),
    "chunked": (CHUNKED, [200, [(b"X", b"1")]], b"abc", True),
    "hints before": (HINTS + HINTS + LENGTH, [103, 103, 200, []], b"abc", True),
    "no content": (b"HTTP/1.1 204 No\r\n\r\n", [204, []], b"", True),
    "closing": (LENGTH.replace(b"Content", b"Connection: close\r\nContent"), [200, []], b"abc", False),
    "old": (LENGTH.replace(b"1.1", b"1.0"), [200, []], b"abc", False),
    "more than the response": (LENGTH + b"x", [200, []], b"abc", False),
}


@pytest.mark.parametrize(("wire", "reported", "body", "leaves_open"), WHOLE.values(), ids=WHOLE)
def test_whole_responses(wire: bytes, reported: list[object], body: bytes, leaves_open: bool) -> None:  # noqa: FBT001 - a column
    """The reader finds the end of a response, and whether the connection can carry another."""
    log = Log()
    reader = responses_to(b"GET", log)
    reader.feed(wire)

    assert (reported, body) == (log.reported, log.body)
    assert (True, leaves_open, 0) == (reader.done, reader.leaves_open, log.flushes)

    reader.end()

    assert reported == log.reported


@given(cuts=st.lists(st.integers(0, len(HINTS + CHUNKED)), max_size=12))
def test_responses_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    """Heads, content and trailers do not depend on how the bytes were split."""
    wire = HINTS + CHUNKED
    ends = [0, *sorted(cuts), len(wire)]
    log = Log()
    reader = responses_to(b"GET", log)
    for start, end in pairwise(ends):
        if start < end:
            reader.feed(wire[start:end])

    assert ([103, 200, [(b"X", b"1")]], b"abc") == (log.reported, log.body)


def test_response_to_head_has_no_body() -> None:
    """A response to HEAD ends with its head, whatever its length says."""
    log = Log()
    reader = responses_to(b"HEAD", log)
    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")

    assert [200, []] == log.reported
    assert reader.leaves_open


def test_the_end_of_the_connection_ends_a_body_without_a_length() -> None:
    """The end of the connection ends a body without a length, and the connection is not reused."""
    log = Log()
    reader = responses_to(b"GET", log)
    reader.feed(UNENDING)

    assert ([200], 1) == (log.reported, log.flushes)

    reader.end()

    assert ([200, []], b"abc", False) == (log.reported, log.body, reader.leaves_open)


@pytest.mark.parametrize("wire", [b"", HINTS, b"HTTP/1.1 200 O", LENGTH[:-1], CHUNKED[:-1]])
def test_an_early_end_is_an_error(wire: bytes) -> None:
    """A connection that ends within a response raises `BadResponseError`."""
    reader = responses_to(b"GET", Log())
    if wire:
        reader.feed(wire)
    with pytest.raises(BadResponseError):
        reader.end()


BAD = {
    "not HTTP": b"SMTP ready\r\n\r\n",
    "no end of a line": b"up 1\n",
    "another protocol unasked": b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * (MAX_HEAD_BYTES // 6),
    "odd chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
}


@pytest.mark.parametrize("wire", BAD.values(), ids=BAD)
def test_bad_responses(wire: bytes) -> None:
    """Bytes that are not a response of HTTP/1.1 raise `BadResponseError`."""
    with pytest.raises(BadResponseError):
        responses_to(b"GET", Log()).feed(wire)


class ForgettingLog(Log):
    """Stops waiting for the response when the head has come.

    Args:
        reader: The reader that calls it.
    """

    def __init__(self, reader: ResponseReader) -> None:
        super().__init__()
        self._responses = reader

    def on_response_head(self, head: ResponseHead) -> None:
        """Record the status code, and stop waiting."""
        super().on_response_head(head)
        self._responses.forget()


@pytest.mark.parametrize("wire", [LENGTH, CHUNKED])
def test_nothing_is_reported_after_forget(wire: bytes) -> None:
    """After `forget`, neither the rest of a response nor later bytes are reported."""
    reader = ResponseReader()
    log = ForgettingLog(reader)
    reader.expect(b"GET", log)
    reader.feed(wire)
    assert ([200], b"") == (log.reported, log.body)

    reader.expect(b"GET", log)
    reader.forget()
    reader.feed(wire)
    assert ([200], b"") == (log.reported, log.body)


def test_interim_responses_are_limited() -> None:
    """`MAX_INTERIM_RESPONSES` before a final response are reported, and one more raises."""
    log = Log()
    reader = responses_to(b"GET", log)
    reader.feed(HINTS * MAX_INTERIM_RESPONSES + LENGTH)

    assert [103] * MAX_INTERIM_RESPONSES + [200, []] == log.reported

    reader.expect(b"GET", log)
    reader.feed(HINTS * MAX_INTERIM_RESPONSES)
    with pytest.raises(InterimResponsesError):
        reader.feed(HINTS)
