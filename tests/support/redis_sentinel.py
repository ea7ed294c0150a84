"""A real master of Redis with a replica and three Sentinels, on free ports of the loopback address."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from redis import Redis

from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

MASTER = "mymaster"
_SENTINELS = 3


class RedisSentinel:
    """Two servers and three Sentinels that run until the `with` block ends.

    Args:
        options: Further options of both servers.
        sentinel_config: Further lines of the configuration of each Sentinel.
        down_milliseconds: Time without a reply after which the master counts as down.
        passwords: Those of the servers and of the Sentinels, if the options set them.
    """

    def __init__(
        self,
        *options: str,
        sentinel_config: str = "",
        down_milliseconds: int = 500,
        passwords: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self._passwords = passwords
        self.servers = [RedisServer(*options, "--repl-diskless-sync-delay", "0", port=free_port()) for _ in range(2)]
        first = self.servers[0].port
        config = (
            f"sentinel monitor {MASTER} 127.0.0.1 {first} 2\n"
            f"sentinel down-after-milliseconds {MASTER} {down_milliseconds}\n"
            f"sentinel failover-timeout {MASTER} 3000\n{sentinel_config}\n"
        )
        self.sentinels = [
            RedisServer("--sentinel", port=free_port(), config=config, ready=b"+monitor") for _ in range(_SENTINELS)
        ]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """All of it, when the Sentinels know each other and the replica."""
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes, in whatever state they are."""
        self._stack.close()

    @property
    def url(self) -> str:
        """The address, with all Sentinels."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.sentinels)}/{MASTER}"

    @property
    def master(self) -> RedisServer:
        """The master, as the first Sentinel that runs knows it."""
        sentinel = next(one for one in self.sentinels if one.running)
        port = int(self.command(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1])
        return next(server for server in self.servers if server.port == port)

    def wait_for_failover(self, old: RedisServer) -> None:
        """Wait until the other server is the master, and all Sentinels that run say so."""
        (new,) = (server for server in self.servers if server is not old)
        running = [one for one in self.sentinels if one.running]
        wait_until(lambda: all(self._names(one, new) for one in running), "Sentinels that name the new master")
        wait_until(lambda: self.command(new, "ROLE")[0] == b"master", "a new master")

    def _names(self, sentinel: RedisServer, master: RedisServer) -> bool:
        """Whether a Sentinel says that a server is the master."""
        return int(self.command(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1]) == master.port

    def _start(self) -> None:
        master, replica = self.servers
        for server in (master, replica):
            self._stack.enter_context(server)
        self.command(replica, "REPLICAOF", "127.0.0.1", master.port)
        wait_until(lambda: len(self.command(master, "ROLE")[2]) == 1, "a replica")
        for sentinel in self.sentinels:
            self._stack.enter_context(sentinel)
        wait_until(lambda: all(map(self._knows_all, self.sentinels)), "Sentinels that know each other")

    def _knows_all(self, sentinel: RedisServer) -> bool:
        reply = self.command(sentinel, "SENTINEL", "MASTER", MASTER)
        pairs = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
        known = {_text(name): _text(value) for name, value in pairs.items()}
        return known["num-slaves"] == "1" and known["num-other-sentinels"] == str(_SENTINELS - 1)

    def command(self, server: RedisServer, *command: object) -> Any:  # noqa: ANN401 - as the client
        """The reply of a server or a Sentinel to a command."""
        password = self._passwords[server in self.sentinels]
        with Redis.from_url(server.url, password=password, socket_timeout=10) as client:
            return client.execute_command(*command)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
