"""A server that receives events as a chained logger does, records each byte, and has faults."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ERROR = b"HTTP/1.1 500 Error\r\nContent-Length: 2\r\n\r\nno"
CLOSE = b""
"""No response: the connection is closed."""

HANG = None
"""No response, for as long as the server runs."""

Respond = Callable[[int], bytes | None]
"""Returns the response to a request, given how many came before it."""


@dataclass
class EventServer:
    """A server on a port of the loopback address.

    Args:
        respond: Returns each response.

    Attributes:
        port: Where it listens.
        heads: The heads that were received, byte for byte.
        bodies: The bodies.
        connections: How many were accepted.
    """

    respond: Respond = lambda _: OK
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Its URL, with a path and a query."""
        return f"http://127.0.0.1:{self.port}/events?tenant=a"

    @property
    def shown(self) -> str:
        """Its URL as the value of a label."""
        return f"http://127.0.0.1:{self.port}/events"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["EventServer"]:
        """Listen during the block."""
        ended = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Handle one connection."""
            self.connections += 1
            if (task := asyncio.current_task()) is not None:
                tasks.add(task)
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    while await self._exchange(reader, writer, ended):
                        pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            ended.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ended: asyncio.Event) -> bool:
        """Handle one request; returns whether the connection may carry another."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        number = len(self.heads)
        self.heads.append(head)
        self.bodies.append(body)
        response = self.respond(number)
        if response is HANG:
            await ended.wait()
            return False
        writer.write(response)
        await writer.drain()
        return response != CLOSE
