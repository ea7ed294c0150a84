"""The programs of the demo: a model server, driftgauge, optionally Redis; all real, all on the loopback address."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from examples.demo import gauges
from examples.demo.children import START_SECONDS, Child, Children
from examples.demo.errors import DemoError
from examples.demo.polling import until
from examples.demo.ports import COUNT, Ports, require_free
from examples.demo.redis_server import RedisServer, redis_server
from examples.demo.traffic import INFERENCE_SERVICE, NAMESPACE, Agent, Client, Sender

WINDOW_ROWS = 1000
"""As many rows as the reference has; after this many white wines the window has only white wines."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line.

    Args:
        keep: Keep running until Ctrl-C.
        redis: Keep the rows in a real Redis, which is killed half-way.
        logger: Send CloudEvents to the logger instead of requests through the proxy.
        ports: Where the programs listen.
    """

    keep: bool
    redis: bool
    logger: bool
    ports: Ports


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the programs listen.

    Args:
        model_url: The model server.
        data_url: driftgauge's data port.
        admin_url: driftgauge's admin port.
        labels_url: Where labels are posted.
    """

    model_url: str
    data_url: str
    admin_url: str
    labels_url: str


@dataclass(frozen=True, slots=True)
class Stage(Addresses):
    """The programs that run.

    Args:
        sender: Sends requests so that driftgauge sees them.
        session: The HTTP client.
        redis: Where the rows are; `None` if they are in memory.
    """

    sender: Sender
    session: aiohttp.ClientSession
    redis: RedisServer | None

    async def scrape(self) -> gauges.Gauges:
        """The gauges that `/metrics` has now."""
        try:
            async with self.session.get(f"{self.admin_url}/metrics", headers={"Accept": "text/plain"}) as response:
                return gauges.read(await response.text(), INFERENCE_SERVICE)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoError(f"{self.admin_url}/metrics did not respond: {error!r}") from error

    async def reading(self) -> str:
        """The sentence on the newest window, as `/drift` has it."""
        return str((await self._report()).get("reading", ""))

    async def outcome_reading(self) -> str:
        """The sentence on the labelled predictions, as `/drift` has it."""
        return str(((await self._report()).get("outcomes") or {}).get("reading", ""))

    async def newest_prediction_at(self) -> float:
        """Time at which the newest evaluated prediction passed, in seconds since the epoch; 0 if there is none."""
        predictions = (await self._report()).get("predictions") or {}
        return float(predictions.get("window_time") or 0)

    async def _report(self) -> dict[str, Any]:
        """What `/drift` has of the model; empty before the first request."""
        try:
            async with self.session.get(f"{self.admin_url}/drift") as response:
                models = (await response.json())["models"]
        except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
            raise DemoError(f"{self.admin_url}/drift did not respond: {error!r}") from error
        return next((one for one in models if one["inference_service"] == INFERENCE_SERVICE), {})


@asynccontextmanager
async def build(options: Options, children: Children) -> AsyncIterator[Stage]:
    """Start everything in order, wait until it is ready, and stop it in reverse order.

    Raises:
        DemoError: A port is taken, or a program did not become ready.
    """
    ports = options.ports
    require_free(ports.page, COUNT, "demo")
    reference = reference_file(children.directory)
    async with AsyncExitStack() as stack:
        timeout = aiohttp.ClientTimeout(total=10)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        redis = await stack.enter_async_context(redis_server(children, ports.redis)) if options.redis else None
        model_url = await start_model_server(stack, children, ports.model, reference)
        data_url, admin_url = f"http://127.0.0.1:{ports.data}", f"http://127.0.0.1:{ports.page}"
        mode = logger_flags(children.directory) if options.logger else proxy_flags(model_url, reference)
        command = [*mode, "--port", str(ports.data), "--admin-port", str(ports.page), *WINDOW_FLAGS]
        command += ["--labels-port", str(ports.labels), *LABEL_FLAGS]
        command += ["--redis-url", redis.url] if redis is not None else []
        await stack.enter_async_context(children.run("driftgauge", [sys.executable, "-m", "driftgauge", *command]))
        await until(lambda: _is_ready(session, admin_url), "driftgauge to be ready", START_SECONDS)
        sender = Agent(session, model_url, data_url) if options.logger else Client(session, data_url)
        yield Stage(model_url, data_url, admin_url, labels_url(ports.labels), sender, session, redis)


WINDOW_FLAGS = (
    *("--host", "127.0.0.1"),
    *("--window-rows", str(WINDOW_ROWS)),
    *("--min-rows", "200"),
    *("--reference-ordered", "true"),
    *("--evaluation-interval-seconds", "1"),
    *("--drain-delay-seconds", "0"),
)
"""A small window that is tested every second, so that a person does not wait; nothing to drain at the end. The wines
of the reference are in the order in which they came: so how much neighbours resemble each other is known at once."""


LABEL_FLAGS = ("--label-ttl-seconds", "300")
"""A short time to live: what waits in memory is bounded for each 1/24 of it, and all wines come within a minute."""


def labels_url(port: int) -> str:
    """Where the labels of the model are posted."""
    return f"http://127.0.0.1:{port}/labels?namespace={NAMESPACE}&inference_service={INFERENCE_SERVICE}"


def reference_file(directory: Path) -> Path:
    """Where the model's training writes the reference: named by the InferenceService, as in a mounted volume."""
    file = directory / NAMESPACE / f"{INFERENCE_SERVICE}.csv"
    file.parent.mkdir()
    return file


def proxy_flags(model_url: str, reference: Path) -> list[str]:
    """Driftgauge as a proxy: the reference is one file."""
    service = ["--namespace", NAMESPACE, "--inference-service", INFERENCE_SERVICE]
    return ["proxy", "--upstream-url", model_url, "--reference", str(reference), *service]


def logger_flags(directory: Path) -> list[str]:
    """Driftgauge as a logger: it finds the reference by the InferenceService's name."""
    return ["logger", "--reference-dir", str(directory)]


async def start_model_server(stack: AsyncExitStack, children: Children, port: int, reference: Path) -> str:
    """Start the model server; returns its address once the model is trained and the reference is written."""
    flags = ["--port", str(port), "--reference", str(reference)]
    command = [sys.executable, "-m", "examples.demo.model_server", *flags]
    child = await stack.enter_async_context(children.run("The model server", command))
    return await until(lambda: _address(child), "the model server to be ready", START_SECONDS)


async def _address(child: Child) -> str | None:
    for line in child.output().splitlines():
        if line.startswith("ready "):
            return line.removeprefix("ready ")
    return None


async def _is_ready(session: aiohttp.ClientSession, admin_url: str) -> bool | None:
    try:
        async with session.get(f"{admin_url}/readyz") as response:
            return response.ok or None
    except (aiohttp.ClientError, TimeoutError):
        return None
