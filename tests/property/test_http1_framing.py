"""The proxy's output is read in one way only, whatever a client sends: by our parser and by that of aiohttp."""

import asyncio

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParserPy
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.http1.grammar import Framing, HeaderList, RefusedError
from driftgauge.http1.head_parser import read_request
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.requests import RequestReader
from driftgauge.http1.writing import request_head
from tests.support.framing import CUT, PASSED, REFUSED

CORPUS = [*REFUSED.values(), *CUT.values(), *(sent for sent, _ in PASSED.values())]
NAMES = st.sampled_from(
    [
        b"Host",
        b"host",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"Upgrade",
        b"Trailer",
        b"Expect",
        b"X",
        b"x ",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [b"m", b"0", b"3", b"chunked", b"close", b"keep-alive", b"host", b"content-length", b"\tchunked", b""]
    ),
    st.binary(max_size=6),
)
LINES = st.lists(st.tuples(NAMES, st.sampled_from([b": ", b":", b" : ", b":\t"]), VALUES), max_size=5)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])
BODIES = st.one_of(st.sampled_from([b"", b"abc", b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"]), st.binary(max_size=12))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Byte strings like requests, some of them from the corpus with a few bytes changed."""
    if draw(st.booleans()):
        raw = bytearray(draw(st.sampled_from(CORPUS)))
        for _ in range(draw(st.integers(0, 2))):
            raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
        return bytes(raw)
    lines = b"".join(name + colon + value + draw(ENDS) for name, colon, value in draw(LINES))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    return b"POST / HTTP/" + version + b"\r\nHost: m\r\n" + lines + b"\r\n" + draw(BODIES)


class Forward:
    """Forwards requests as an exchange does, and records the shape of each.

    Args:
        data: What a client sends.
    """

    def __init__(self, data: bytes) -> None:
        self.written = b""
        self.shapes: list[tuple[bytes, bytes, bytes, HeaderList]] = []
        self._requests = RequestReader(self._handle)
        try:
            self._requests.feed(data)
        except RefusedError:
            return

    def _handle(self, head: RequestHead) -> "Forward":
        self._head, self._body, self._pending = head, b"", request_head(head, "u:1")
        self._framing = Framing.CHUNKED if head.length is None else Framing.LENGTH
        return self

    def on_body(self, data: bytes) -> None:
        """Frame the data."""
        self._body += data
        self._pending += self._framing.frame(data)

    def on_request_end(self, trailers: HeaderList) -> None:
        """Record complete requests only."""
        self.written += self._pending + self._framing.end(trailers)
        self.shapes.append((self._head.method, self._head.target, self._body, list(trailers)))
        self._requests.finish_request()

    def on_framing_error(self) -> None:
        """Discard the request."""

    def flush(self) -> None:
        """Do nothing, since nothing is buffered."""


@given(data=st.lists(messages(), min_size=1, max_size=3).map(b"".join))
def test_forwarded_requests_are_read_as_received(data: bytes) -> None:
    """Forwarded requests have the same targets, bodies and trailers, and forwarding them again changes nothing."""
    first = Forward(data)
    second = Forward(first.written)

    assert (first.shapes, first.written) == (second.shapes, second.written)


async def _read_with_aiohttp(raw: bytes) -> tuple[str, str, list[tuple[bytes, bytes]]]:
    loop = asyncio.get_running_loop()
    parser = HttpRequestParserPy(BaseProtocol(loop), loop, 2**16, max_line_size=2**17, max_field_size=2**17)
    ((message, _),), _, _ = parser.feed_data(raw)
    return message.method, message.path, list(message.raw_headers)


@given(raw=messages())
def test_heads_are_read_as_by_aiohttp(raw: bytes) -> None:
    """The parser of aiohttp refuses a head that we accept, or reads the same method, target and lines."""
    head_bytes = raw[: raw.find(b"\r\n\r\n") + 4]
    try:
        head = read_request(head_bytes)
    except RefusedError:
        return
    try:
        method, target, lines = asyncio.run(_read_with_aiohttp(request_head(head, "u:1")))
    except HttpProcessingError:
        return
    again = read_request(request_head(head, "u:1"))

    assert (head.method, head.target) == (method.encode(), target.encode())
    assert again.lines == lines
    assert head.length == again.length
