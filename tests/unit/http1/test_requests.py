"""A client's bytes are read as requests, one at a time and in order."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.http1.grammar import MAX_HEAD_BYTES, MAX_LINE_BYTES, HeaderList, RefusedError
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.requests import RequestReader
from tests.support.framing import CUT, REFUSED

GET = b"GET /%d HTTP/1.1\r\nHost: m\r\n\r\n"
POST = b"POST /1 HTTP/1.1\r\nHost: m\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"PUT /2 HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\nX: 1\r\n\r\n"


class Log:
    """Records what each handler is called with; finishes each request at its end if `ends` is set.

    Args:
        ends: Whether to finish requests.
    """

    def __init__(self, *, ends: bool = True) -> None:
        self.reported: list[object] = []
        self.flushes = 0
        self.requests = RequestReader(self._handle)
        self._ends = ends

    def _handle(self, head: RequestHead) -> "Log":
        self.reported.append(head.target)
        return self

    def on_body(self, data: bytes) -> None:
        """Join the pieces, since they may be split anywhere."""
        last = self.reported[-1]
        if isinstance(last, bytearray):
            last += data
        else:
            self.reported.append(bytearray(data))

    def on_request_end(self, trailers: HeaderList) -> None:
        """Record the end."""
        self.reported.append(list(trailers))
        if self._ends:
            self.requests.finish_request()

    def on_framing_error(self) -> None:
        """Record the error."""
        self.reported.append("broken")

    def flush(self) -> None:
        """Count the call."""
        self.flushes += 1


def _feed(requests: RequestReader, raw: bytes, step: int) -> None:
    for at in range(0, len(raw), step):
        requests.feed(raw[at : at + step])


EXPECTED = [b"/0", [], b"/1", bytearray(b"abc"), [], b"/2", bytearray(b"de"), [(b"X", b"1")], b"/3", []]
WIRE = GET % 0 + POST + b"\r\n" + CHUNKED + GET % 3


@given(cuts=st.lists(st.integers(0, len(WIRE)), max_size=12))
def test_requests_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    """Heads, bodies and trailers do not depend on how the bytes were split."""
    ends = [0, *sorted(cuts), len(WIRE)]
    log = Log()
    for start, end in pairwise(ends):
        log.requests.feed(WIRE[start:end])

    assert EXPECTED == log.reported
    assert log.requests.is_idle


def test_the_next_request_waits() -> None:
    """A request is not reported before the one before it is finished."""
    log = Log(ends=False)
    log.requests.feed(WIRE)

    assert EXPECTED[:2] == log.reported
    assert len(WIRE) - len(GET % 0) == log.requests.waiting_bytes

    log.requests.finish_request()

    assert EXPECTED[:5] == log.reported
    assert 2 == log.flushes


def test_state_can_be_asked() -> None:
    """`is_idle` and `is_receiving` follow the state of the request and of its body."""
    log = Log(ends=False)
    requests = log.requests

    assert (True, False) == (requests.is_idle, requests.is_receiving)

    requests.feed(POST[:-1])

    assert (False, True) == (requests.is_idle, requests.is_receiving)

    requests.feed(POST[-1:])

    assert (False, False) == (requests.is_idle, requests.is_receiving)

    requests.finish_request()

    assert (True, False) == (requests.is_idle, requests.is_receiving)


def test_bytes_after_close_are_discarded() -> None:
    """After `close` the reader discards all bytes."""
    log = Log()
    log.requests.feed(POST[:-1])
    log.requests.close()
    log.requests.feed(POST[-1:] + WIRE)

    assert [b"/1", bytearray(b"ab")] == log.reported


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("step", [1, 100_000])
def test_odd_heads_are_refused(raw: bytes, step: int) -> None:
    """An odd head is refused without a call of the handler, whether it comes at once or byte by byte."""
    log = Log()
    with pytest.raises(RefusedError):
        _feed(log.requests, raw, step)

    assert [] == log.reported


@pytest.mark.parametrize("raw", CUT.values(), ids=CUT)
def test_odd_bodies_are_broken(raw: bytes) -> None:
    """The handler gets a framing error instead of an end, and all bytes after it are discarded."""
    log = Log()
    log.requests.feed(raw)
    log.requests.feed(WIRE)

    assert "broken" == log.reported[-1]
    assert log.requests.is_closed


ENDLESS = {
    "target": (b"GET /" + b"x" * MAX_LINE_BYTES, 414),
    "long target": (b"GET /" + b"x" * 2 * MAX_HEAD_BYTES, 414),
    "method": (b"G" * (MAX_HEAD_BYTES + 1), 431),
    "head": (b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * (MAX_HEAD_BYTES // 6), 431),
}


@pytest.mark.parametrize(("raw", "status"), ENDLESS.values(), ids=ENDLESS)
def test_heads_without_end_are_not_buffered(raw: bytes, status: int) -> None:
    """A head is refused as soon as it exceeds the limit, before it ends."""
    log = Log()
    with pytest.raises(RefusedError) as caught:
        log.requests.feed(raw)

    assert status == caught.value.status


@pytest.mark.parametrize("part", [b"\r", b"G", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nHost: m\r\n\r"])
def test_partial_heads_are_not_refused(part: bytes) -> None:
    """The start of a valid request is not refused."""
    log = Log()
    log.requests.feed(part)

    assert [] == log.reported
    assert not log.requests.is_idle
