"""The proxy's output is read in one way only, whatever a client sends: by our parser and by that of aiohttp."""

import asyncio

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParserPy
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.http1.grammar import RefusedError
from driftgauge.http1.head_parser import read_request
from driftgauge.http1.writing import request_head
from tests.support.messages import ForwardedRequests, requests


@given(data=st.lists(requests(), min_size=1, max_size=3).map(b"".join))
def test_forwarded_requests_are_read_as_received(data: bytes) -> None:
    """Forwarded requests have the same targets, bodies and trailers, and forwarding them again changes nothing."""
    first = ForwardedRequests(data)
    second = ForwardedRequests(first.written)

    assert (first.shapes, first.written) == (second.shapes, second.written)


async def _read_with_aiohttp(raw: bytes) -> tuple[str, str, list[tuple[bytes, bytes]]]:
    loop = asyncio.get_running_loop()
    parser = HttpRequestParserPy(BaseProtocol(loop), loop, 2**16, max_line_size=2**17, max_field_size=2**17)
    ((message, _),), _, _ = parser.feed_data(raw)
    return message.method, message.path, list(message.raw_headers)


@given(raw=requests())
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
