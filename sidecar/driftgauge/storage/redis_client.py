"""The connection to Redis: a client whose calls are bounded in time, reported, and fail with one error only."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisClusterException, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from driftgauge.errors import ConfigError, StorageError
from driftgauge.storage.redis_connection import RenewingConnection, RenewingSSLConnection, UnsentError
from driftgauge.storage.redis_faults import describe

MAX_CONNECTIONS = 8
"""Connections of one process, for appends and reads; the server has 10,000 for all."""

_HEALTH_CHECK_SECONDS = 30  # a connection idle for longer is asked for a PONG before it is used
_URL_RULE = (
    "redis_url: must be redis://[user:password@]host[:port][/db] or rediss://..., "
    "a query holds ssl_ options alone, and reserved characters of a password are percent-encoded"
)


def connect(url: str, timeout_seconds: float, password: str | None = None) -> Redis:
    """Make a client, which connects when it is first used.

    Args:
        url: `redis://` or `rediss://` (TLS).
        timeout_seconds: Longest wait for a new connection, or for a free connection of the pool.
        password: Used if the URL contains none.

    Raises:
        ConfigError: The URL cannot be used. The message contains no part of the URL.

    Notes:
        No command is retried: an append that timed out may have been executed.
        The protocol is RESP2, which every server and proxy supports. None of the replies used here differs in RESP3.
    """
    try:
        _check(url)
        pool = BlockingConnectionPool.from_url(
            url,
            password=password,
            timeout=timeout_seconds,
            socket_timeout=None,  # redis-py would use asyncio.wait_for, which loses cancellations before Python 3.12
            socket_connect_timeout=timeout_seconds,
            max_connections=MAX_CONNECTIONS,
            health_check_interval=_HEALTH_CHECK_SECONDS,
            client_name="driftgauge",
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        tls = urlsplit(url).scheme == "rediss"
        pool.connection_class = RenewingSSLConnection if tls else RenewingConnection
        pool.make_connection()  # type: ignore[no-untyped-call]  # an untyped method of redis-py; it is the first to refuse an unknown option
    except (TypeError, ValueError, RedisError):
        # without the cause, whose text may contain a part of the password
        raise ConfigError([_URL_RULE]) from None
    return Redis.from_pool(pool)


def _check(url: str) -> None:
    parts = urlsplit(url)
    options = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if parts.scheme not in {"redis", "rediss"} or not all(name.startswith("ssl_") for name in options):
        raise ValueError


_LOST = (RedisConnectionError, RedisTimeoutError, OSError)
"""Errors of connections, unlike those that Redis replies."""

_REFUSED = (UnsentError, AuthenticationError, ResponseError)
"""Errors that say that the last command was not executed."""


Reply = TypeVar("Reply")


class Call(StrEnum):
    """The kinds of calls: what does not work if they fail. A closed set, since it is the value of a metric label."""

    PING = "ping"
    LIST = "list"
    APPEND = "append"
    READ = "read"
    PAIR = "pair"
    UNPAIRED = "unpaired"
    LOAD = "load"
    SAVE = "save"
    LEASE = "lease"
    RESULT = "result"
    REFERENCE = "reference"


Report = Callable[[Call, StorageError | None], None]
"""Called after every call to Redis, with the error if it failed."""


def _ignore(call: Call, error: StorageError | None) -> None:
    pass


class BoundedRedis:
    """A client whose calls are bounded in time and in number, and reported.

    Args:
        client: Replies with bytes. It is closed by `close`.
        timeout_seconds: Time limit of one call, the wait for its turn and its repetition included.
        report: Called after every call.
        max_calls: Calls that run at the same time; further ones wait for their turn.
    """

    def __init__(
        self,
        client: Redis | RedisCluster,
        timeout_seconds: float,
        report: Report = _ignore,
        max_calls: int = MAX_CONNECTIONS,
    ) -> None:
        self.client = client
        self._timeout_seconds = timeout_seconds
        self._report = report
        self._turns = asyncio.Semaphore(max_calls)

    async def run(
        self, call: Call, action: str, function: Callable[[], Awaitable[Reply]], *, repeatable: bool = False
    ) -> Reply:
        """Run commands, bound their time, and report how they ended.

        Args:
            call: Its kind.
            action: What the commands do, as it reads after "Redis could not".
            function: Runs the commands. It may be called twice, the second time on new connections.
            repeatable: Whether it does no harm to run commands twice. Otherwise they are repeated only if no
                connection could be opened, so that the last command was not sent.

        Raises:
            StorageError: Redis is away, slow, or replied with an error; the cause is chained.
        """
        async with self._reported(call, action):
            try:
                return await function()
            except _LOST as error:
                if isinstance(error, AuthenticationError) or not (repeatable or isinstance(error, UnsentError)):
                    raise
            return await function()

    @asynccontextmanager
    async def call(self, action: str, call: Call = Call.PING) -> AsyncIterator[None]:
        """Bound a block that uses the client, and report how it ended. Nothing is repeated: see `run`.

        Args:
            action: What the block does, as it reads after "Redis could not".
            call: Its kind.

        Raises:
            StorageError: Redis is away, slow, or replied with an error; the cause is chained.
        """
        async with self._reported(call, action):
            yield

    async def close(self) -> None:
        """Close the client with all its connections. This call is not reported.

        Raises:
            StorageError: Redis is slow.
        """
        async with self._bound("close"):
            await self.client.aclose()

    @asynccontextmanager
    async def _reported(self, call: Call, action: str) -> AsyncIterator[None]:
        try:
            async with self._bound(action), self._turns:
                yield
        except StorageError as error:
            self._report(call, error)
            raise
        self._report(call, None)

    @asynccontextmanager
    async def _bound(self, action: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except TimeoutError as error:
            raise StorageError(f"Redis could not {action} within {self._timeout_seconds:g} s") from error
        except (RedisError, RedisClusterException, OSError) as error:
            text = f"Redis could not {action}: {describe(error)}"
            raise StorageError(text, may_be_done=not isinstance(error, _REFUSED)) from error
