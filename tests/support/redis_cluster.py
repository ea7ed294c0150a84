"""A real Redis Cluster of a test: six nodes, three of them primaries, on free ports of the loopback address."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from redis import Redis

from tests.support.ports import free_port_of_cluster
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

SLOTS = 16_384
_PRIMARIES = 3
_NODES = 6


class RedisCluster:
    """A cluster that runs until the `with` block ends.

    Args:
        options: Further options of each node.
        node_timeout_milliseconds: Time without a reply after which a node counts as failed.
        password: That of the default user, if `options` set one.
    """

    def __init__(self, *options: str, node_timeout_milliseconds: int = 1000, password: str | None = None) -> None:
        self._password = password
        timeout = ("--cluster-node-timeout", str(node_timeout_milliseconds))
        config = ("--cluster-enabled", "yes", *timeout, "--cluster-replica-validity-factor", "0")
        quick = ("--repl-diskless-sync-delay", "0")
        self.nodes = [
            RedisServer(*config, *quick, *options, port=port)
            for port in sorted(free_port_of_cluster() for _ in range(_NODES))
        ]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """The cluster, when all slots are served and every primary has its replica."""
        try:
            for node in self.nodes:
                self._stack.enter_context(node)
            self._form()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all nodes, in whatever state they are."""
        self._stack.close()

    @property
    def url(self) -> str:
        """The address, with the first three nodes."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:_PRIMARIES])

    def command(self, node: RedisServer, *command: object) -> Any:  # noqa: ANN401 - as the client
        """The reply of a node to a command."""
        with Redis.from_url(node.url, password=self._password, socket_timeout=10) as client:
            return client.execute_command(*command)

    def id(self, node: RedisServer) -> str:
        """The id of a node."""
        return _text(self.command(node, "CLUSTER", "MYID"))

    def owner(self, slot: int) -> RedisServer:
        """The primary of a slot, as the first node that runs knows it."""
        first = next(node for node in self.nodes if node.running)
        port = self._owner_port(first, slot)
        return next(node for node in self.nodes if node.port == port)

    def wait_for_failover(self, old: RedisServer, slot: int) -> None:
        """Wait until another node is the primary of a slot, after its old one was killed or paused."""
        alive = [node for node in self.nodes if node is not old and node.running]

        def serves() -> bool:
            """Whether every other node knows the new primary."""
            states = [_text(self.command(node, "CLUSTER", "INFO")) for node in alive]
            return all("cluster_state:ok" in state for state in states) and all(
                self._owner_port(node, slot) != old.port for node in alive
            )

        wait_until(serves, "a new primary")

    def begin_migration(self, slot: int, target: RedisServer) -> None:
        """Mark a slot as under way to another primary. Its keys are still where they were."""
        source = self.owner(slot)
        self.command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", self.id(source))
        self.command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", self.id(target))

    def move_keys(self, slot: int, target: RedisServer) -> None:
        """Move the keys of a slot that is under way."""
        source = self.owner(slot)
        keys = self.command(source, "CLUSTER", "GETKEYSINSLOT", slot, 1000)
        if keys:
            self.command(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)

    def end_migration(self, slot: int, target: RedisServer) -> None:
        """Give a slot to another primary."""
        source = self.owner(slot)
        for node in (target, source):
            self.command(node, "CLUSTER", "SETSLOT", slot, "NODE", self.id(target))

    def _form(self) -> None:
        for number, node in enumerate(self.nodes):
            self.command(node, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for other in self.nodes[:number]:
                self.command(node, "CLUSTER", "MEET", "127.0.0.1", other.port)
        for number in range(_PRIMARIES):
            slots = range(number * SLOTS // _PRIMARIES, (number + 1) * SLOTS // _PRIMARIES)
            self.command(self.nodes[number], "CLUSTER", "ADDSLOTS", *slots)
        wait_until(lambda: all(self._known(node) == _NODES for node in self.nodes), "nodes that know each other")
        for number, node in enumerate(self.nodes[_PRIMARIES:]):
            self.command(node, "CLUSTER", "REPLICATE", self.id(self.nodes[number]))
        wait_until(self._serves, "a cluster that serves")

    def _owner_port(self, node: RedisServer, slot: int) -> int | None:
        for first, last, primary, *_ in self.command(node, "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return int(primary[1])
        return None

    def _known(self, node: RedisServer) -> int:
        lines = _text(self.command(node, "CLUSTER", "NODES")).splitlines()
        return sum("handshake" not in line for line in lines)

    def _serves(self) -> bool:
        primaries = [self.command(node, "ROLE") for node in self.nodes[:_PRIMARIES]]
        states = [_text(self.command(node, "CLUSTER", "INFO")) for node in self.nodes]
        return all(len(role[2]) == 1 for role in primaries) and all("cluster_state:ok" in state for state in states)


def _text(reply: object) -> str:
    return reply.decode() if isinstance(reply, bytes) else str(reply)
