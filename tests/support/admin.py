"""A server of the admin port whose responses a test chooses."""

import math
from collections.abc import Callable

from aiohttp import ClientSession

from driftgauge.admin.server import Admin
from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.results.latest import Evaluation, LatestEvaluations
from driftgauge.server.tls import Tls
from tests.support.reports import FOUND


class AdminFixture:
    """An admin server, and what it shows.

    Args:
        captures: Whether it hands out windows.
        authorize: Returns whether the value of an `Authorization` header has a valid token.
        tls: TLS of its port.
    """

    def __init__(
        self,
        *,
        captures: bool = False,
        authorize: Callable[[str | None], bool] | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.not_ready: str | None = None
        self.window: bytes | None = b"rows"
        self.failure: StorageError | None = None
        self.latest = LatestEvaluations(math.inf)
        self.metrics = Metrics("200")
        capture = self._capture if captures else None
        self.admin = Admin(self.metrics.registry, self._ready, self.latest, self._page, capture, authorize=authorize)
        self._tls = tls
        self.url = ""

    def publish(self, model: ModelKey, kind: Kind = Kind.REQUEST, time: float = 1_000.0) -> None:
        """Publish the report on wine."""
        self.latest.publish(model, kind, Evaluation(FOUND, time, 0.01, 999.0))

    async def open(self) -> None:
        """Listen on a port that the system chooses."""
        scheme = "http" if self._tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{await self.admin.start('127.0.0.1', 0, self._tls)}"

    async def _ready(self) -> str | None:
        return self.not_ready

    async def _page(self, model: ModelKey, title: str, up: str) -> str:
        return f"<p>the page of {model.model_name}, called {title}, back to {up or 'nowhere'}"

    async def _capture(self, model: ModelKey) -> bytes | None:
        if self.failure is not None:
            raise self.failure
        return None if self.window is None else self.window + f" of {model.model_name}".encode()


async def get(client: ClientSession, url: str) -> tuple[int, str]:
    """Send a GET; returns status code and text."""
    async with client.get(url) as response:
        return response.status, await response.text()
