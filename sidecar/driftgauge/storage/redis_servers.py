"""The servers of a Redis Cluster: what concerns several keys is asked of each server alone, side by side.

A server that hangs then holds up only what is stored there.
"""

from collections.abc import Sequence

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.exceptions import SlotNotCoveredError


def server_of(client: Redis | RedisCluster, key: str) -> str:
    """The name of the server of a key, as far as is known; empty if there is only one, or none is known."""
    if not isinstance(client, RedisCluster):
        return ""
    try:
        node = client.get_node_from_key(key)
    except SlotNotCoveredError:  # also before the client has asked for the servers
        return ""
    return "" if node is None else node.name


def group_by_server(client: Redis | RedisCluster, keys: Sequence[str]) -> list[list[int]]:
    """The indexes of keys, a list for each server. A cluster's client must know its servers, else there is one list."""
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(server_of(client, key), []).append(index)
    return list(groups.values())


def primaries_of(client: Redis | RedisCluster) -> list[ClusterNode | None]:
    """The servers that have rows, as far as is known; `None` for the only one of a client that is no cluster's."""
    return [*client.get_primaries()] if isinstance(client, RedisCluster) else [None]
