"""Clients of redis-py for one server, for the master that Sentinels name, and for a cluster."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.client import Pipeline
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.lock import Lock
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, RedisClusterException

from driftgauge.storage.redis_access import Access
from driftgauge.storage.redis_connection import (
    RenewingConnection,
    RenewingMasterConnection,
    RenewingMasterSSLConnection,
    RenewingSSLConnection,
)
from driftgauge.storage.redis_url import RedisUrl

_HEALTH_CHECK_SECONDS = 30
"""A connection that was idle for longer is asked for a PONG before it is used."""

_TRIES = 2
"""Servers that can be tried within the time limit of a call, if the first one does not reply."""

_SPARE_CONNECTIONS = 2
"""Connections of a node of a cluster for each call, since those of a call that was given up are closed later."""


def make_server_client(url: RedisUrl, access: Access, timeout_seconds: float) -> Redis:
    """A client of one server."""
    host, port = url.hosts[0]
    connection = RenewingSSLConnection if url.tls else RenewingConnection
    options = _connection_options(url, access, timeout_seconds)
    pool = ConnectionPool(
        connection_class=connection, max_connections=access.max_connections, host=host, port=port, **options
    )
    return _Client.from_pool(pool)


def make_master_client(url: RedisUrl, access: Access, timeout_seconds: float) -> Redis:
    """A client of the master that Sentinels name. Each new connection asks them."""
    options = _connection_options(url, access, timeout_seconds / _TRIES)
    options["socket_timeout"] = timeout_seconds / _TRIES
    # all Sentinels but one may be away, and there must be time left for the master
    sentinel_seconds = timeout_seconds / _TRIES / len(url.hosts)
    sentinel_options = _sentinel_options(url, access, sentinel_seconds)
    sentinel = Sentinel([])  # type: ignore[no-untyped-call]  # of redis-py
    sentinel_class = RenewingSSLConnection if url.tls else RenewingConnection
    sentinel.sentinels = [
        Redis.from_pool(ConnectionPool(connection_class=sentinel_class, host=host, port=port, **sentinel_options))
        for host, port in url.hosts
    ]
    pool = _MasterPool(  # type: ignore[no-untyped-call]  # of redis-py
        url.master,
        sentinel,
        connection_class=RenewingMasterSSLConnection if url.tls else RenewingMasterConnection,
        max_connections=access.max_connections,
        **options,
    )
    return _Client.from_pool(pool)


def make_cluster_client(url: RedisUrl, access: Access, timeout_seconds: float) -> RedisCluster:
    """A client of a cluster."""
    options = _connection_options(url, access, timeout_seconds / _TRIES)
    options["socket_timeout"] = timeout_seconds / _TRIES
    connection = RenewingSSLConnection if url.tls else RenewingConnection
    nodes = [ClusterNode(host, port) for host, port in url.hosts]
    return Cluster(nodes, connection, max_connections=_SPARE_CONNECTIONS * access.max_connections, **options)


def _connection_options(url: RedisUrl, access: Access, timeout_seconds: float) -> dict[str, Any]:
    """The arguments of each connection to a server that stores something."""
    options = dict(url.options)
    login = access.login
    if not login.username:
        login = replace(login, username=options.pop("username", ""))
    return {
        **login.options(),
        **options,
        **(access.tls_options() if url.tls else {}),
        "client_name": access.client_name or None,
        **_common_options(timeout_seconds),
    }


def _sentinel_options(url: RedisUrl, access: Access, timeout_seconds: float) -> dict[str, Any]:
    """The arguments of each connection to a Sentinel."""
    tls = {name: value for name, value in url.options.items() if name.startswith("ssl_")} | access.tls_options()
    return {
        **access.sentinel_login.options(),
        **(tls if url.tls else {}),
        "socket_timeout": timeout_seconds,
        **_common_options(timeout_seconds),
    }


def _common_options(timeout_seconds: float) -> dict[str, Any]:
    """The protocol is RESP2, which every server and proxy supports; no reply that is used here differs in RESP3."""
    return {
        "socket_connect_timeout": timeout_seconds,
        "health_check_interval": _HEALTH_CHECK_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,  # CLIENT SETINFO would need a right of its own
        "protocol": 2,
    }


class _Script(AsyncScript):
    """A script that is sent again as text to the one server that does not know it.

    redis-py would load it on all primaries of a cluster, of which one may be away, and needs a right and a round trip
    more for it.
    """

    async def __call__(
        self,
        keys: Sequence[Any] | None = None,
        args: Iterable[Any] | None = None,
        client: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - as in the base class
        """Run the script, and return its reply."""
        client = client or self.registered_client
        if isinstance(client, Pipeline):
            return await super().__call__(keys, args, client)
        arguments = (len(keys or ()), *(keys or ()), *(args or ()))
        try:
            return await client.evalsha(self.sha, *arguments)
        except NoScriptError:
            return await client.eval(self.script, *arguments)


class _Lock(Lock):
    """A lock with scripts of its own. redis-py keeps those of the first client that had a lock for all others."""

    lua_release = lua_extend = lua_reacquire = None


class _Client(Redis):
    """A client of one server, or of the master that Sentinels name."""

    def lock(self, *args: Any, **options: Any) -> Lock:  # noqa: ANN401 - of redis-py
        """Make a lock."""
        return super().lock(*args, **{"lock_class": _Lock, **options})

    def register_script(self, script: str) -> AsyncScript:  # type: ignore[override]  # of the mixin for both clients
        """Make a function of a script."""
        return _Script(self, script)


class _MasterPool(SentinelConnectionPool):
    """The connections to the master. It closes those to the Sentinels too."""

    async def get_master_address(self) -> tuple[str, int]:
        """Ask the Sentinels.

        Raises:
            MasterNotFoundError: None knows a master that is up, or a host is no Sentinel.
            RedisError: A Sentinel refuses to say.
        """
        try:
            address: tuple[str, int] = await super().get_master_address()  # type: ignore[no-untyped-call]  # of redis-py
        except (TypeError, KeyError, ValueError, IndexError) as error:  # of a reply of another shape
            raise MasterNotFoundError(f"No master found for {self.service_name!r}: a host is no Sentinel") from error
        return address

    async def aclose(self) -> None:
        """Close all connections."""
        await super().aclose()
        await self.sentinel_manager.aclose()


def has_sentinels(client: Redis | RedisCluster) -> bool:
    """Whether Sentinels name the master of a client."""
    return isinstance(client, Redis) and isinstance(client.connection_pool, _MasterPool)


async def look_for_master(client: Redis | RedisCluster) -> None:
    """Ask the Sentinels who is master now, so that the next commands go there; do nothing for other clients.

    Raises:
        RedisError: No Sentinel replies, or none knows a master that is up. Connections stay as they are.
    """
    if isinstance(client, Redis) and isinstance(client.connection_pool, _MasterPool):
        await client.connection_pool.get_master_address()


class Cluster(RedisCluster):
    """A client of a cluster that looks for its nodes again after each lost connection.

    Args:
        nodes: Nodes by which the others are found.
        connection_class: Opens each connection.
        options: Arguments of `RedisCluster`.
    """

    def __init__(
        self,
        nodes: list[ClusterNode],
        connection_class: type[RenewingConnection | RenewingSSLConnection],
        **options: Any,  # noqa: ANN401 - of redis-py
    ) -> None:
        seconds = options.pop("socket_timeout")
        options.pop("driver_info")
        # with each fifth MOVED redis-py would close all connections, those that wait for a reply too
        super().__init__(startup_nodes=nodes, driver_info=None, reinitialize_steps=0, **options)
        self._failed_node = ""
        # redis-py lets callers choose the class of a pool's connections, but not of a cluster's
        self.connection_kwargs |= {"connection_class": connection_class, "socket_timeout": seconds}
        for node in self.startup_nodes:
            node.connection_class = connection_class
            node.connection_kwargs["socket_timeout"] = seconds

    def register_script(self, script: str) -> AsyncScript:  # type: ignore[override]  # of the mixin for both clients
        """Make a function of a script."""
        return _Script(self, script)

    def lock(self, *args: Any, **options: Any) -> Lock:  # noqa: ANN401 - of redis-py
        """Make a lock."""
        return super().lock(*args, **{"lock_class": _Lock, **options})

    def forget_topology(self, failed_node: str = "") -> None:
        """Ask the nodes for their slots before the next command. Commands that wait for a reply are not disturbed.

        Args:
            failed_node: The name of the node that has not replied. It is asked last, since all wait for the reply.
        """
        self._failed_node = failed_node or self._failed_node
        self._initialize = True

    async def initialize(self, *args: Any, **options: Any) -> "Cluster":  # noqa: ANN401 - of redis-py
        """Ask the nodes for their slots, unless they are known.

        Raises:
            RedisClusterException: No node that is known replies, or the cluster does not cover all slots. The next
                call also asks the nodes of the URL, whose names may have other addresses by then.
        """
        try:
            await super().initialize(*args, **{"last_failed_node_name": self._failed_node or None, **options})
        except RedisClusterException:
            for node in self.startup_nodes:
                self.nodes_manager.startup_nodes.setdefault(node.name, node)
            raise
        return self
