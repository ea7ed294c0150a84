"""Connections that are renewed before a command is sent, if the server or a load balancer has closed them.

redis-py writes to a connection of its pool without looking whether it is still open. uvloop then raises a
`RuntimeError`, and asyncio loses the command. A load balancer resets every connection that is idle for some minutes.
"""

import asyncio
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


class UnsentError(RedisConnectionError):
    """No connection could be opened, so the command was not sent; the cause says why."""


_ASKING = [b"*1\r\n$6\r\nASKING\r\n"]
_asked_on: ContextVar["AbstractConnection | None"] = ContextVar("asked_on", default=None)
"""The connection on which the current task has sent ASKING, until it sends the command."""


class _Renewing(AbstractConnection):
    """A connection whose errors say whether a command may have been executed.

    Args:
        socket_timeout: Longest wait for one reply, in seconds; `None` leaves it to the caller.
        options: Those of the connection of redis-py.

    Notes:
        An error before the first byte of a command is an `UnsentError`, or an error reply of the server to the
        handshake, such as `AuthenticationError`. Any other error leaves open whether the command was executed.
        The base class would bound a send by `asyncio.wait_for`, which loses cancellations before Python 3.12.
    """

    def __init__(self, *, socket_timeout: float | None = None, **options: Any) -> None:  # noqa: ANN401 - of redis-py
        super().__init__(socket_timeout=None, **options)
        self._reply_seconds = socket_timeout
        self._opening = False
        self._shaking_hands = False

    async def connect(self) -> None:
        """Connect and introduce the client, unless the connection is open.

        Raises:
            UnsentError: The server cannot be reached, or closed the connection during the handshake.
            RedisError: The server refused the handshake.
        """
        if self._is_closed():
            await self.disconnect(nowait=True)
        if self.is_connected:
            return
        self._opening = True
        try:
            await super().connect()  # type: ignore[no-untyped-call]  # of redis-py
        except AuthenticationError:
            raise
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            where = " during the handshake" if self._shaking_hands else ""
            raise UnsentError(f"{str(error) or type(error).__name__}{where}") from error
        finally:
            self._opening = self._shaking_hands = False

    async def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - of redis-py
        """Authenticate, and select a database."""
        self._shaking_hands = True
        await super().on_connect_check_health(check_health)

    async def send_packed_command(
        self,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT001, FBT002 - of redis-py
    ) -> None:
        """Send a command on a connection that is open, on a new one if need be.

        Raises:
            RedisError: See the notes of the class.
        """
        if not self._opening:
            await self.connect()
            await self._ask_if_needed(command)
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:  # of uvloop: the transport is closed
            raise RedisConnectionError(str(error)) from error

    async def _ask_if_needed(self, command: bytes | str | Iterable[bytes]) -> None:
        """Send ASKING on this connection if the client has just sent it on another one of the same node.

        A slot that moves to another node replies ASK: the client must send ASKING and then the command again. redis-py
        takes a connection of the pool for each, and a node heeds ASKING only on the connection of the command.
        """
        if command == _ASKING:
            _asked_on.set(self)
            return
        asked_on = _asked_on.get()
        if asked_on is None:
            return
        _asked_on.set(None)
        if asked_on is not self:
            await super().send_packed_command(_ASKING, check_health=False)
            await self.read_response()

    async def check_health(self) -> None:
        """Connect again if a connection that was idle for long does not reply to PING."""
        try:
            await super().check_health()  # type: ignore[no-untyped-call]  # of redis-py
        except (RedisError, OSError):
            if self._opening:
                raise
            await self.disconnect(nowait=True)
            await self.connect()

    async def read_response(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - of redis-py
        """Read one reply. A server that has become a replica is left, so that the next command looks for the master.

        Raises:
            RedisTimeoutError: There was no reply within `socket_timeout`.
            RedisError: The connection was lost, or the reply is an error.
        """
        try:
            async with asyncio.timeout(self._reply_seconds):
                return await super().read_response(*args, **options)
        except TimeoutError:
            raise RedisTimeoutError(f"no reply from {self._host_error()} within {self._reply_seconds:g} s") from None
        except ReadOnlyError:
            self.mark_for_reconnect()  # type: ignore[no-untyped-call]  # of redis-py
            raise

    def _is_closed(self) -> bool:
        """Whether the other side has ended the connection, as far as is known here."""
        reader, writer = self._reader, self._writer
        if reader is None or writer is None:
            return False
        return writer.transport.is_closing() or reader.at_eof() or reader.exception() is not None


class _RenewingTls(_Renewing, SSLConnection):
    """A connection over TLS. Its certificates are read again for each handshake, since they may be replaced."""

    async def _connect(self) -> None:
        self.ssl_context.context = None
        await super()._connect()  # type: ignore[no-untyped-call]  # of redis-py


class RenewingConnection(_Renewing, Connection):
    """A connection over TCP."""


class RenewingSSLConnection(_RenewingTls):
    """A connection over TLS."""


class _OfMaster(_Renewing):
    """A connection that is renewed too when its pool has found another master.

    After a planned failover the old master is up, and Sentinel makes it a replica only some ten seconds later. What it
    accepts meanwhile is lost.
    """

    connection_pool: Any
    port: int

    def _is_closed(self) -> bool:
        """Whether it has ended, or leads to a master of before."""
        master = self.connection_pool.master_address
        is_old = self.is_connected and master is not None and (self.host, self.port) != master
        return is_old or super()._is_closed()


class RenewingMasterConnection(_OfMaster, SentinelManagedConnection):
    """A connection over TCP to the master that the Sentinels name."""


class RenewingMasterSSLConnection(_OfMaster, _RenewingTls, SentinelManagedSSLConnection):
    """A connection over TLS to the master that the Sentinels name."""
