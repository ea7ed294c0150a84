"""Cached heads equal parsed ones, also where lines such as ids and times vary."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.http1.grammar import RefusedError
from driftgauge.http1.head_cache import HeadCache
from driftgauge.http1.head_parser import read_request, read_response
from driftgauge.http1.heads import RequestHead, ResponseHead

START = b"POST /v1/models/wine:predict HTTP/1.1\r\nHost: m\r\n"
END = b"Content-Length: 3\r\n\r\n"

LINES = st.sampled_from(
    [
        b"X-Request-Id: 1",
        b"x-request-id: 22",
        b"X-REQUEST-ID: a b",
        b"X-Request-Id:3",
        b"X-Request-Id:  4",
        b"X-Request-Id: 5 ",
        b"X-Request-Id:",
        b"X-Request-Id : 6",
        b"X-Request-Id: \xe9",
        b"X-Request-Id: a\x00b",
        b"X-Request-Id: 7",
        b"Traceparent: 00-7-8-01",
        b"Traceparent: 00-7-9-02",
        b"Date: Fri, 27 Nov 2026 12:00:00 GMT",
        b"Ce-Id: z",
        b"X-Request-Idx: 9",
        b"Connection: x-request-id",
        b"Connection: close",
        b"Transfer-Encoding: chunked",
        b"Content-Length: 3",
        b" overflow_key: 1",
    ]
)


def attributes_of(head: RequestHead | ResponseHead) -> tuple[object, ...]:
    """All attributes of a head; lines in any order, since the order of different names has no meaning."""
    common = (sorted(head.lines), head.fields, head.raw, head.http11, head.keep_alive, head.length, head.is_end_to_end)
    if isinstance(head, RequestHead):
        return (*common, head.method, head.target, head.expects_continue)
    return (*common, head.status, head.reason, head.chunked)


def outcome(read: Callable[[bytes], RequestHead], raw: bytes) -> object:
    """The attributes of a head, or how it is refused."""
    try:
        return attributes_of(read(raw))
    except RefusedError as error:
        return error.status


@given(st.lists(st.lists(LINES, max_size=3), min_size=1, max_size=4))
def test_a_cached_request_equals_a_parsed_one(heads: list[list[bytes]]) -> None:
    """A request from the cache equals the parsed one, whatever was read before and whichever lines vary."""
    read = HeadCache(read_request)
    for lines in heads:
        raw = START + b"".join(line + b"\r\n" for line in lines) + END
        assert outcome(read_request, raw) == outcome(read, raw)


@given(st.lists(st.binary(min_size=5, max_size=5), min_size=2, max_size=2), st.binary(min_size=5, max_size=5))
def test_values_of_one_length_are_checked_each_time(ids: list[bytes], trace: bytes) -> None:
    """Whatever bytes are where an id was in the head before, line breaks too, it is read as by the full parse."""
    read = HeadCache(read_request)
    for one in (b"abcde", *ids):
        raw = START + b"X-Request-Id: %b\r\nTraceparent: %b\r\n" % (one, trace if one != b"abcde" else b"00-11") + END
        assert outcome(read_request, raw) == outcome(read, raw)


def test_a_line_that_was_not_there_before_is_found() -> None:
    """Another listed line in place of one that is not listed, in a head of the same length."""
    read = HeadCache(read_request)
    for name in (b"Idempotency-Kez", b"Idempotency-Key"):
        for number in range(2):
            raw = START + b"X-Request-Id: %d\r\n%b: %d\r\n" % (number, name, number) + END
            assert attributes_of(read_request(raw)) == attributes_of(read(raw))


@given(st.lists(st.sampled_from([b"Date: 1", b"Date: 2", b"Server: a", b"X-Request-Id: 3"]), max_size=4, unique=True))
def test_a_cached_response_equals_a_parsed_one(lines: list[bytes]) -> None:
    """A response equals the parsed one at the first reading and at the second."""
    raw = b"HTTP/1.1 200 OK\r\n" + b"".join(line + b"\r\n" for line in lines) + END
    read = HeadCache(read_response)

    assert attributes_of(read_response(raw)) == attributes_of(read(raw)) == attributes_of(read(raw))


@pytest.mark.parametrize("known", [b"X-Request-Id:3\r\n", b"A: 3 \r\n", b"A: 3\r\nA: 4\r\n"])
@pytest.mark.parametrize("is_first", [True, False])
def test_lines_at_known_places_are_put_into_any_known_head(known: bytes, *, is_first: bool) -> None:
    """Where the known head cannot be forwarded as it is, or has the name of the cut line, the full parse decides."""
    read = HeadCache(read_request)
    lines = [b"X-Request-Id: 1\r\n", b"B: " + b"b" * (len(known) - 5) + b"\r\n"]
    read(START + known + END)
    read(START + b"".join(lines if is_first else reversed(lines)) + END)

    for number in range(2):
        lines = [b"X-Request-Id: %d\r\n" % number, known]
        raw = START + b"".join(lines if is_first else reversed(lines)) + END
        assert attributes_of(read_request(raw)) == attributes_of(read(raw))


class CountingParser:
    """Counts the heads that it parses."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, raw: bytes) -> RequestHead:
        """Count and parse the head."""
        self.count += 1
        return read_request(raw)


def test_varying_lines_do_not_cause_parsing() -> None:
    """A thousand requests that differ in ids and trace contexts are parsed once."""
    reader = CountingParser()
    read = HeadCache(reader)
    for number in range(1_000):
        head = read(START + b"X-Request-Id: %d\r\nTraceparent: %d\r\n" % (number, number) + END)
        assert b"%d" % number == head.fields[b"x-request-id"]

    assert 1 == reader.count


def test_lines_keep_their_order() -> None:
    """The lines of a cached head are in the order in which they came."""
    read = HeadCache(read_request)
    heads = [read(START + b"X-Request-Id: %d\r\n" % number + END) for number in range(2)]

    assert [(b"Host", b"m"), (b"X-Request-Id", b"1"), (b"Content-Length", b"3")] == list(heads[1].lines)


def test_untrusted_clients_cannot_fill_memory() -> None:
    """New heads replace cached ones, heads that are too long are not cached, and all are read correctly."""
    reader = CountingParser()
    read = HeadCache(reader)
    for number in range(1_000):
        assert b"%d" % number == read(START + b"A: %d\r\n" % number + END).fields[b"a"]
    long = START + b"A: " + b"a" * 4_000 + b"\r\n" + END
    read(long)
    read(START + END)
    read(long)

    assert 1_003 == reader.count


def test_a_repeated_name_is_read_in_full() -> None:
    """A head that has a varying name twice is parsed in full, so that the first value counts."""
    raw = START + b"X-Request-Id: 1\r\nx-request-id: 2\r\n" + END
    head = HeadCache(read_request)(raw)

    assert (b"1", 4) == (head.fields[b"x-request-id"], len(head.lines))
