"""The connection to Redis: a client whose calls are bounded in time, reported, and fail with one error only."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from driftgauge.errors import ConfigError, StorageError
from driftgauge.storage.redis_connection import RenewingConnection, RenewingSSLConnection

_MAX_CONNECTIONS = 8  # appends and reads of one process; the server has 10,000 for all
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
            max_connections=_MAX_CONNECTIONS,
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


Report = Callable[[bool], None]
"""Called after every call to Redis: true if Redis replied without an error."""


def _ignore(_: bool) -> None:  # noqa: FBT001 the signature is `Report`
    pass


class BoundedRedis:
    """A client whose calls are bounded in time and reported.

    Args:
        client: Replies with bytes. It is closed by `close`.
        timeout_seconds: Time limit of one `call`.
        report: Called after every `call`.
    """

    def __init__(self, client: Redis | RedisCluster, timeout_seconds: float, report: Report = _ignore) -> None:
        self.client = client
        self._timeout_seconds = timeout_seconds
        self._report = report

    @asynccontextmanager
    async def call(self, action: str) -> AsyncIterator[None]:
        """Bound a block that uses the client, and report how it ended.

        Args:
            action: What the block does, as it reads after "Redis could not".

        Raises:
            StorageError: Redis is away, slow, or replied with an error; the cause is chained.
        """
        try:
            async with self._bound(action):
                yield
        except StorageError:
            self._report(False)  # noqa: FBT003 the callable's only argument
            raise
        self._report(True)  # noqa: FBT003

    async def close(self) -> None:
        """Close the client with all its connections. This call is not reported.

        Raises:
            StorageError: Redis is slow.
        """
        async with self._bound("close"):
            await self.client.aclose()

    @asynccontextmanager
    async def _bound(self, action: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except TimeoutError as error:
            raise StorageError(f"Redis could not {action} within {self._timeout_seconds:g} s") from error
        except (RedisError, RedisClusterException, OSError) as error:
            raise StorageError(f"Redis could not {action}: {error}") from error
