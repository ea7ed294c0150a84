"""The proxy refuses odd framing and never forwards it: the test corpus through a real proxy, byte for byte."""

import pytest

from tests.support.framing import CUT, PASSED, REFUSED
from tests.support.proxied import Proxied
from tests.support.raw_client import Wire
from tests.support.upstream import OK, RawUpstream


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=REFUSED)
async def test_odd_heads_are_refused(proxy: Proxied, upstream: RawUpstream, request_bytes: bytes) -> None:
    """The client gets 400 and the end of the connection; the proxy does not even connect to the model server."""
    wire = await proxy.connect()
    wire.send(request_bytes)
    response = await wire.rest()

    assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close\r\n" in response
    assert 1 == response.count(b"HTTP/1.1 ")
    assert [] == upstream.wires


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=REFUSED)
async def test_odd_heads_are_refused_behind_sound_ones(
    proxy: Proxied, upstream: RawUpstream, request_bytes: bytes
) -> None:
    """A refused pipelined request gets its response after the request before it, the only one forwarded."""
    first = b"GET /first HTTP/1.1\r\nHost: m\r\n\r\n"
    wire = await proxy.connect()
    wire.send(first + request_bytes)

    assert OK == await wire.message()

    response = await wire.rest()
    if not request_bytes.startswith(b"\n"):
        assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")

    assert first == upstream.received


@pytest.mark.parametrize("request_bytes", CUT.values(), ids=CUT)
async def test_odd_chunks_are_refused(proxy: Proxied, upstream: RawUpstream, request_bytes: bytes) -> None:
    """The client gets 400; the model server never gets the end of that body, nor the bytes that follow it."""

    async def read(wire: Wire) -> None:
        """Read until the other end is gone."""
        await wire.gone()

    upstream.script = read
    wire = await proxy.connect()
    wire.send(request_bytes)
    response = await wire.rest()
    await upstream.open_is(0)

    assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close\r\n" in response
    assert not upstream.received.endswith(b"0\r\n\r\n")
    assert b"smuggled" not in upstream.received


@pytest.mark.parametrize(("request_bytes", "expected"), PASSED.values(), ids=PASSED)
async def test_what_is_sound_passes(
    proxy: Proxied, upstream: RawUpstream, request_bytes: bytes, expected: bytes
) -> None:
    """One valid request arrives as one request with one framing, and the next request follows it."""
    following = b"GET /next HTTP/1.1\r\nHost: m\r\n\r\n"
    wire = await proxy.connect()
    wire.send(request_bytes + following)

    assert [OK, OK] == [await wire.message(), await wire.message()]
    assert expected + following == upstream.received


@pytest.mark.parametrize(("request_bytes", "expected"), PASSED.values(), ids=PASSED)
async def test_cuts_on_the_way_change_nothing(
    proxy: Proxied, upstream: RawUpstream, request_bytes: bytes, expected: bytes
) -> None:
    """A request that comes byte by byte arrives with the same head and the same body."""
    wire = await proxy.connect()
    for at in range(len(request_bytes)):
        wire.send(request_bytes[at : at + 1])
        await wire.flush()

    assert OK == await wire.message()
    assert expected.partition(b"\r\n\r\n")[0] == upstream.received.partition(b"\r\n\r\n")[0]
