"""A relay between a client and a server of a test, which can reset, hold and refuse connections as networks do."""

import asyncio
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Self

_LINGER_ZERO = struct.pack("ii", 1, 0)  # a close sends RST
_CHUNK = 65_536


class TcpRelay:
    """Relays each connection to a port of the loopback address until the `async with` block ends.

    Args:
        target_port: Where the server listens.

    Attributes:
        accepted: Connections so far.
        refusals: How many of the next connections are reset as soon as they are open.
        forwarded: Set when bytes of a client were passed on; a test may clear it.
        port: Where the relay listens.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.accepted = 0
        self.refusals = 0
        self.forwarded = asyncio.Event()
        self.port = 0

    async def __aenter__(self) -> Self:
        """The listening relay."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        await self.reset()

    async def reset(self) -> None:
        """Reset every open connection, and return when both sides are gone here."""
        for writer in self._writers:
            _reset(writer)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self) -> None:
        """End every open connection in order, as a server does with clients that are idle."""
        for writer in list(self._writers):
            writer.close()
        await asyncio.gather(*list(self._tasks), return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refusals:
            self.refusals -= 1
            _reset(writer)
            return
        task = asyncio.create_task(self._relay(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        pair = (writer, server_writer)
        self._writers.update(pair)
        pumps = [
            asyncio.create_task(_pump(reader, server_writer, self.forwarded.set)),
            asyncio.create_task(_pump(server_reader, writer, lambda: None)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._writers.difference_update(pair)
            for one in pair:
                one.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_forwarded: Callable[[], object]) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
        on_forwarded()
