"""Random bytes from either side harm no other connection and leave no task or connection."""

import asyncio

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, post
from tests.support.upstream import OK, RawUpstream, responding

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
INFER = post("/v2/models/wine/infer", b"{}")

LINES = st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20)), max_size=8).map(
    lambda lines: b"".join(b"%b:%b\r\n" % line for line in lines),
)

CLIENT_NOISE = st.one_of(
    st.binary(max_size=200),
    LINES.map(lambda lines: b"GET / HTTP/1.1\r\nHost: m\r\n" + lines + b"\r\n"),
    st.binary(max_size=60).map(lambda body: b"POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n" + body),
    st.binary(max_size=60).map(lambda target: b"GET /" + target + b" HTTP/1.1\r\nHost: m\r\n\r\n"),
)

SERVER_NOISE = st.one_of(
    st.binary(max_size=200),
    LINES.map(lambda lines: b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n"),
    st.binary(max_size=60).map(lambda body: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body),
    st.integers(-1, 1100).map(lambda status: b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status),
)


@settings(max_examples=60, deadline=None)
@given(noise=CLIENT_NOISE)
@example(noise=b"GET / HTTP/1.1\r\nHost: m\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x00\xff")
def test_noise_of_clients(noise: bytes) -> None:
    """Any bytes get a response or end their connection; the next request is served; no task or connection is left."""
    asyncio.run(_endure_client(noise))


@settings(max_examples=60, deadline=None)
@given(noise=SERVER_NOISE)
def test_noise_of_model_servers(noise: bytes) -> None:
    """Whatever a model server sends, its client gets a response or is disconnected; the request is counted once."""
    asyncio.run(_endure_server(noise))


async def _endure_client(noise: bytes) -> None:
    async with RawUpstream() as upstream:
        async with Proxied(upstream.port) as proxy:
            tasks = len(asyncio.all_tasks())
            wire = await proxy.connect()
            wire.send(noise)
            wire.finish()
            await wire.gone()
            await wire.drop()

            assert OK == await proxy.ask(GET)

            await _tasks_are(tasks, upstream)
        await upstream.open_is(0)


async def _endure_server(noise: bytes) -> None:
    async def babble(wire: Wire) -> None:
        """Send the noise and close."""
        await wire.message()
        wire.send(noise)

    async with RawUpstream(babble) as upstream:
        async with Proxied(upstream.port) as proxy:
            tasks = len(asyncio.all_tasks())
            wire = await proxy.connect()
            wire.send(INFER.replace(b"Host: model\r\n", b"Host: model\r\nConnection: close\r\n"))
            await wire.gone()
            await wire.drop()

            assert 1 == proxy.total("request_count")
            assert 0 == proxy.total("driftgauge_requests_in_flight")

            upstream.script = responding(OK)

            assert OK == await proxy.ask(INFER)

            await _tasks_are(tasks, upstream)
        await upstream.open_is(0)


async def _tasks_are(number: int, upstream: RawUpstream) -> None:
    """Wait until no tasks are left except those of the model server's open connections."""
    async with asyncio.timeout(10):
        while len(asyncio.all_tasks()) > number + upstream.open_connections:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
