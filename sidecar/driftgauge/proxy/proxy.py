"""The proxy as the composition root uses it: started, drained and closed."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from driftgauge.http1.grammar import RefusedError
from driftgauge.http1.heads import RequestHead
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import ModelKey, Offer
from driftgauge.metrics.registry import Metrics
from driftgauge.proxy.exchange import Exchange
from driftgauge.proxy.exchange_recorder import NULL_RECORDER, ExchangeRecorder
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.interfaces import ExchangeContext
from driftgauge.proxy.metrics_page import MetricsPage
from driftgauge.proxy.openai_recorder import OpenAIRecorder
from driftgauge.proxy.recorder import RecorderFactory
from driftgauge.proxy.resending import Resending, ResendOutcome, ResendState
from driftgauge.proxy.routing import is_openai_inference
from driftgauge.proxy.upstream_pool import RateLimitedLog, UpstreamPool
from driftgauge.proxy.via import is_named_in, make_pseudonym
from driftgauge.server.body_copy import MemoryBudget
from driftgauge.server.connection import ClientConnection
from driftgauge.server.connection_limit import DEFAULT_MAX_CONNECTIONS, ConnectionLimit
from driftgauge.server.listener import Listener
from driftgauge.server.request_handler import RequestHandler
from driftgauge.server.timeouts import Timeouts
from driftgauge.server.tls import Tls


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The limits of the proxy.

    Args:
        upstream_url: The model server, `http://host:port`.
        upstream_timeout_seconds: Its longest silence; a stream may last as long as bytes come.
        max_payload_bytes: Longest body that is copied for the monitor.
        sends_again: Whether a request that meets the end of an idle connection is sent once more.
        copy_bytes: Bytes that all copies may hold together; beyond it a copy is given up, never a request.
        max_connections: Connections of clients that may be open at once.
        merge_metrics: Whether `/metrics` returns the model server's page and ours.
        timeouts: Limits of time for clients.
    """

    upstream_url: str
    upstream_timeout_seconds: float
    max_payload_bytes: int
    copy_bytes: int
    sends_again: bool = True
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    merge_metrics: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)


class Proxy:
    """Passes every request on to the model server; counts and copies the inferences among them.

    Args:
        settings: Its limits.
        model: Identity from the configuration; the model's name of a request is taken from its path.
        offer: Called with each payload, after the last byte of the response was given to the client's socket.
        metrics: Where requests are counted.
        models: The models that may have series of their own.
        clock: Seconds since the epoch.
        timer: Seconds of a monotonic clock.

    Raises:
        ConfigError: `upstream_url` is not a URL of a server.

    Notes:
        Not supported: HTTP/2, CONNECT (501), upgrades (the header is removed), methods that llhttp does not know
        and targets that are not ASCII (400).
    """

    def __init__(  # noqa: PLR0913 - the composition root names each; tests replace the last two
        self,
        settings: ProxySettings,
        *,
        model: ModelKey,
        offer: Offer,
        metrics: Metrics,
        models: KnownModels,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._timer = timer
        self._recorders = RecorderFactory(
            model=model,
            offer=offer,
            metrics=metrics,
            models=models,
            clock=clock,
            timer=timer,
            budget=MemoryBudget(settings.copy_bytes),
            max_payload_bytes=settings.max_payload_bytes,
            defer=lambda step: asyncio.get_running_loop().call_soon(step),
        )
        limit = ConnectionLimit(settings.max_connections, metrics.refused_connections.inc, timer)
        self._listener = Listener(self._on_request, settings.timeouts, timer, limit)
        self._pool = pool = UpstreamPool(settings.upstream_url, settings.upstream_timeout_seconds)
        self._pseudonym = pseudonym = make_pseudonym()
        resending = _make_resending(pool.authority, metrics, timer, is_on=settings.sends_again)
        log = RateLimitedLog(timer)
        self._context = ExchangeContext(pool, pool.authority, pool.timeout_seconds, log, resending, pseudonym)
        self._page = MetricsPage(pool, metrics.registry, pseudonym) if settings.merge_metrics else None

    @property
    def draining(self) -> bool:
        """Whether clients are asked to close their connections."""
        return self._listener.draining

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        return await self._listener.start(host, port, tls)

    def begin_drain(self) -> None:
        """Ask clients to leave: each response ends its connection, so that the next request goes elsewhere."""
        self._listener.begin_drain()

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, close idle ones, and let exchanges end within the limit."""
        await self._listener.drain(timeout_seconds)

    async def close(self) -> None:
        """End all exchanges, and close every connection on both sides."""
        await self._listener.close()
        if self._page is not None:
            await self._page.close()
        await self._pool.close()

    async def upstream_reachable(self) -> bool:
        """Whether the model server accepts a TCP connection within 1 s."""
        return await self._pool.is_reachable()

    def _on_request(self, head: RequestHead, connection: ClientConnection) -> RequestHandler:
        if b"via" in head.fields:
            self._refuse_loop(head)
        if self._page is not None and self._page.is_requested_by(head):
            return self._page.handle(head, connection)
        begun = connection.begun if connection.begun is not None else self._timer()
        return Exchange(head, connection, self._open_recorder(head, begun), self._context)

    def _open_recorder(self, head: RequestHead, begun: float) -> ExchangeRecorder:
        recorder = self._recorders.open(head.method, head.target, head.fields, begun)
        if recorder is NULL_RECORDER and is_openai_inference(head.method, head.target, head.fields):
            return OpenAIRecorder(self._recorders, begun)
        return recorder

    def _refuse_loop(self, head: RequestHead) -> None:
        """Refuse a request that this process has forwarded.

        Raises:
            RefusedError: Its `Via` names this process.
        """
        if is_named_in(head, self._pseudonym):
            error = ExchangeError(HTTPStatus.LOOP_DETECTED, "The proxy's upstream_url leads back to the proxy.")
            self._context.error_log.warning(error, head.fields)
            raise RefusedError(error.sentence, error.status)


def _make_resending(authority: str, metrics: Metrics, timer: Callable[[], float], *, is_on: bool) -> Resending:
    """Make what grants second tries, with its metrics."""
    suspended, resent = metrics.watch_resending()
    counters = {outcome: resent.labels(outcome) for outcome in ResendOutcome}
    resending = Resending(authority, is_on=is_on, count=lambda outcome: counters[outcome].inc(), timer=timer)
    suspended.set_function(lambda: resending.state is ResendState.SUSPENDED)
    return resending
