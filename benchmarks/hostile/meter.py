"""A client that sends a small request every 5 ms: `python -m benchmarks.hostile.meter PORT REQUEST`.

It sends until its standard input ends, then prints one line of JSON: a list of `[due, latency]` in seconds, `due` on
the monotonic clock that all processes of the machine share. Requests are due at their moments whether or not earlier
ones have a response (open loop), so a stall delays every request that falls into it.
"""

import asyncio
import json
import selectors
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import cast

INTERVAL_SECONDS = 0.005
CONNECTIONS = 512
"""Enough for a stall of 2.5 s. In a longer one requests wait for a connection, which counts as latency."""

_LAST_SECONDS = 60.0
"""How long the last responses are waited for."""


class _Connection(asyncio.Protocol):
    """Sends one request at a time, and reads responses that have a Content-Length."""

    def __init__(self, found: list[tuple[float, float]], idle: "asyncio.Queue[_Connection]") -> None:
        self._found = found
        self._idle = idle
        self._buffered = b""
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        self._transport = cast("asyncio.Transport", transport)
        self._idle.put_nowait(self)

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at that moment."""
        self._due = due
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note the latency when the response is whole."""
        self._buffered += data
        head, separator, body = self._buffered.partition(b"\r\n\r\n")
        if not separator:
            return
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        if len(body) >= int(length):
            self._buffered = b""
            self._found.append((self._due, time.monotonic() - self._due))
            self._idle.put_nowait(self)


async def measure(port: int, request: bytes, stopped: threading.Event) -> list[tuple[float, float]]:
    """Send until it is stopped, and wait for the last response."""
    loop = asyncio.get_running_loop()
    found: list[tuple[float, float]] = []
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Connection(found, idle), "127.0.0.1", port)
    start = time.monotonic()
    for number in count():
        if stopped.is_set():
            break
        due = start + number * INTERVAL_SECONDS
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        (await idle.get()).send(request, due)
    async with asyncio.timeout(_LAST_SECONDS):
        for _ in range(CONNECTIONS):
            await idle.get()
    return found


def main() -> None:
    """Measure and print."""
    port, request, stopped = int(sys.argv[1]), Path(sys.argv[2]).read_bytes(), threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        stopped.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    # `select` waits by the microsecond, where `epoll` rounds up to a millisecond.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        sys.stdout.write(json.dumps(runner.run(measure(port, request, stopped))) + "\n")


if __name__ == "__main__":
    main()
