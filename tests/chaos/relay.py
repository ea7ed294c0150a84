"""A TCP relay between driftgauge and its Redis, whose faults are those of a network: in a thread of this process."""

import asyncio
import contextlib
import os
import socket
import struct
import threading
from collections.abc import Coroutine
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeVar

_CHUNK_BYTES = 65_536
_START_SECONDS = 10
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time left: close sends RST
_TRICKLE_SECONDS = 1.0

T = TypeVar("T")


class Mode(StrEnum):
    """What the relay does with bytes."""

    PASS = "pass"  # noqa: S105 - no password
    BLACKHOLE = "blackhole"
    """Connections are accepted and stay open, and no byte passes."""
    TRICKLE = "one byte a second"
    """Replies of Redis pass, one byte a second on each connection."""
    GARBAGE = "garbage"
    """Each reply of Redis is replaced by as many random bytes."""


class Relay:
    """Passes bytes between its own port and another one, until the `with` block ends.

    Args:
        target: The port of the loopback address that it connects to.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._mode = Mode.PASS
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._thread.start()
        server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._server = server
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Reset all connections and stop."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set_mode(self, mode: Mode) -> None:
        """Change what happens to bytes from now on, on all connections."""
        self._run(self._set_mode(mode))

    def reset_all(self) -> int:
        """Reset the connections of all clients; returns how many there were."""
        return self._run(self._reset_all())

    def _run(self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)

    async def _set_mode(self, mode: Mode) -> None:
        self._mode = mode
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _reset_all(self) -> int:
        writers, self._writers = self._writers, set()
        for writer in writers:
            peer: socket.socket = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()
        return len(writers)

    async def _stop(self) -> None:
        self._server.close()
        await self._reset_all()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._pass_until(Mode.BLACKHOLE)
            await self._join(reader, writer)
        self._writers.discard(writer)
        writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy in both directions until one of them ends."""
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        requests = asyncio.create_task(self._copy(reader, far_writer, is_reply=False))
        replies = asyncio.create_task(self._copy(far_reader, writer, is_reply=True))
        try:
            await asyncio.wait((requests, replies), return_when=asyncio.FIRST_COMPLETED)
        finally:
            requests.cancel()
            replies.cancel()
            far_writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK_BYTES):
                await self._pass_until(Mode.BLACKHOLE)
                if is_reply:
                    await self._send_reply(data, writer)
                else:
                    writer.write(data)
                await writer.drain()

    async def _send_reply(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while data and self._mode is Mode.TRICKLE:
            writer.write(data[:1])
            data = data[1:]
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _TRICKLE_SECONDS)
        writer.write(os.urandom(len(data)) if self._mode is Mode.GARBAGE else data)

    async def _pass_until(self, stopped: Mode) -> None:
        """Return at once, or when the relay has left this mode."""
        while self._mode is stopped:
            await self._changed.wait()
