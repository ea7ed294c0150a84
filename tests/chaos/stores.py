"""Where the rows of a chaos run are: one Redis behind a relay."""

from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, Self

from redis import Redis

from tests.chaos.relay import Relay
from tests.support.redis_server import RedisServer


class Store(Protocol):
    """A Redis of any kind, which runs during a `with` block."""

    @property
    def url(self) -> str:
        """What driftgauge gets."""

    def __enter__(self) -> Self:
        """Start it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""

    def client(self) -> Redis:
        """A client of the node that holds the rows now."""


class Standalone:
    """One redis-server, and a relay through which driftgauge reaches it.

    Args:
        options: Further options of redis-server.
    """

    def __init__(self, *options: str) -> None:
        self._stack = ExitStack()
        self._options = options
        self.url = ""

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

    def client(self) -> Redis:
        """A client of the server itself, past the relay."""
        return Redis.from_url(self.server.url)
