"""Looks names up in a thread of one target, so that a name server that hangs delays no other target."""

import socket
from typing import final

from aiohttp.abc import AbstractResolver, ResolveResult

from driftgauge.concurrency.worker import Worker


@final
class OwnResolver(AbstractResolver):
    """Resolves the name of one target with the system's resolver."""

    def __init__(self) -> None:
        self._worker = Worker("resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            OSError: There are none.
        """
        flags = socket.AI_ADDRCONFIG
        found = await self._worker.run(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, flags)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=one_family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for one_family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Let the thread end."""
        self._worker.close()
