"""The data port with TLS: events arrive, and handshakes that fail are bounded and counted."""

import asyncio
import shutil
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from driftgauge.server.reloaded_files import ReloadedFiles
from driftgauge.server.tls import Contexts, HandshakeFailure, Tls, make_contexts
from tests.support.certificates import Authority
from tests.support.listening_receiver import LIMIT, ListeningReceiver, headers
from tests.support.waiting import until

BODY = b'{"instances": [[1.0, 2.0]]}'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signed the certificate `server`."""
    authority = Authority.make(tmp_path_factory.mktemp("authority"))
    authority.sign("server")
    return authority


class Port:
    """A receiver that listens with TLS.

    Args:
        directory: Where its files are: `server.pem` and `server.key`.
        client_ca: The authority of clients, if they need certificates.
        handshake_seconds: Longest time of a handshake.
    """

    def __init__(self, directory: Path, client_ca: Path | None = None, handshake_seconds: float = 10) -> None:
        cert, key = directory / "server.pem", directory / "server.key"
        self.files: ReloadedFiles[Contexts] = ReloadedFiles(
            "tls_cert_file, tls_key_file", [cert, key], lambda: make_contexts(cert, key, client_ca)
        )
        self.failures: list[HandshakeFailure] = []
        self.tls = Tls(lambda: self.files.value.data, self.failures.append, handshake_seconds)
        self.post = ListeningReceiver()
        self.number = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Port"]:
        """Listen during the block."""
        self.number = await self.post.receiver.start("127.0.0.1", 0, self.tls)
        try:
            yield self
        finally:
            await self.post.receiver.close()

    async def connect(self, context: ssl.SSLContext) -> "Client":
        """Connect with TLS."""
        return Client(*await asyncio.open_connection("127.0.0.1", self.number, ssl=context))


class Client:
    """A client with TLS.

    Args:
        reader: Its incoming bytes.
        writer: Its outgoing bytes.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def send(self, data: bytes) -> bytes:
        """Send a request; returns the status line of the response, which has no body or is the last."""
        self.writer.write(data)
        async with asyncio.timeout(20):
            return (await self._reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]

    async def rest(self) -> bytes:
        """What comes until the other end closes."""
        async with asyncio.timeout(20):
            return await self._reader.read()

    @property
    def serial(self) -> str:
        """The serial number of the server's certificate."""
        der = self.writer.get_extra_info("ssl_object").getpeercert()
        return str(der["serialNumber"])

    async def close(self) -> None:
        """End the connection."""
        self.writer.close()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)


def event(body: bytes = BODY, more: str = "", declared: int | None = None) -> bytes:
    """The bytes of an event of KServe's agent."""
    lines = [f"{name}: {value}\r\n" for name, value in headers().items()]
    length = len(body) if declared is None else declared
    head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{''.join(lines)}{more}\r\n"
    return head.encode() + body


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_events(authority: Authority, version: ssl.TLSVersion) -> None:
    """Several events on one connection are accepted, with TLS 1.2 and 1.3."""
    context = authority.client_context()
    context.minimum_version = context.maximum_version = version
    async with Port(authority.directory).listening() as port:
        client = await port.connect(context)
        assert [b"HTTP/1.1 200 OK"] * 3 == [await client.send(event()) for _ in range(3)]
        await client.close()
        assert [BODY] * 3 == [payload.body for payload in port.post.payloads]
        assert [] == port.failures


async def test_large_event(authority: Authority) -> None:
    """An event of many TLS records arrives byte for byte."""
    body = b"[" + b"1," * 500_000 + b"1]"
    async with Port(authority.directory).listening() as port:
        client = await port.connect(authority.client_context())
        assert b"HTTP/1.1 200 OK" == await client.send(event(body))
        await client.close()
        assert [body] == [payload.body for payload in port.post.payloads]


async def test_request_that_arrives_with_the_end_of_the_handshake(authority: Authority) -> None:
    """What a client sends in one piece with the last bytes of its handshake is not lost."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    async with Port(authority.directory).listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65_536))
        tls.write(event())
        writer.write(outgoing.read())
        await until(lambda: bool(port.post.payloads))
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_response_to_an_upload_that_is_refused(authority: Authority) -> None:
    """A sender of an event that is too long reads the response, although it is still sending."""
    async with Port(authority.directory).listening() as port:
        client = await port.connect(authority.client_context())
        status = await client.send(event(b"x" * (LIMIT + 100_000), declared=LIMIT + 2_000_000))
        assert b"HTTP/1.1 413 Request Entity Too Large" == status
        assert b"too long" in await client.rest()
        await client.close()


async def test_connection_close(authority: Authority) -> None:
    """After a response with `Connection: close` the connection ends."""
    async with Port(authority.directory).listening() as port:
        client = await port.connect(authority.client_context())
        assert b"HTTP/1.1 200 OK" == await client.send(event(more="Connection: close\r\n"))
        assert b"" == await client.rest()
        await client.close()


async def test_sender_that_leaves(authority: Authority) -> None:
    """An event whose sender leaves before its end is counted as incomplete, as without TLS."""
    async with Port(authority.directory).listening() as port:
        client = await port.connect(authority.client_context())
        client.writer.write(event(declared=1_000))
        await client.writer.drain()
        await client.close()
        await until(lambda: port.post.rejected("incomplete") == 1)


async def test_sender_that_resets(authority: Authority) -> None:
    """A reset within an event is counted as incomplete too."""
    async with Port(authority.directory).listening() as port:
        client = await port.connect(authority.client_context())
        client.writer.write(event(declared=1_000))
        await client.writer.drain()
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()
        await until(lambda: port.post.rejected("incomplete") == 1)
        await asyncio.gather(client.writer.wait_closed(), return_exceptions=True)


async def test_idle_connections_end_with_the_process(authority: Authority) -> None:
    """At the end an idle connection is closed."""
    async with Port(authority.directory).listening() as port:
        client = await port.connect(authority.client_context())
        await client.send(event())
        await port.post.receiver.close()
        assert b"" == await client.rest()
        await client.close()


async def _plain_http(port: Port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
    writer.write(event())
    await asyncio.gather(reader.read(), return_exceptions=True)
    writer.close()


async def _untrusting_client(port: Port) -> None:
    def connect() -> None:
        """Connect with a client that says why it leaves."""
        with socket.create_connection(("127.0.0.1", port.number)) as sock, pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")

    await asyncio.to_thread(connect)


async def _old_client(port: Port) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await port.connect(context)


async def _probe(port: Port) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port.number)
    writer.close()
    await writer.wait_closed()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize(
    ("fail", "expected"),
    [
        (_plain_http, HandshakeFailure.PROTOCOL),
        (_untrusting_client, HandshakeFailure.CERTIFICATE),
        (_old_client, HandshakeFailure.PROTOCOL),
        (_probe, HandshakeFailure.CLOSED),
    ],
)
async def test_handshakes_that_fail(
    authority: Authority, fail: Callable[[Port], Awaitable[None]], expected: HandshakeFailure
) -> None:
    """Each is counted once with its reason, and another client is served."""
    async with Port(authority.directory).listening() as port:
        await fail(port)
        await until(lambda: bool(port.failures))
        client = await port.connect(authority.client_context())
        assert b"HTTP/1.1 200 OK" == await client.send(event())
        await client.close()
        assert [expected] == port.failures


async def test_silent_client(authority: Authority) -> None:
    """A client that says nothing is disconnected when the time of its handshake is over."""
    async with Port(authority.directory, handshake_seconds=0.05).listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        await asyncio.gather(reader.read(), return_exceptions=True)
        writer.close()
        await until(lambda: [HandshakeFailure.TIMEOUT] == port.failures)


async def test_handshakes_end_with_the_process(authority: Authority) -> None:
    """A handshake that is going on when the process ends does not delay the end."""
    async with Port(authority.directory).listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await port.post.receiver.close()
            await asyncio.gather(reader.read(), return_exceptions=True)
        writer.close()


async def test_client_certificates(authority: Authority, tmp_path: Path) -> None:
    """With an authority for clients only those with a certificate of it may send."""
    other = Authority.make(tmp_path / "other").sign("client")
    async with Port(authority.directory, authority.file).listening() as port:
        good = await port.connect(authority.client_context(authority.sign("client")))
        assert b"HTTP/1.1 200 OK" == await good.send(event())
        await good.close()
        for certificate in (None, other):
            bad = await port.connect(authority.client_context(certificate))
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await bad.send(event())
            await bad.close()
        await until(lambda: len(port.failures) == 2)
        assert [HandshakeFailure.CERTIFICATE] * 2 == port.failures
        assert 1 == len(port.post.payloads)


async def test_new_files(authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """New handshakes use new files; files that do not fit leave the old ones, with one log line."""
    for name in ("server.pem", "server.key"):
        shutil.copy(authority.directory / name, tmp_path)
    new_certificate, new_key = authority.sign("renewed")
    async with Port(tmp_path).listening() as port:
        first = await port.connect(authority.client_context())
        shutil.copy(new_certificate, tmp_path / "server.pem")
        port.files.reload()
        port.files.reload()
        second = await port.connect(authority.client_context())
        assert first.serial == second.serial
        (line,) = [record.getMessage() for record in caplog.records]
        assert "server.key is not the key of" in line
        shutil.copy(new_key, tmp_path / "server.key")
        port.files.reload()
        third = await port.connect(authority.client_context())
        assert first.serial != third.serial
        assert [b"HTTP/1.1 200 OK"] * 3 == [await client.send(event()) for client in (first, second, third)]
        for client in (first, second, third):
            await client.close()
