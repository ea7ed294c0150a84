"""Redis with replicas: under Sentinel, and as a Cluster of six nodes."""

from collections.abc import Iterator
from typing import Any, cast

from redis import Redis, RedisCluster
from redis.cluster import ClusterNode
from redis.crc import key_slot
from redis.sentinel import Sentinel

from tests.support.redis_cluster import RedisCluster as ClusterServers
from tests.support.redis_sentinel import MASTER, RedisSentinel
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until


class WithSentinel(RedisSentinel):
    """A master, its replica and three Sentinels."""

    def client(self) -> Redis:
        """A client that asks the Sentinels for the master."""
        sentinels: Any = Sentinel([("127.0.0.1", one.port) for one in self.sentinels])  # type: ignore[no-untyped-call] # redis-py's
        return cast("Redis", sentinels.master_for(MASTER))

    def fail_over(self) -> None:
        """Let a Sentinel make the replica the master, while the old master lives."""
        old = self.master
        self.command(self.sentinels[0], "SENTINEL", "FAILOVER", MASTER)
        self.wait_for_failover(old)


class Cluster(ClusterServers):
    """Three primaries and three replicas."""

    def client(self) -> Redis:
        """A client of the whole cluster."""
        nodes = [ClusterNode("127.0.0.1", node.port) for node in self.nodes]  # type: ignore[no-untyped-call] # redis-py's
        return cast("Redis", RedisCluster(startup_nodes=nodes))

    def replica_of(self, primary: RedisServer) -> RedisServer:
        """The replica of a primary."""
        (ports,) = [[int(one[1]) for one in role[2]] for role in [self.command(primary, "ROLE")]]
        return next(node for node in self.nodes if node.port in ports)

    def fail_over(self, slot: int) -> None:
        """Kill the primary of a slot, and wait until its replica has taken its place."""
        old = self.owner(slot)
        old.kill()
        self.wait_for_failover(old, slot)

    def hand_over(self, slot: int) -> None:
        """Let the replica of a slot's primary take its place, while both live."""
        old = self.owner(slot)
        self.command(self.replica_of(old), "CLUSTER", "FAILOVER")
        wait_until(lambda: self.owner(slot) is not old, "another primary")

    def other_primary(self, slot: int) -> RedisServer:
        """A primary that does not have the slot."""
        owner = self.owner(slot)
        return next(node for node in self.nodes if node is not owner and self.command(node, "ROLE")[0] == b"master")


def slots(streams: Iterator[str]) -> list[int]:
    """The slots of keys, each once."""
    return sorted({key_slot(stream.encode()) for stream in streams})
