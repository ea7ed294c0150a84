"""The way to Redis: a client, a bound for all that is asked of it, and one error for all that goes wrong on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from driftgauge.errors import ConfigError, StorageError

_MAX_CONNECTIONS = 8  # appends and reads of one process; the server has 10,000 for all
_HEALTH_CHECK_SECONDS = 30  # a connection idle for longer is asked for a PONG before it is used
_URL_RULE = (
    "redis_url: must be redis://[user:password@]host[:port][/db] or rediss://..., "
    "a query holds ssl_ options alone, and reserved characters of a password are percent-encoded"
)


def connect(url: str, timeout_seconds: float, password: str | None = None) -> Redis:
    """A client that connects when it is first used; its commands are to be `bounded`.

    Args:
        url: `redis://` or `rediss://` (TLS).
        timeout_seconds: Longest wait for a connection, or for a free place in the pool.
        password: Used where the URL has none.

    Raises:
        ConfigError: The URL cannot be used; the sentence shows no part of it.

    Notes:
        Nothing is tried twice: an append that timed out may have been done.
        RESP2, since no reply here differs in RESP3 and every server and proxy speaks it.
    """
    try:
        _check(url)
        pool = BlockingConnectionPool.from_url(
            url,
            password=password,
            timeout=timeout_seconds,
            socket_timeout=None,  # redis-py keeps it with asyncio.wait_for, which loses cancellations before 3.12
            socket_connect_timeout=timeout_seconds,
            max_connections=_MAX_CONNECTIONS,
            health_check_interval=_HEALTH_CHECK_SECONDS,
            client_name="driftgauge",
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py; an unknown option shows itself only here
    except (TypeError, ValueError, RedisError):
        # without the cause: its text may quote a part of the password
        raise ConfigError([_URL_RULE]) from None
    return Redis.from_pool(pool)


def _check(url: str) -> None:
    parts = urlsplit(url)
    options = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if parts.scheme not in {"redis", "rediss"} or not all(name.startswith("ssl_") for name in options):
        raise ValueError


@asynccontextmanager
async def bounded(deed: str, timeout_seconds: float) -> AsyncIterator[None]:
    """Let the block talk with Redis for a bounded time in all.

    Args:
        deed: What is asked, as it reads after "Redis could not".
        timeout_seconds: Bound of the whole block.

    Raises:
        StorageError: Redis is away, slow, or answered with a failure; the cause is chained.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            yield
    except TimeoutError as error:
        raise StorageError(f"Redis could not {deed} within {timeout_seconds:g} s") from error
    except (RedisError, OSError) as error:
        raise StorageError(f"Redis could not {deed}: {error}") from error
