"""Where the rows of a chaos run are: one Redis behind a relay."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from redis import Redis

from tests.chaos.relay import Relay
from tests.support.redis_server import RedisServer


class Standalone:
    """One redis-server, and a relay through which driftgauge reaches it.

    Args:
        options: Further options of redis-server.
    """

    def __init__(self, *options: str) -> None:
        self._stack = ExitStack()
        self._options = options

    def __enter__(self) -> Self:
        """Start both."""
        self.server = self._stack.enter_context(RedisServer(*self._options))
        self.relay = self._stack.enter_context(Relay(self.server.port))
        self.url = f"redis://127.0.0.1:{self.relay.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both."""
        self._stack.__exit__(kind, error, trace)

    def client(self) -> "Redis":
        """A client of the server itself, past the relay."""
        return Redis.from_url(self.server.url)
