"""A small model server with faults, as a process: `python -m tests.chaos.model PORT`.

`POST /fault` with the name of a fault in its body sets what happens to later predictions; `GET /executed` returns how
many requests it has computed.
"""

import asyncio
import contextlib
import http.client
import json
import socket
import struct
import sys
from enum import StrEnum

SLOW_SECONDS = 2.0

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ModelFault(StrEnum):
    """What the model does wrong."""

    NONE = "none"
    SLOW = "slow"
    """It responds after two seconds."""
    RESETTING = "resetting"
    """It computes a request that comes on a connection that was used before, and resets the connection."""
    CLOSING = "closing"
    """It closes each connection after a response, without saying so in the response."""


class _Model:
    """The state of the server."""

    def __init__(self) -> None:
        self.fault = ModelFault.NONE
        self.executed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to the requests of one connection."""
        served = 0
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._respond(reader, writer, served):
                served += 1
        writer.transport.abort()

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, served: int) -> bool:
        """Respond to one request; returns whether the connection stays open."""
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_content_length(head))
        path = head.split(b" ", 2)[1]
        if path == b"/fault":
            self.fault = ModelFault(body.decode())
            return await _write(writer, b"{}")
        if not head.startswith(b"POST"):
            return await _write(writer, str(self.executed).encode() if path == b"/executed" else b"{}")
        self.executed += 1
        if self.fault is ModelFault.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if self.fault is ModelFault.RESETTING and served:
            peer: socket.socket = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return False
        await _write(writer, prediction(body))
        if self.fault is ModelFault.CLOSING:
            writer.close()
            await writer.wait_closed()
            return False
        return True


def prediction(body: bytes) -> bytes:
    """The response to a request of one row: the row's first value."""
    return json.dumps({"predictions": [json.loads(body)["instances"][0][0]]}).encode()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def _write(writer: asyncio.StreamWriter, body: bytes) -> bool:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True


def call(port: int, method: str, path: str, body: bytes = b"") -> bytes:
    """Call the model server, on a connection of its own; returns the body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body)
        return connection.getresponse().read()
    finally:
        connection.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_Model().serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
