"""Where a cluster's client learns the commands of Redis: from any node that replies."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from redis.asyncio.cluster import ClusterNode
from redis.exceptions import RedisError

_FIRST_SECONDS = 0.25
"""How long a node may take before the next one is asked."""


class CommandsParser(Protocol):
    """What a cluster's client of redis-py has as its `commands_parser`."""

    commands: dict[str, Any]

    async def initialize(self, node: ClusterNode | None = None) -> None:
        """Ask a node for the commands."""

    async def get_keys(self, *words: Any) -> Any:  # noqa: ANN401 - of redis-py
        """The keys of a command."""


class KnownCommands:
    """The commands and where their keys are, which are the same in all nodes, and so are asked for once.

    redis-py would ask the first primary each time it has looked for the nodes. While this one is away, no command
    would get to any other node.

    Args:
        parser: That of the client, whose place this takes.
        nodes: Returns the nodes that are known.
    """

    def __init__(self, parser: CommandsParser, nodes: Callable[[], Iterable[ClusterNode]]) -> None:
        self._parser = parser
        self._nodes = nodes

    async def initialize(self, first: ClusterNode) -> None:
        """Ask for the commands, unless they are known.

        Args:
            first: Whom to ask first.

        Raises:
            RedisError: No node replies.
        """
        if self._parser.commands:
            return
        nodes = (first, *(other for other in self._nodes() if other is not first))
        for seconds in (_FIRST_SECONDS, None):  # one that hangs must not take the time that there is for all
            for one in nodes:
                try:
                    async with asyncio.timeout(seconds):
                        await self._parser.initialize(one)
                except (RedisError, OSError) as error:  # a TimeoutError is an OSError
                    failure = error
                else:
                    return
        raise failure

    async def get_keys(self, *words: Any) -> Any:  # noqa: ANN401 - of redis-py
        """The keys of a command, of which the first word is the name."""
        return await self._parser.get_keys(*words)
