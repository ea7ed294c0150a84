"""A real connection to Redis that fails as networks do: before, in the middle of, or after the work of a call."""

from collections.abc import Iterator
from typing import Any, cast

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from driftgauge.storage.redis_client import BoundedRedis
from tests.support.failing_pairs import Failure


class FailingRedis(BoundedRedis):
    """A `BoundedRedis` whose pipelines fail.

    Args:
        client: Does the work.
        failures: When each pipeline fails, in order; pipelines after the last one do not fail.
    """

    def __init__(self, client: Redis | RedisCluster, failures: Iterator[Failure]) -> None:
        self._failures = failures
        super().__init__(cast("Redis", _FailingClient(client, self)), timeout_seconds=5)

    def recover(self) -> None:
        """Fail no more."""
        self._failures = iter(())

    def next_failure(self) -> Failure:
        """When the next pipeline fails."""
        return next(self._failures, Failure.NEVER)


class _FailingClient:
    """The part of a client that stores of pairs use."""

    def __init__(self, client: Redis | RedisCluster, owner: FailingRedis) -> None:
        self._client = client
        self._owner = owner

    def pipeline(self, *, transaction: bool) -> "_FailingPipeline":
        """A pipeline that fails when it is its turn."""
        return _FailingPipeline(self._client.pipeline(transaction=transaction), self._owner.next_failure())


class _FailingPipeline:
    """A pipeline that sends nothing, half of its commands, or all of them, and loses the replies."""

    def __init__(self, pipeline: Any, failure: Failure) -> None:  # noqa: ANN401 - redis-py's pipelines have no types
        self._pipeline = pipeline
        self._failure = failure
        self._commands: list[tuple[Any, ...]] = []

    def eval(self, *command: Any) -> None:  # noqa: ANN401 - the arguments of any script
        """Add a script."""
        self._commands.append(command)

    async def execute(self) -> list[Any]:
        """Send as many commands as reach Redis; the replies of all, or an error."""
        if self._failure is Failure.BEFORE:
            raise ResponseError("refused")
        reached = len(self._commands) // 2 if self._failure is Failure.HALF_WAY else len(self._commands)
        for command in self._commands[:reached]:
            self._pipeline.eval(*command)
        replies = cast("list[Any]", await self._pipeline.execute()) if reached else []
        if self._failure is not Failure.NEVER:
            raise RedisConnectionError("the replies are lost")
        return replies
