"""The connection to Redis: a client whose calls are bounded in time, reported, and fail with one error only."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TypeVar

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import AuthenticationError, ClusterDownError, RedisClusterException, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from driftgauge.errors import ConfigError, StorageError
from driftgauge.storage.redis_access import Access, check_access
from driftgauge.storage.redis_commands import KnownCommands
from driftgauge.storage.redis_connection import UnsentError
from driftgauge.storage.redis_faults import describe
from driftgauge.storage.redis_servers import server_of
from driftgauge.storage.redis_topology import (
    Cluster,
    has_sentinels,
    look_for_master,
    make_cluster_client,
    make_master_client,
    make_server_client,
)
from driftgauge.storage.redis_url import Mode, RedisUrl, parse_redis_url, url_rule

_log = logging.getLogger(__name__)

_MASTER_SECONDS = 1.0
"""How often the Sentinels are asked who is master. What an old master accepts after a planned failover is lost."""

MAX_CONNECTIONS = 8
"""Connections of one process, for appends and reads; the server has 10,000 for all."""


def connect(url: str, timeout_seconds: float, access: Access | None = None) -> Redis | RedisCluster:
    """Make a client, which connects when it is first used.

    Args:
        url: See `redis_url`: one server, the Sentinels of a master, or nodes of a cluster.
        timeout_seconds: Longest wait for a new connection; shorter if there are several servers to try.
        access: Logins, certificates and limits.

    Raises:
        ConfigError: The URL cannot be used, or not together with `access`. The message contains no part of the URL.

    Notes:
        No command is retried here: an append that timed out may have been executed. See `BoundedRedis.run`.
    """
    access = access or Access()
    parsed = parse_redis_url(url)
    check_access(parsed, access)
    try:
        client = _MAKE[parsed.mode](parsed, access, timeout_seconds)
        if isinstance(client, RedisCluster):
            commands = KnownCommands(client.commands_parser, client.get_nodes)
            client.commands_parser = commands  # type: ignore[assignment]  # its type is private in redis-py
        else:
            client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # of redis-py; it is the first to refuse an unknown option
    except (TypeError, ValueError, RedisError, RedisClusterException):
        # without the cause, whose text may contain a part of the password
        raise ConfigError([url_rule(url)]) from None
    return client


_MAKE: dict[Mode, Callable[[RedisUrl, Access, float], Redis | RedisCluster]] = {
    Mode.SERVER: make_server_client,
    Mode.SENTINEL: make_master_client,
    Mode.CLUSTER: make_cluster_client,
}

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
    LABEL = "label"


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
        max_calls: Calls to one server that run at the same time; further ones wait for their turn. So calls to a server
            that hangs keep no other server's waiting.
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
        self._max_calls = max_calls
        self._turns: dict[str, asyncio.Semaphore] = {}

    @property
    def is_divided(self) -> bool:
        """Whether it is a cluster: some of its keys may be away while others can be read."""
        return isinstance(self.client, RedisCluster)

    async def run(
        self,
        call: Call,
        action: str,
        function: Callable[[], Awaitable[Reply]],
        *,
        key: str = "",
        repeatable: bool = False,
    ) -> Reply:
        """Run commands, bound their time, and report how they ended.

        Args:
            call: Its kind.
            action: What the commands do, as it reads after "Redis could not".
            function: Runs the commands. It may be called twice, the second time on new connections.
            key: A key of them, which says which server of a cluster they concern.
            repeatable: Whether it does no harm to run commands twice. Otherwise they are repeated only if no
                connection could be opened, so that the last command was not sent.

        Raises:
            StorageError: Redis is away, slow, or replied with an error; the cause is chained.
        """
        async with self._reported(call, action, key):
            try:
                return await function()
            except _LOST as error:
                if isinstance(error, AuthenticationError) or not (repeatable or isinstance(error, UnsentError)):
                    raise
                self._look_again(error, key)
            return await function()

    @asynccontextmanager
    async def call(self, action: str, call: Call = Call.PING, key: str = "") -> AsyncIterator[None]:
        """Bound a block that uses the client, and report how it ended. Nothing is repeated: see `run`.

        Args:
            action: What the block does, as it reads after "Redis could not".
            call: Its kind.
            key: As in `run`.

        Raises:
            StorageError: Redis is away, slow, or replied with an error; the cause is chained.
        """
        async with self._reported(call, action, key):
            yield

    async def find_servers(self, call: Call) -> None:
        """Let a cluster's client look for the servers, unless it knows them. A call that succeeds is not reported.

        Raises:
            StorageError: No server of a cluster says which ones there are.
        """
        if isinstance(self.client, RedisCluster):
            try:
                async with self._bound("say which servers there are", ""):
                    await self.client.initialize()
            except StorageError as error:
                self._report(call, error)
                raise

    async def follow_master(self) -> None:
        """Ask the Sentinels who is master, once a second until cancelled; return at once if there are none.

        An error is not reported: commands need no Sentinel as long as their connections are open.
        """
        while has_sentinels(self.client):
            await asyncio.sleep(_MASTER_SECONDS)
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    await look_for_master(self.client)
            except (TimeoutError, RedisError, OSError) as error:
                _log.debug("the Sentinels did not say who is master: %s", describe(error))

    async def close(self) -> None:
        """Close the client with all its connections. This call is not reported.

        Raises:
            StorageError: Redis is slow.
        """
        async with self._bound("close", ""):
            await self.client.aclose()

    @asynccontextmanager
    async def _reported(self, call: Call, action: str, key: str) -> AsyncIterator[None]:
        try:
            async with self._bound(action, key), self._turns_of(key):
                yield
        except StorageError as error:
            self._report(call, error)
            raise
        self._report(call, None)

    def _turns_of(self, key: str) -> asyncio.Semaphore:
        """The turns of the server of a key; those of all servers that a cluster has had are kept, which are few."""
        server = server_of(self.client, key) if key else ""
        return self._turns.get(server) or self._turns.setdefault(server, asyncio.Semaphore(self._max_calls))

    @asynccontextmanager
    async def _bound(self, action: str, key: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except TimeoutError as error:
            raise StorageError(f"Redis could not {action} within {self._timeout_seconds:g} s") from error
        except (RedisError, RedisClusterException, OSError) as error:
            self._look_again(error, key)
            text = f"Redis could not {action}: {describe(error)}"
            raise StorageError(text, may_be_done=not isinstance(error, _REFUSED)) from error

    def _look_again(self, error: Exception, key: str) -> None:
        """Let a cluster's client look for the nodes again, which its pipelines do not do by themselves."""
        if isinstance(self.client, Cluster) and isinstance(error, (*_LOST, ClusterDownError)):
            self.client.forget_topology(server_of(self.client, key) if key else "")
