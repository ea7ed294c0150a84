"""The programs that run, all real, all on the loopback address: what a cluster would run as pods."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from examples.demo.children import START_SECONDS, Child, Children
from examples.demo.errors import DemoError
from examples.demo.polling import until
from examples.demo.ports import require_free
from examples.demo.redis_server import redis_server
from examples.demo.traffic import INFERENCE_SERVICE, NAMESPACE

COUNT = 12
"""Ports, one after the other."""

WINDOW_ROWS = 1000

FLAGS = (
    *("--host", "127.0.0.1"),
    *("--window-rows", str(WINDOW_ROWS)),
    *("--min-rows", "200"),
    *("--reference-ordered", "true"),
    *("--evaluation-interval-seconds", "1"),
    *("--event-cooldown-seconds", "1"),
    *("--drain-delay-seconds", "0"),
    *("--label-ttl-seconds", "300"),
    *("--allow-capture", "true"),
    *("--namespace", NAMESPACE),
    *("--inference-service", INFERENCE_SERVICE),
)
"""A small window that is tested every second, so that a person does not wait; `allow_capture` is for the export."""


@dataclass(frozen=True, slots=True)
class LoopPorts:
    """The ports of all programs, on 127.0.0.1.

    Args:
        first: The first one, on which the page of the stable revision is.
    """

    first: int

    def url(self, offset: int) -> str:
        """The address of a port, counted from the first one."""
        return f"http://127.0.0.1:{self.first + offset}"


@dataclass(frozen=True, slots=True)
class Revision:
    """A model server with driftgauge in front of it.

    Args:
        name: Its revision.
        data_url: Where its requests go.
        admin_url: Its page, and `/drift`.
        labels_url: Where labels of all revisions are posted: they share a Redis.
        stack: Stops both programs.
    """

    name: str
    data_url: str
    admin_url: str
    labels_url: str
    stack: AsyncExitStack

    async def stop(self) -> None:
        """Stop both programs."""
        await self.stack.aclose()


class Fleet:
    """Starts programs, and knows where they listen.

    Args:
        children: Starts them.
        ports: Their ports.
        session: The HTTP client.
    """

    def __init__(self, children: Children, ports: LoopPorts, session: aiohttp.ClientSession) -> None:
        self._children = children
        self._ports = ports
        self.session = session
        self.directory = children.directory
        self.data_url = ports.url(1)
        self.control_url = ports.url(2)
        self.receiver_url = ports.url(3)
        self.redis_url = f"redis://127.0.0.1:{ports.first + 4}/0"

    async def start_shared(self, stack: AsyncExitStack) -> None:
        """Start Redis, the splitter and the receiver; the receiver starts the retraining by itself."""
        first = self._ports.first
        await stack.enter_async_context(redis_server(self._children, first + 4))
        ports = ["--port", str(first + 1), "--control-port", str(first + 2)]
        await self.run(stack, "The splitter", "splitter", *ports)
        pipeline = [sys.executable, "-m", "examples.retrain.pipeline", "--admin-url", self._ports.url(0)]
        command = [*pipeline, "--directory", str(self.directory)]
        await self.run(stack, "The receiver", "receiver", "--port", str(first + 3), "--", *command)

    async def start_revision(self, stack: AsyncExitStack, name: str, model: Path, reference: Path) -> Revision:
        """Start a model server, and driftgauge in front of it; returns them once both are ready.

        Args:
            stack: Stops them, if they were not stopped before.
            name: `stable` or another one.
            model: The model's file.
            reference: The reference of this model.
        """
        own = await stack.enter_async_context(AsyncExitStack())
        base = 5 if name == "stable" else 8
        admin = 0 if name == "stable" else 11
        data, server, labels = (self._ports.url(base + place) for place in range(3))
        await self.run(own, f"The model server {name}", "grader", "--model", str(model), "--port", _port(server))
        command = ["proxy", "--upstream-url", server, "--reference", str(reference), "--revision", name, *FLAGS]
        command += ["--port", _port(data), "--labels-port", _port(labels), "--redis-url", self.redis_url]
        command += ["--admin-port", _port(self._ports.url(admin)), "--event-url", self.receiver_url]
        program = [sys.executable, "-m", "driftgauge", *command]
        await own.enter_async_context(self._children.run(f"driftgauge {name}", program))
        revision = Revision(name, data, self._ports.url(admin), f"{labels}/labels?{_query()}", own)
        await until(lambda: self._is_ready(revision), f"driftgauge {name} to be ready", START_SECONDS)
        return revision

    async def run(self, stack: AsyncExitStack, title: str, module: str, *arguments: str) -> None:
        """Run a program of this package that says when it is ready."""
        command = [sys.executable, "-m", f"examples.retrain.{module}", *arguments]
        child = await stack.enter_async_context(self._children.run(title, command))
        await until(lambda: _says_ready(child), f"{title} to be ready", START_SECONDS)

    async def once(self, module: str, *arguments: str) -> tuple[int, str]:
        """Run a command to its end; returns its exit code and what it has printed."""
        return await self._children.once([sys.executable, "-m", module, *arguments])

    async def route(self, stable: str, canary: str, percent: int) -> None:
        """Send so many in 100 requests to the canary."""
        wanted = {"stable": stable, "canary": canary, "percent": percent}
        async with self.session.put(f"{self.control_url}/route", json=wanted) as response:
            if not response.ok:
                raise DemoError(f"The splitter refused {wanted}: {await response.text()}")

    async def fetch(self, url: str) -> Any:  # noqa: ANN401 - any JSON
        """GET a JSON value; raises `DemoError` if there is none."""
        try:
            async with self.session.get(url) as response:
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise DemoError(f"{url} did not respond: {error!r}") from error

    async def _is_ready(self, revision: Revision) -> bool | None:
        try:
            async with self.session.get(f"{revision.admin_url}/readyz") as response:
                return response.ok or None
        except (aiohttp.ClientError, TimeoutError):
            return None


@asynccontextmanager
async def build(children: Children, ports: LoopPorts) -> AsyncIterator[tuple[Fleet, AsyncExitStack]]:
    """Start what both revisions share, and stop all in reverse order; raises `DemoError` if a port is taken."""
    require_free(ports.first, COUNT, "demo-loop")
    async with AsyncExitStack() as stack:
        timeout = aiohttp.ClientTimeout(total=10)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        fleet = Fleet(children, ports, session)
        await fleet.start_shared(stack)
        yield fleet, stack


def _query() -> str:
    return f"namespace={NAMESPACE}&inference_service={INFERENCE_SERVICE}"


def _port(url: str) -> str:
    return url.rpartition(":")[2]


async def _says_ready(child: Child) -> bool | None:
    return any(line.startswith("ready ") for line in child.output().splitlines()) or None
