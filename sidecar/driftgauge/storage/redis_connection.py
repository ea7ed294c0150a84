"""Connections that are renewed before a command is sent, if the server or a load balancer has closed them.

redis-py writes to a connection of its pool without looking whether it is still open. uvloop then raises a
`RuntimeError`, and asyncio loses the command. A load balancer resets every connection that is idle for some minutes.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


class UnsentError(RedisConnectionError):
    """No connection could be opened, so the command was not sent; the cause says why."""


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
            raise UnsentError(str(error) or type(error).__name__) from error
        finally:
            self._opening = False

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
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:  # of uvloop: the transport is closed
            raise RedisConnectionError(str(error)) from error

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


class RenewingConnection(_Renewing, Connection):
    """A connection over TCP."""


class RenewingSSLConnection(_Renewing, SSLConnection):
    """A connection over TLS."""
