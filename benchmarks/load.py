"""Sends requests and checks responses: `python -m benchmarks.load PORT REQUEST... [options]`; prints one line of JSON.

Bounded in count and time. Closed loop: each connection sends its next request after the response to the last one. Open
loop (`--rate`): requests start at fixed times, whether or not others have their response, and a latency counts from the
time at which its request was due, so that a stall counts for every request that it delays.
"""

import argparse
import asyncio
import json
import selectors
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

_MARK = b"@" * 32
"""Placeholder for the id of a request."""

_SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Factor that makes ids from numbers. It is odd, so different numbers have different ids. The numbers start at the time
of the run, so different runs have different ids too."""

_QUANTILES = (0.5, 0.9, 0.99)
_TIMEOUT_SECONDS = 120.0


class Load:
    """Requests to send, and their latencies.

    Args:
        requests: Their bytes, with or without placeholders for an id; they are sent in turn.
        total: Number of requests.
        together: How many requests that follow each other have the same id.
    """

    def __init__(self, requests: Sequence[bytes], total: int, together: int = 1) -> None:
        self._parts = [request.split(_MARK) for request in requests]
        self._together = together
        self.left = total
        self._start = time.time_ns()
        self.open = total
        self.latencies: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes:
        """The next request, with a new id in place of each placeholder."""
        self.left -= 1
        number = self._start + self.left // self._together
        return (b"%032x" % (number * _SPREAD % 2**128)).join(self._parts[self.left % len(self._parts)])

    def record_response(self, seconds: float) -> None:
        """Record one latency."""
        self.latencies.append(seconds)
        self.open -= 1
        if self.open == 0 and not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        """End the load with an error."""
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


class Connection(asyncio.Protocol):
    """Sends one request at a time.

    Args:
        load: The requests.
        idle: The connections that wait for a request; it adds itself.
    """

    def __init__(self, load: Load, idle: deque["Connection"]) -> None:
        self._load = load
        self._idle = idle
        self._buffered = b""
        self._end: int | None = None
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Add this connection to the idle ones."""
        self._transport = cast("asyncio.Transport", transport)
        self._idle.append(self)

    def send(self, begun: float) -> None:
        """Send the next request, which was due at that time."""
        self._begun = begun
        self._transport.write(self._load.next_request())

    def data_received(self, data: bytes) -> None:
        """Read a response."""
        self._buffered = self._buffered + data if self._buffered else data
        if self._end is None and not self._read_head():
            return
        if self._end == 0:
            if not self._buffered.endswith(b"0\r\n\r\n"):
                return
        elif len(self._buffered) < (self._end or 0):
            return
        self._buffered, self._end = b"", None
        self._idle.append(self)
        self._load.record_response(time.perf_counter() - self._begun)
        self.became_idle()

    def became_idle(self) -> None:
        """Do nothing; a closed loop sends its next request here."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail: no connection may close before the end."""
        self._load.fail(f"a connection was lost: {exc}")

    def _read_head(self) -> bool:
        """Find the end of the response, 0 if it is chunked; returns whether the head is complete."""
        head_end = self._buffered.find(b"\r\n\r\n")
        if head_end < 0:
            return False
        head = self._buffered[:head_end].lower()
        if not head.startswith(b"http/1.1 200"):
            self._load.fail(f"a response was not 200: {self._buffered[:200]!r}")
            return False
        found = head.find(b"\r\ncontent-length:")
        self._end = 0 if found < 0 else head_end + 4 + int(head[found + 17 :].split(b"\r\n", 1)[0])
        return True


class ClosedConnection(Connection):
    """Sends the next request as soon as it has a response."""

    def became_idle(self) -> None:
        """Send the next request, if there is one."""
        if self._load.left > 0:
            self._idle.remove(self)
            self.send(time.perf_counter())


class LoadArguments(Protocol):
    """The options of the command line."""

    port: int
    requests: Sequence[Path]
    connections: int
    count: int
    rate: float
    together: int


def measure(arguments: LoadArguments) -> dict[str, float]:
    """Send all requests; see `_measure`."""
    # `select` waits with microsecond precision; with `epoll` each request would start up to a millisecond late.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(_measure(arguments))


async def _measure(arguments: LoadArguments) -> dict[str, float]:
    """Send all requests; returns the duration and quantiles of the latencies, in seconds."""
    loop = asyncio.get_running_loop()
    requests = [path.read_bytes() for path in arguments.requests]
    load, idle = Load(requests, arguments.count, arguments.together), deque[Connection]()
    kind = Connection if arguments.rate else ClosedConnection
    connections = [
        await loop.create_connection(lambda: kind(load, idle), "127.0.0.1", arguments.port)
        for _ in range(arguments.connections)
    ]
    try:
        seconds = await _send_all(arguments, load, idle)
    finally:
        for transport, _ in connections:
            transport.close()
        await asyncio.sleep(0)
    ordered = sorted(load.latencies)
    quantiles = {f"p{100 * level:g}": ordered[int(level * (len(ordered) - 1))] for level in _QUANTILES}
    return {"seconds": seconds, "count": arguments.count, "max": ordered[-1], **quantiles}


async def _send_all(arguments: LoadArguments, load: Load, idle: deque[Connection]) -> float:
    """Send all requests, and wait for the last response; returns the duration in seconds."""
    start = time.perf_counter()
    if arguments.rate:
        await _send_at_rate(load, idle, arguments.rate)
    else:
        for connection in list(idle)[: arguments.count]:
            idle.remove(connection)
            connection.send(time.perf_counter())
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        await load.done
    return time.perf_counter() - start


async def _send_at_rate(load: Load, idle: deque[Connection], rate: float) -> None:
    start = time.perf_counter()
    for number in range(load.left):
        due = start + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        while not idle and not load.done.done():  # noqa: ASYNC110 - the request is late, and its latency shows that
            await asyncio.sleep(0)
        if load.done.done():
            return
        idle.popleft().send(due)


def main() -> None:
    """Send the requests of the command line, and print the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument(
        "requests", type=Path, nargs="+", help="files with the bytes of requests; 32 @ are a placeholder for an id"
    )
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: as fast as responses arrive")
    parser.add_argument("--together", type=int, default=1, help="requests that follow each other with the same id")
    sys.stdout.write(json.dumps(measure(cast("LoadArguments", parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
