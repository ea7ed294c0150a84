"""Bodies of any length are forwarded as they come, without delay and with bounded memory."""

import asyncio
import hashlib
from pathlib import Path

from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, body_of
from tests.support.upstream import OK, RawUpstream

GET = b"GET /stream HTTP/1.1\r\nHost: m\r\n\r\n"
PIECE = bytes(range(256)) * 256
LARGE_BYTES = 100 * 1024 * 1024
FLAT_BYTES = 32 * 1024 * 1024
KERNEL_BYTES = 64 * 1024
LEAD_BYTES = 24 * 1024 * 1024
"""Linux buffers some 10 MB in the sockets of each of the two connections; a proxy without a bound buffers all."""


def _resident_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


async def test_events_are_not_buffered(proxy: Proxied, upstream: RawUpstream) -> None:
    """Each server-sent event reaches the client before the model server sends the next."""
    seen = asyncio.Semaphore(0)

    async def send_events(wire: Wire) -> None:
        """Send each event after the client has received the last one."""
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            wire.send(b"9\r\ndata: %d\n\n\r\n" % number)
            await seen.acquire()
        wire.send(b"0\r\n\r\n")

    upstream.script = send_events
    wire = await proxy.connect()
    wire.send(GET)
    await wire.head()
    for number in range(5):
        assert b"9\r\ndata: %d\n\n\r\n" % number == await wire.exactly(14)
        seen.release()

    assert b"0\r\n\r\n" == await wire.exactly(5)


async def test_head_is_not_buffered(proxy: Proxied, upstream: RawUpstream) -> None:
    """The head of a response reaches the client before any of its body exists."""
    seen = asyncio.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

    async def head_first(wire: Wire) -> None:
        """Send the body after the client has received the head."""
        await wire.head()
        wire.send(head)
        await seen.wait()
        wire.send(b"hi")

    upstream.script = head_first
    wire = await proxy.connect()
    wire.send(GET)

    assert head == await wire.head()

    seen.set()

    assert b"hi" == await wire.exactly(2)


async def _run_loop(number: int) -> None:
    """Run the event loop several times, so that a side without back pressure would run ahead."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_large_download_takes_no_memory(proxy: Proxied, upstream: RawUpstream) -> None:
    """A download of 100 MB is complete while the process grows by less than 32 MB."""
    sent, received = hashlib.sha256(), hashlib.sha256()

    async def send_large(wire: Wire) -> None:
        """Send as fast as the other end reads."""
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE_BYTES)
        for _ in range(LARGE_BYTES // len(PIECE)):
            wire.send(PIECE)
            sent.update(PIECE)
            await wire.flush()

    upstream.script = send_large
    before, left = _resident_bytes(), LARGE_BYTES
    wire = await proxy.connect()
    wire.send(GET)
    await wire.head()
    while left:
        data = await wire.some()
        left -= len(data)
        received.update(data)

    assert sent.digest() == received.digest()
    assert _resident_bytes() - before < FLAT_BYTES


async def test_large_upload_takes_no_memory(proxy: Proxied, upstream: RawUpstream) -> None:
    """An inference with a body of 100 MB is forwarded while the process grows by less than 32 MB."""
    sent, received = hashlib.sha256(), hashlib.sha256()

    async def read_large(wire: Wire) -> None:
        """Read as fast as the bytes come."""
        await wire.head()
        left = LARGE_BYTES
        while left:
            data = await wire.some()
            left -= len(data)
            received.update(data)
        wire.send(OK)

    upstream.script = read_large
    before = _resident_bytes()
    wire = await proxy.connect()
    wire.send(b"POST /v2/models/wine/infer HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n" % LARGE_BYTES)
    for _ in range(LARGE_BYTES // len(PIECE)):
        wire.send(PIECE)
        sent.update(PIECE)
        await wire.flush()

    assert OK == await wire.message()
    assert sent.digest() == received.digest()
    assert _resident_bytes() - before < FLAT_BYTES
    await proxy.counted("200")

    assert LARGE_BYTES == proxy.total("driftgauge_request_bytes_total")
    assert 1 == proxy.total("driftgauge_payloads_total", kind="request", reason="too_large")


async def test_slow_client_slows_the_model_server(proxy: Proxied, upstream: RawUpstream) -> None:
    """The model server is never ahead of a slow client by more than the buffers of the kernel and the proxy."""
    sent = 0

    async def send_as_fast_as_possible(wire: Wire) -> None:
        """Count the bytes that could be sent."""
        nonlocal sent
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE_BYTES)
        while sent < LARGE_BYTES:
            wire.send(PIECE)
            await wire.flush()
            sent += len(PIECE)

    upstream.script = send_as_fast_as_possible
    wire = await proxy.connect(buffer_bytes=KERNEL_BYTES)
    wire.send(GET)
    await wire.head()
    received = lead = 0
    for _ in range(200):
        await _run_loop(20)
        received += len(await wire.some())
        lead = max(lead, sent - received)

    assert received < LEAD_BYTES
    assert lead < LEAD_BYTES


async def test_slow_client_gets_all_of_an_unending_body(proxy: Proxied, upstream: RawUpstream) -> None:
    """A slow client gets the whole body though the model server has closed long before."""

    async def send_and_close(wire: Wire) -> None:
        """Send all at once and close."""
        await wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\n\r\n" + PIECE * 128)

    upstream.script = send_and_close
    wire = await proxy.connect(buffer_bytes=KERNEL_BYTES)
    wire.send(GET)
    message = await wire.head()
    while not message.endswith(b"\r\n0\r\n\r\n"):
        await _run_loop(5)
        message += await wire.some()

    assert PIECE * 128 == body_of(message)


async def test_slow_model_server_slows_the_client(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client is never ahead of a slow model server by more than the buffers of the kernel and the proxy."""
    sent = received = lead = 0
    done = asyncio.Event()

    async def read_slowly(wire: Wire) -> None:
        """Read little, and rarely."""
        nonlocal received, lead
        await wire.head()
        for _ in range(200):
            await _run_loop(20)
            received += len(await wire.some(16384))
            lead = max(lead, sent - received)
        done.set()

    async def send_as_fast_as_possible(wire: Wire) -> None:
        """Count the bytes that could be sent."""
        nonlocal sent
        wire.send(b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n" % LARGE_BYTES)
        while True:
            wire.send(PIECE)
            await wire.flush()
            sent += len(PIECE)

    upstream.script = read_slowly
    wire = await proxy.connect()
    sending = asyncio.create_task(send_as_fast_as_possible(wire))
    await asyncio.wait_for(done.wait(), 30)
    sending.cancel()

    assert received < LEAD_BYTES
    assert lead < LEAD_BYTES
