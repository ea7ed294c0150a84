"""One end of a TCP connection that sends and receives exact bytes, and clients built on it."""

import asyncio
import select
import socket
import struct
from typing import Self, cast

DEADLINE_SECONDS = 20
"""The longest wait in a test before it fails."""

LIMIT_BYTES = 1024 * 1024
"""The limit of bytes that an end reads ahead, and of those that it records."""


class Wire:
    """One end of a connection.

    Args:
        reader: Its incoming bytes.
        writer: Its outgoing bytes.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.received = b""

    @classmethod
    async def connect(cls, port: int, buffer_bytes: int | None = None) -> Self:
        """A client's end; `buffer_bytes` bounds what the kernel receives before it is read."""
        sock = socket.socket()
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        if buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except OSError:
            sock.close()
            raise
        return cls(*await asyncio.open_connection(sock=sock, limit=buffer_bytes or LIMIT_BYTES))

    def send(self, data: bytes) -> None:
        """Hand bytes to the socket without waiting."""
        self._writer.write(data)

    async def flush(self) -> None:
        """Wait until most of the sent bytes have left."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self._writer.drain()

    async def until(self, mark: bytes) -> bytes:
        """The bytes up to and including the mark."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            return self._note(await self._reader.readuntil(mark))

    async def exactly(self, size: int) -> bytes:
        """The next `size` bytes."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            return self._note(await self._reader.readexactly(size))

    async def some(self, size: int = 65536) -> bytes:
        """The bytes that have come, at least one; empty at the end of the connection."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            return self._note(await self._reader.read(size))

    async def rest(self) -> bytes:
        """The bytes until the other end closes.

        Raises:
            ConnectionResetError: The other end reset the connection.
        """
        async with asyncio.timeout(DEADLINE_SECONDS):
            return self._note(await self._reader.read())

    async def head(self) -> bytes:
        """The next head, including the empty line."""
        return await self.until(b"\r\n\r\n")

    async def message(self, *, bodiless: bool = False) -> bytes:
        """The next complete message as it was on the wire: of known length or chunked.

        Args:
            bodiless: Whether the message has no body, whatever its head says.
        """
        head = await self.head()
        if bodiless:
            return head
        if b"\r\ntransfer-encoding:" in head.lower():
            return head + await self._chunks()
        return head + await self.exactly(length_of(head))

    async def unread(self) -> None:
        """Wait until bytes have come that this end has not read, and never will."""
        cast("asyncio.Transport", self._writer.transport).pause_reading()
        poll = select.poll()
        poll.register(self._writer.get_extra_info("socket").fileno(), select.POLLIN)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not poll.poll(0):  # noqa: ASYNC110 - the event loop does not watch what it does not read
                await asyncio.sleep(0)

    async def gone(self) -> str:
        """Wait until the other end is gone, and return `closed` or `reset`."""
        try:
            while await self.some():
                continue
        except ConnectionError:
            return "reset"
        return "closed"

    def finish(self) -> None:
        """Shut down the sending side only."""
        self._writer.write_eof()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return

    def reset(self) -> None:
        """End the connection with a reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def drop(self) -> None:
        """Reset the connection if it is still open, and wait until it is closed."""
        if not self._writer.transport.is_closing():
            self.reset()
        await self.close()

    async def _chunks(self) -> bytes:
        body = b""
        while True:
            size = await self.until(b"\r\n")
            body += size
            if int(size.split(b";")[0], 16) == 0:
                break
            body += await self.exactly(int(size.split(b";")[0], 16) + 2)
        line = await self.until(b"\r\n")
        while line != b"\r\n":
            body += line
            line = await self.until(b"\r\n")
        return body + line

    def _note(self, data: bytes) -> bytes:
        self.received += data[: max(0, LIMIT_BYTES - len(self.received))]
        return data


def length_of(head: bytes) -> int:
    """The `Content-Length` of a head; 0 if it has none."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def lines_of(head: bytes) -> list[bytes]:
    """The lines of a head except those that belong to one connection alone."""
    own = (b"connection:", b"keep-alive:", b"trailer:", b"proxy-connection:", b"upgrade:")
    return [line for line in head.split(b"\r\n\r\n")[0].split(b"\r\n") if not line.lower().startswith(own)]


def body_of(message: bytes) -> bytes:
    """The body of a complete message, without the framing of chunks."""
    head, _, rest = message.partition(b"\r\n\r\n")
    if b"\r\ntransfer-encoding:" not in head.lower():
        return rest
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return body
        body, rest = body + rest[:length], rest[length + 2 :]
    raise ValueError("the last chunk is missing")


async def ask(port: int, request: bytes, *, bodiless: bool = False) -> bytes:
    """The response to one request on a new connection, as it was on the wire."""
    wire = await Wire.connect(port)
    try:
        wire.send(request)
        return await wire.message(bodiless=bodiless)
    finally:
        await wire.drop()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST of known length.

    Args:
        path: The request target.
        body: The request body.
        *headers: Further header lines.
    """
    lines = [f"POST {path} HTTP/1.1", "Host: model", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
