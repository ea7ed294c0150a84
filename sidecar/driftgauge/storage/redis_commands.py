"""Where a cluster's client learns the commands of Redis: from any node that replies."""

from collections.abc import Callable, Iterable

from redis._parsers import AsyncCommandsParser
from redis.asyncio.cluster import ClusterNode
from redis.exceptions import RedisError


class KnownCommands(AsyncCommandsParser):
    """The commands and where their keys are, which are the same in all nodes, and so are asked for once.

    redis-py would ask the first primary each time it has looked for the nodes. While this one is away, no command
    would get to any other node.

    Args:
        nodes: Returns the nodes that are known.
    """

    def __init__(self, nodes: Callable[[], Iterable[ClusterNode]]) -> None:
        super().__init__()
        self._nodes = nodes

    async def initialize(self, node: ClusterNode | None = None) -> None:
        """Ask for the commands, unless they are known.

        Args:
            node: Whom to ask first; left out to ask again, for a command that is not known.

        Raises:
            RedisError: No node replies.
        """
        if node is not None:
            self.node = node
            if self.commands:
                return
        first = self.node
        for one in (first, *(other for other in self._nodes() if other is not first)):
            try:
                await super().initialize(one)
            except (RedisError, OSError) as error:
                failure = error
            else:
                return
        raise failure
