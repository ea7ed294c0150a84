"""Sends requests and checks answers: `python -m benchmarks.load PORT REQUEST... [options]`; prints one line of JSON.

Bounded in count and time. Closed loop: each of some connections sends its next request when the last is answered. Open
loop (`--rate`): requests begin at their moments whether or not others are answered, and a latency is counted from the
moment at which its request was due, so that a stall counts for all that it held up.
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
"""Where the id of each request stands."""

_SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Odd, so that no two numbers share an id. They begin with the time, so that no two runs do."""

_QUANTILES = (0.5, 0.9, 0.99)
_TIMEOUT_SECONDS = 120.0


class Load:
    """Requests that are sent, and what became of them.

    Args:
        requests: Their bytes, with or without a mark for an id; they take turns, and one turn of all has one id.
        total: How many.
    """

    def __init__(self, requests: Sequence[bytes], total: int) -> None:
        self._parts = [request.partition(_MARK) for request in requests]
        self.left = total
        self._start = time.time_ns()
        self.open = total
        self.latencies: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes:
        """One that is not like the others, if it has an id."""
        self.left -= 1
        turn, which = divmod(self.left, len(self._parts))
        before, mark, after = self._parts[which]
        return before + (b"%032x" % ((self._start + turn) * _SPREAD % 2**128) if mark else b"") + after

    def responded(self, seconds: float) -> None:
        """One more."""
        self.latencies.append(seconds)
        self.open -= 1
        if self.open == 0 and not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        """Give all up."""
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


class Connection(asyncio.Protocol):
    """Asks for one thing at a time.

    Args:
        load: What it asks for.
        idle: Where it waits when it has nothing to do.
    """

    def __init__(self, load: Load, idle: deque["Connection"]) -> None:
        self._load = load
        self._idle = idle
        self._buffered = b""
        self._end: int | None = None
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)
        self._idle.append(self)

    def ask(self, begun: float) -> None:
        """Send a request that was due at that moment."""
        self._begun = begun
        self._transport.write(self._load.next_request())

    def data_received(self, data: bytes) -> None:
        """Reads an answer."""
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
        self._load.responded(time.perf_counter() - self._begun)
        self.rested()

    def rested(self) -> None:
        """A closed loop asks again."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody may leave before the end."""
        self._load.fail(f"a connection was lost: {exc}")

    def _read_head(self) -> bool:
        """Where the answer ends; 0 if its chunks tell it."""
        head_end = self._buffered.find(b"\r\n\r\n")
        if head_end < 0:
            return False
        head = self._buffered[:head_end].lower()
        if not head.startswith(b"http/1.1 200"):
            self._load.fail(f"an answer was not 200: {self._buffered[:200]!r}")
            return False
        found = head.find(b"\r\ncontent-length:")
        self._end = 0 if found < 0 else head_end + 4 + int(head[found + 17 :].split(b"\r\n", 1)[0])
        return True


class ClosedConnection(Connection):
    """Asks again as soon as it is answered."""

    def rested(self) -> None:
        """Ask, if there is something left."""
        if self._load.left > 0:
            self._idle.remove(self)
            self.ask(time.perf_counter())


class LoadArguments(Protocol):
    """What is asked for: see the options."""

    port: int
    requests: Sequence[Path]
    connections: int
    count: int
    rate: float


def measured(arguments: LoadArguments) -> dict[str, float]:
    """Send it all; see `_measured`."""
    # `select` waits by the microsecond, where `epoll` would begin each request up to a millisecond late.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(_measured(arguments))


async def _measured(arguments: LoadArguments) -> dict[str, float]:
    """Send it all; seconds that it took, quantiles of the latencies."""
    loop = asyncio.get_running_loop()
    load, idle = Load([path.read_bytes() for path in arguments.requests], arguments.count), deque[Connection]()
    kind = Connection if arguments.rate else ClosedConnection
    made = [
        await loop.create_connection(lambda: kind(load, idle), "127.0.0.1", arguments.port)
        for _ in range(arguments.connections)
    ]
    try:
        seconds = await _seconds(arguments, load, idle)
    finally:
        for transport, _ in made:
            transport.close()
        await asyncio.sleep(0)
    ordered = sorted(load.latencies)
    quantiles = {f"p{100 * level:g}": ordered[int(level * (len(ordered) - 1))] for level in _QUANTILES}
    return {"seconds": seconds, "count": arguments.count, "max": ordered[-1], **quantiles}


async def _seconds(arguments: LoadArguments, load: Load, idle: deque[Connection]) -> float:
    """Send it all, and wait for the last answer."""
    start = time.perf_counter()
    if arguments.rate:
        await _at_a_rate(load, idle, arguments.rate)
    else:
        for connection in list(idle)[: arguments.count]:
            idle.remove(connection)
            connection.ask(time.perf_counter())
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        await load.done
    return time.perf_counter() - start


async def _at_a_rate(load: Load, idle: deque[Connection], rate: float) -> None:
    start = time.perf_counter()
    for number in range(load.left):
        due = start + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        while not idle and not load.done.done():  # noqa: ASYNC110 - the request is late, and its latency says so
            await asyncio.sleep(0)
        if load.done.done():
            return
        idle.popleft().ask(due)


def main() -> None:
    """Send what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("requests", type=Path, nargs="+", help="files with bytes of requests; 32 @ stand for an id")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: as fast as they are answered")
    sys.stdout.write(json.dumps(measured(cast("LoadArguments", parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
