"""A started proxy for the tests of the data plane, with the metrics and the offered payloads that it recorded."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from prometheus_client import generate_latest

from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import ModelKey, Payload
from driftgauge.metrics.registry import Metrics
from driftgauge.proxy.proxy import Proxy, ProxySettings
from tests.support.clock import ManualClock
from tests.support.raw_client import DEADLINE_SECONDS, Wire, ask
from tests.support.scrape import Samples

MODEL = ModelKey("shop", "wine", "predictor", "wine")
MODEL_LIMIT = 2
EPOCH_SECONDS = 1_700_000_000.0

SETTINGS = ProxySettings(
    upstream_url="",
    upstream_timeout_seconds=30,
    max_payload_bytes=4096,
    copy_bytes=1024 * 1024,
)


class Proxied:
    """A proxy in front of a server on a port of this machine, until the `async with` block ends.

    Args:
        upstream_port: The port of the model server.
        settings: The settings of the proxy; the URL is set here.
        url: The model server's URL, instead of that port.
        clock: Seconds since the epoch.
        port: The port to listen on; 0 for one that the system chooses.
    """

    def __init__(
        self,
        upstream_port: int,
        settings: ProxySettings = SETTINGS,
        url: str | None = None,
        clock: Callable[[], float] = lambda: EPOCH_SECONDS,
        port: int = 0,
    ) -> None:
        self.port = port
        self.offered: list[Payload] = []
        self.timer = ManualClock()
        self._wires: list[Wire] = []
        self._metrics = Metrics("200")
        self._proxy = Proxy(
            replace(settings, upstream_url=f"http://127.0.0.1:{upstream_port}" if url is None else url),
            model=MODEL,
            offer=self.offered.append,
            metrics=self._metrics,
            models=KnownModels(MODEL_LIMIT, (MODEL,)),
            clock=clock,
            timer=self.timer,
        )

    async def __aenter__(self) -> Self:
        """The listening proxy."""
        self.port = await self._proxy.start("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the proxy and every client's connection."""
        for wire in self._wires:
            await wire.drop()
        await self.close()

    async def close(self) -> None:
        """Close the proxy."""
        await self._proxy.close()

    async def drain(self, timeout_seconds: float) -> None:
        """Drain the proxy."""
        await self._proxy.drain(timeout_seconds)

    async def upstream_reachable(self) -> bool:
        """Whether the proxy reports the model server as reachable."""
        return await self._proxy.upstream_reachable()

    async def ask(self, request: bytes, *, bodiless: bool = False) -> bytes:
        """The response of the proxy to one request on a new connection."""
        return await ask(self.port, request, bodiless=bodiless)

    async def connect(self, buffer_bytes: int | None = None) -> Wire:
        """A client's connection to the proxy."""
        wire = await Wire.connect(self.port, buffer_bytes)
        self._wires.append(wire)
        return wire

    @property
    def samples(self) -> Samples:
        """The samples that a scrape would return."""
        return Samples.parse(generate_latest(self._metrics.registry).decode())

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name with at least these labels."""
        return self.samples.total(name, **labels)

    async def counted(self, code: str, number: int = 1) -> None:
        """Wait until `number` requests were counted with this code: counting comes after the response."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.total("request_count", code=code) < number:  # noqa: ASYNC110 - a counter has no event
                await asyncio.sleep(0)
