"""TLS of a port: certificates from files, and handshakes that are bounded in time and number, and counted.

The handshake of a connection is begun here, and not by a server with a context, for three reasons: each connection uses
the newest certificate, a handshake that fails can be counted with its reason, and those that go on are bounded.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple, cast, final

from driftgauge.server.reloaded_files import read_file

HANDSHAKE_SECONDS: Final = 10.0
"""Longest time of a handshake, from the connection to its end."""

SHUTDOWN_SECONDS: Final = 30.0
"""How long the end of a connection waits until the client has read the rest of a response, and has ended its side."""

MAX_HANDSHAKES: Final = 512
"""Most handshakes of a port at once; each takes some 50 kB, and about 1 ms of CPU time in the end."""


class HandshakeFailure(StrEnum):
    """Why a TLS handshake failed. A closed set, since it is the value of a metric label."""

    CERTIFICATE = "certificate"
    """The client does not trust our certificate, or has none that we trust."""

    PROTOCOL = "protocol"
    """The client speaks no TLS, too old a version, or has no cipher that we have."""

    TIMEOUT = "timeout"
    """It was not complete in time."""

    CLOSED = "closed"
    """The client closed the connection. The TCP probes of Kubernetes and load balancers do."""

    TOO_MANY = "too_many"
    """Too many other handshakes were going on."""


_CERTIFICATE_REASONS: Final = ("CERTIFICATE", "UNKNOWN_CA")
"""Parts of OpenSSL's reasons that concern certificates."""


class Contexts(NamedTuple):
    """The contexts of new handshakes.

    Args:
        data: Of the data port; it may require certificates of clients.
        admin: Of the admin port, which the kubelet must reach, which has no certificate.
    """

    data: ssl.SSLContext
    admin: ssl.SSLContext


@final
class Tls:
    """The TLS of one port.

    Args:
        context: Returns the newest context.
        count: Called for each handshake that fails.
        handshake_seconds: Longest time of a handshake.
    """

    def __init__(
        self,
        context: Callable[[], ssl.SSLContext],
        count: Callable[[HandshakeFailure], None],
        handshake_seconds: float = HANDSHAKE_SECONDS,
    ) -> None:
        self._context = context
        self._count = count
        self._handshake_seconds = handshake_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    def wrap(self, make: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return what makes the protocol of a connection, which gives it to that of `make` after the handshake."""
        return lambda: _Handshake(make, self)

    async def close(self) -> None:
        """End the handshakes that are going on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, transport: asyncio.BaseTransport, make: Callable[[], asyncio.Protocol]) -> None:
        """Begin the handshake of a connection that was accepted, in a transport of its own.

        The socket is duplicated, and its first transport ended before it reads: the event loop offers no other way to
        begin TLS on a connection of a server before its first byte.
        """
        task = None
        if len(self._tasks) < MAX_HANDSHAKES:
            with suppress(OSError):  # the process has no file descriptor left
                sock = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
                sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
                task = asyncio.create_task(self._shake_hands(sock, make))
        cast("asyncio.Transport", transport).abort()
        if task is None:
            self._count(HandshakeFailure.TOO_MANY)
        else:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _shake_hands(self, sock: socket.socket, make: Callable[[], asyncio.Protocol]) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                make,
                sock,
                ssl=self._context(),
                ssl_handshake_timeout=self._handshake_seconds,
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
        except (OSError, RuntimeError) as error:  # uvloop raises RuntimeError for a closed transport
            self._count(_failure_of(error))


@final
class _Handshake(asyncio.Protocol):
    """The protocol of a connection before its handshake.

    Args:
        make: Makes the protocol of the connection after it.
        tls: That of the port.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], tls: Tls) -> None:
        self._make = make
        self._tls = tls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._tls.begin(transport, self._make)


def is_tls(transport: asyncio.BaseTransport) -> bool:
    """Whether a connection has TLS: its socket carries other bytes, and neither end can close its side alone."""
    return transport.get_extra_info("sslcontext") is not None


def make_contexts(cert: Path, key: Path, client_ca: Path | None) -> Contexts:
    """Make the contexts of new handshakes.

    Args:
        cert: Certificate chain in PEM form, that of the server first.
        key: Its private key, not encrypted.
        client_ca: Authorities, one of which must have signed the certificate of a client of the data port; `None` to
            ask for none.

    Raises:
        ValueError: A file cannot be used.
    """
    data, admin = _make_context(cert, key), _make_context(cert, key)
    if client_ca is not None:
        read_file(client_ca)
        try:
            data.load_verify_locations(client_ca)
        except ssl.SSLError:
            raise ValueError(f"{client_ca} has no certificate in PEM form") from None
        data.verify_mode = ssl.CERT_REQUIRED
    return Contexts(data, admin)


def _make_context(cert: Path, key: Path) -> ssl.SSLContext:
    read_file(cert)
    read_file(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # a session that is resumed would keep the files before
    try:
        context.load_cert_chain(cert, key, password=_refuse_encrypted)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError(f"{key} is not the key of {cert}") from None
        raise ValueError(f"{cert} and {key} are no certificate and key in PEM form") from None
    return context


def _refuse_encrypted() -> str:
    """Called by OpenSSL for the password of a key."""
    raise ValueError("the key is encrypted, and there is no option for its password")


def _failure_of(error: Exception) -> HandshakeFailure:
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        reason = error.reason or ""
        is_certificate = any(part in reason for part in _CERTIFICATE_REASONS)
        return HandshakeFailure.CERTIFICATE if is_certificate else HandshakeFailure.PROTOCOL
    if isinstance(error, ConnectionAbortedError | TimeoutError):
        return HandshakeFailure.TIMEOUT
    return HandshakeFailure.CLOSED
