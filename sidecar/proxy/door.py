"""The proxy as the house knows it: opened, drained, closed."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from sidecar.metrics import Metrics
from sidecar.models import KnownModels
from sidecar.payload import ModelKey, Offer
from sidecar.proxy import limits
from sidecar.proxy.client import ClientConnection, ClientServer, Written, error_answer
from sidecar.proxy.exchange import Closing, Exchange, TroubleLog
from sidecar.proxy.page import MetricsPage
from sidecar.proxy.tally import Ledger
from sidecar.proxy.tap import TapRoom
from sidecar.proxy.upstream import Upstream

_NOT_CARRIED = 501
_BACKLOG = 1024
_TURNS = 3
"""Turns of the loop in which it reads the requests that have come already, and begins their exchanges."""

_END_SECONDS = 1.0
"""How long exchanges that are cancelled may take to end."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The proxy's bounds.

    Args:
        upstream_url: The model server, `http://host:port`.
        upstream_timeout_seconds: Its longest silence; a stream may last as long as bytes come.
        max_payload_bytes: Longest body that is copied for the monitor.
        tap_bytes: Bytes that all copies may hold at once; beyond it a copy is given up, never a request.
        merge_metrics: Whether `/metrics` is answered with the model server's page and ours.
    """

    upstream_url: str
    upstream_timeout_seconds: float
    max_payload_bytes: int
    tap_bytes: int
    merge_metrics: bool = False


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
        What aiohttp does not carry: HTTP/2, CONNECT (501), upgrades (the header is removed), trailers (dropped),
        methods that llhttp does not know and targets that are not ASCII (400).
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
        room = TapRoom(settings.tap_bytes)
        self._ledger = Ledger(model, offer, metrics, models, clock, timer, room, settings.max_payload_bytes)
        self._upstream = Upstream(settings.upstream_url, settings.upstream_timeout_seconds)
        self._trouble = TroubleLog(timer)
        self._timer = timer
        self._closing = Closing()
        page = MetricsPage(self._upstream, metrics.registry, lambda: self._closing.draining)
        self._page = page if settings.merge_metrics else None
        self._exchanges: set[asyncio.Task[web.StreamResponse]] = set()
        self._server: ClientServer | None = None
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        self._server = ClientServer(
            self._handle,
            self._timer,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.KEEPALIVE_SECONDS,
            lingering_time=limits.LINGER_SECONDS,
            max_line_size=limits.MAX_LINE_BYTES,
            max_field_size=limits.MAX_FIELD_BYTES,
            max_headers=limits.MAX_FIELDS,
            read_bufsize=limits.READ_BYTES,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=_END_SECONDS)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, host, port, backlog=_BACKLOG)
        await self._site.start()
        return int(self._runner.addresses[0][1])

    def announce(self) -> None:
        """From now on ask clients to leave: each answer ends its connection, so that the next goes elsewhere."""
        self._closing.draining = True

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, close idle ones, let what is under way end within the limit."""
        self._closing.draining = True
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        for connection in self._connections():
            if not connection.is_busy:
                connection.force_close()
        if self._exchanges:
            await asyncio.wait(self._exchanges, timeout=timeout_seconds)

    async def close(self) -> None:
        """End what is still under way, and close every connection on both sides."""
        await self.drain(0)
        self._closing.cut = True
        for connection in self._connections():
            connection.reset()
        if self._exchanges:
            await asyncio.wait(self._exchanges, timeout=_END_SECONDS)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._upstream.close()

    async def upstream_reachable(self) -> bool:
        """Whether the model server accepts a TCP connection within 1 s."""
        return await self._upstream.is_reachable()

    def _connections(self) -> list[ClientConnection]:
        return cast("list[ClientConnection]", self._server.connections) if self._server is not None else []

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "CONNECT":
            head, body = error_answer(_NOT_CARRIED, "CONNECT is not carried.", stays=False)
            return Written(_NOT_CARRIED, stays=False, data=head + body)
        connection = cast("ClientConnection", request.protocol)
        task = cast("asyncio.Task[web.StreamResponse]", asyncio.current_task())
        self._exchanges.add(task)
        begun = connection.begin(request.content)
        try:
            if self._page is not None and self._page.is_asked_by(request):
                return await self._page.answer(request, connection)
            target = request.raw_path.encode("utf-8", "surrogateescape")
            tally = self._ledger.open(request.method, target, request.raw_headers, begun)
            return await Exchange(request, connection, self._upstream, tally, self._closing, self._trouble).run()
        finally:
            connection.end()
            self._exchanges.discard(task)
