"""The proxy starts, drains and closes without losing requests or leaking tasks."""

import asyncio

import pytest

from driftgauge.errors import ConfigError
from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, lines_of, post
from tests.support.upstream import OK, RawUpstream

INFER = "/v2/models/wine/infer"
GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"


async def test_drain_lets_requests_end(proxy: Proxied, upstream: RawUpstream) -> None:
    """While draining, exchanges are completed, their connections end, and no new connection is accepted."""
    working, go_on = asyncio.Event(), asyncio.Event()

    async def work(wire: Wire) -> None:
        """Respond when the test says so."""
        await wire.message()
        working.set()
        await go_on.wait()
        wire.send(OK)

    upstream.script = work
    busy, idle = await proxy.connect(), await proxy.connect()
    busy.send(post(INFER, b"{}"))
    await asyncio.wait_for(working.wait(), 10)
    draining = asyncio.create_task(proxy.drain(30))

    assert b"" == await idle.rest()
    with pytest.raises(ConnectionRefusedError):
        await proxy.connect()

    go_on.set()
    response = await busy.rest()
    await asyncio.wait_for(draining, 10)

    assert lines_of(OK) == lines_of(response)
    assert b"\r\nConnection: close\r\n" in response
    assert 1 == proxy.total("request_count", code="200")


async def test_drain_lets_uploads_end(proxy: Proxied, upstream: RawUpstream) -> None:
    """While draining, the rest of a request body is read to its end."""
    begun = asyncio.Event()

    async def read(wire: Wire) -> None:
        """Report the start of the request, then read the rest."""
        await wire.head()
        begun.set()
        await wire.exactly(4)
        wire.send(OK)

    upstream.script = read
    wire = await proxy.connect()
    wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 4\r\n\r\nbo")
    await asyncio.wait_for(begun.wait(), 10)
    draining = asyncio.create_task(proxy.drain(30))
    await asyncio.sleep(0)
    wire.send(b"dy")

    assert lines_of(OK) == lines_of(await wire.rest())
    await asyncio.wait_for(draining, 10)


async def test_drain_has_a_limit(upstream: RawUpstream, caplog: pytest.LogCaptureFixture) -> None:
    """`close` ends exchanges that exceed the drain limit, counts and logs them, and leaves no connection."""
    working = asyncio.Event()

    async def hang(wire: Wire) -> None:
        """Never respond."""
        await wire.message()
        working.set()
        await wire.gone()

    upstream.script = hang
    async with Proxied(upstream.port) as proxy:
        wire = await proxy.connect()
        wire.send(post(INFER, b"{}"))
        await asyncio.wait_for(working.wait(), 10)
        await proxy.drain(0.01)
        await proxy.close()

        assert ["requests that were cut off at the end of drain_timeout_seconds: 1"] == caplog.messages
        assert "reset" == await wire.gone()
        assert 1 == proxy.total("request_count", code="503")
        await upstream.open_is(0)


async def test_nothing_is_left(upstream: RawUpstream) -> None:
    """After `close` the proxy has no task, no idle connection and no client."""
    before = asyncio.all_tasks()
    async with Proxied(upstream.port) as proxy:
        idle = await proxy.connect()
        for _ in range(3):
            idle.send(GET)

            assert OK == await idle.message()

        await asyncio.gather(*(proxy.ask(GET) for _ in range(5)))
        await proxy.close()

        assert "closed" == (await idle.gone()).replace("reset", "closed")
        await upstream.open_is(0)

    assert before == asyncio.all_tasks()


async def test_clients_do_not_wait_for_each_other(proxy: Proxied, upstream: RawUpstream) -> None:
    """Two hundred concurrent requests are all forwarded before the first of them gets its response."""
    waiting, everybody = 0, asyncio.Event()

    async def wait_for_everybody(wire: Wire) -> None:
        """Respond when all requests have come."""
        nonlocal waiting
        await wire.message()
        waiting += 1
        if waiting == 200:
            everybody.set()
        await everybody.wait()
        wire.send(OK)

    upstream.script = wait_for_everybody
    responses = await asyncio.gather(*(proxy.ask(post(INFER, b"{}")) for _ in range(200)))

    assert [OK] * 200 == responses
    await proxy.counted("200", 200)


async def test_internal_error(upstream: RawUpstream, caplog: pytest.LogCaptureFixture) -> None:
    """An error in the proxy itself is a 500 in KServe's form and one line with a traceback in the log."""

    def broken_clock() -> float:
        """Raise an error."""
        raise OverflowError("the clock broke")

    async with Proxied(upstream.port, clock=broken_clock) as proxy:
        response = await proxy.ask(post(INFER, b"{}"))

        assert response.startswith(b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n")
        assert OK == await proxy.ask(GET)

    assert ["an exchange failed because of a bug in driftgauge"] == caplog.messages


async def test_internal_error_after_the_response(upstream: RawUpstream, caplog: pytest.LogCaptureFixture) -> None:
    """An error in the recorder does not cost the response: it is logged, and the connection serves the next request."""
    readings = iter([0.0])

    def clock_that_breaks() -> float:
        """Return the time once."""
        return next(readings)

    async with Proxied(upstream.port, clock=clock_that_breaks) as proxy:
        wire = await proxy.connect()
        wire.send(post(INFER, b"{}"))

        assert OK == await wire.message()

        wire.send(GET)

        assert OK == await wire.message()

    assert ["an exchange failed because of a bug in driftgauge"] == caplog.messages


@pytest.mark.parametrize("url", ["", "127.0.0.1:8085", "grpc://127.0.0.1:8085", "http://"])
def test_invalid_url(url: str) -> None:
    """An invalid address of the model server raises `ConfigError` at the start."""
    with pytest.raises(ConfigError, match="upstream_url must look like"):
        Proxied(0, url=url)
