"""The proxy as the house knows it: opened, drained, closed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from driftgauge.http1.heads import RequestHead
from driftgauge.inference.models import KnownModels
from driftgauge.inference.payload import ModelKey, Offer
from driftgauge.metrics.registry import Metrics
from driftgauge.proxy.exchange import Exchange
from driftgauge.proxy.interfaces import ExchangeContext
from driftgauge.proxy.metrics_page import MetricsPage
from driftgauge.proxy.recorder import RecorderFactory
from driftgauge.proxy.upstream_pool import RateLimitedLog, Upstream
from driftgauge.server.body_copy import MemoryBudget
from driftgauge.server.connection import ClientConnection, RequestHandler
from driftgauge.server.listener import Listener
from driftgauge.server.timeouts import Timeouts


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The proxy's bounds.

    Args:
        upstream_url: The model server, `http://host:port`.
        upstream_timeout_seconds: Its longest silence; a stream may last as long as bytes come.
        max_payload_bytes: Longest body that is copied for the monitor.
        copy_bytes: Bytes that all copies may hold at once; beyond it a copy is given up, never a request.
        merge_metrics: Whether `/metrics` is answered with the model server's page and ours.
        timeouts: How long clients are waited for.
    """

    upstream_url: str
    upstream_timeout_seconds: float
    max_payload_bytes: int
    copy_bytes: int
    merge_metrics: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)


class Proxy:
    """Passes every request on to the model server; counts and copies the inferences among them.

    Args:
        settings: Its bounds.
        model: Identity from the configuration; the model's name of one request comes from its path.
        offer: Takes each payload after the last byte of its answer was given to the client's socket.
        metrics: Where requests are counted.
        models: Which models may have series of their own.
        clock: Seconds since the epoch.
        timer: Seconds of a clock that never goes back.

    Raises:
        ConfigError: `upstream_url` is not one.

    Notes:
        What is not carried: HTTP/2, CONNECT (501), upgrades (the header is removed), methods that llhttp does not know
        and targets that are not ASCII (400).
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root names each; tests replace the last two
        self,
        settings: ProxySettings,
        model: ModelKey,
        offer: Offer,
        metrics: Metrics,
        models: KnownModels,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        budget = MemoryBudget(settings.copy_bytes)
        self._ledger = RecorderFactory(model, offer, metrics, models, clock, timer, budget, settings.max_payload_bytes)
        self._timer = timer
        self._listener = Listener(self._talk, settings.timeouts, timer)
        self._upstream = upstream = Upstream(settings.upstream_url, settings.upstream_timeout_seconds)
        self._around = ExchangeContext(
            upstream, upstream.authority, upstream.timeout_seconds, self._listener.closing, RateLimitedLog(timer)
        )
        self._page = MetricsPage(upstream, metrics.registry) if settings.merge_metrics else None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        return await self._listener.start(host, port)

    def announce(self) -> None:
        """From now on ask clients to leave: each answer ends its connection, so that the next goes elsewhere."""
        self._listener.announce()

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, close idle ones, let what is under way end within the limit."""
        await self._listener.drain(timeout_seconds)

    async def close(self) -> None:
        """End what is still under way, and close every connection on both sides."""
        await self._listener.close()
        if self._page is not None:
            await self._page.close()
        await self._upstream.close()

    async def upstream_reachable(self) -> bool:
        """Whether the model server accepts a TCP connection within 1 s."""
        return await self._upstream.is_reachable()

    def _talk(self, head: RequestHead, connection: ClientConnection) -> RequestHandler:
        """Begin to see to a request."""
        if self._page is not None and self._page.is_asked_by(head):
            return self._page.talk(head, connection, self._listener.closing)
        begun = connection.begun if connection.begun is not None else self._timer()
        recorder = self._ledger.open(head.method, head.target, head.fields, begun)
        return Exchange(head, connection, recorder, self._around)
