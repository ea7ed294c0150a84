"""A port that aiohttp serves asks for a token, hands bodies out as they came, and ends in order."""

import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientConnectionError, ClientSession, web

from driftgauge.server.control_port import ControlPort


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive")


def _refuse() -> web.Response:
    return web.Response(status=401, text="refused here")


@pytest.fixture
async def port() -> AsyncIterator[ControlPort]:
    """A port with a path that needs the token `good`, and one that is open."""
    routes = [web.post("/echo", _echo), web.get("/alive", _alive)]
    port = ControlPort(routes, lambda given: given == "Bearer good", _refuse, frozenset({"/alive"}))
    yield port
    await port.close()


async def test_a_request_without_a_token(port: ControlPort) -> None:
    """It gets the response of the caller with the challenge, also for a path that does not exist."""
    url = f"http://127.0.0.1:{await port.start('127.0.0.1', 0)}"
    async with ClientSession() as client:
        for path in ("/echo", "/nothing"):
            async with client.post(url + path, data=b"x") as response:
                expected = (401, "refused here", 'Bearer realm="driftgauge"')
                assert expected == (response.status, await response.text(), response.headers["WWW-Authenticate"])
        async with client.get(url + "/alive") as response:
            assert 200 == response.status


async def test_a_compressed_body_is_handed_out_as_it_came(port: ControlPort) -> None:
    """A body that would become a thousand times as large is not unpacked before a handler limits it."""
    url = f"http://127.0.0.1:{await port.start('127.0.0.1', 0)}/echo"
    body = gzip.compress(bytes(1_000_000))
    headers = {"Authorization": "Bearer good", "Content-Encoding": "gzip"}
    async with ClientSession() as client, client.post(url, data=body, headers=headers) as response:
        assert body == await response.read()


async def test_a_port_that_is_closed(port: ControlPort) -> None:
    """It accepts no more connections; to close one that never listened does nothing."""
    url = f"http://127.0.0.1:{await port.start('127.0.0.1', 0)}/alive"
    await port.close()
    async with ClientSession() as client:
        with pytest.raises(ClientConnectionError):
            await client.get(url)
    await ControlPort([], None, _refuse).close()
