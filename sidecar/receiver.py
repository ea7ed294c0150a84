"""Door 2: takes the CloudEvents of KServe's loggers and answers at once.

The agent in the serving pod has five workers, no timeout and no bound on what waits for them: the time that an
answer takes here is memory there. So nothing is decoded before the answer, and nothing is awaited but the body.

Source: CloudEvents 1.0, HTTP protocol binding (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
"""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from sidecar.errors import PayloadError, Reason
from sidecar.metrics import Metrics
from sidecar.models import OTHER, KnownModels, is_folded
from sidecar.payload import Kind, ModelKey, Offer, Outcome, Payload, Sighting
from sidecar.protocol.cloudevents import Event, parse_events

_MAX_LINE_BYTES = 64 * 1024
_MAX_FIELD_BYTES = 256 * 1024
"""`Ce-Metadata` may hold tokens and cookies; aiohttp's 8,190 would answer 400."""

_KEEPALIVE_SECONDS = 30
"""The agent never closes nor reuses its TLS connections; aiohttp's hour would keep one open for each event."""

_BODY_SECONDS = 60.0
"""How long a body may take to come; aiohttp 3.14 lets the reader of a body with a broken chunk wait for ever."""

_END_SECONDS = 1.0
"""How long connections may take to close."""


class Receiver:
    """Listens for events and hands their payloads on.

    Args:
        offer: Takes each payload.
        pair: Takes each half; says whether it is new.
        metrics: Where requests are counted.
        models: Which models may have series of their own.
        max_event_bytes: Longest body that is read.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        offer: Offer,
        pair: Callable[[Sighting], bool],
        metrics: Metrics,
        models: KnownModels,
        max_event_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._offer = offer
        self._pair = pair
        self._metrics = metrics
        self._models = models
        self._max_event_bytes = max_event_bytes
        self._clock = clock
        self._leaving = False
        self._answering: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        app = web.Application(client_max_size=self._max_event_bytes)
        app.router.add_post("/{path:.*}", self._post)
        app.router.add_get("/{path:.*}", _alive)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            auto_decompress=False,  # compression is sniffed where bodies are decoded, and bounded there
            shutdown_timeout=_END_SECONDS,
            keepalive_timeout=_KEEPALIVE_SECONDS,
            max_line_size=_MAX_LINE_BYTES,
            max_field_size=_MAX_FIELD_BYTES,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    def announce(self) -> None:
        """From now on ask senders to leave: each answer ends its connection, so that the next event goes elsewhere."""
        self._leaving = True

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, let the answers under way end within the limit."""
        if self._runner is not None:
            for site in list(self._runner.sites):
                await site.stop()
        if self._answering:
            await asyncio.wait(self._answering, timeout=timeout_seconds)

    async def close(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._answering.add(task)
        try:
            answer = await self._answer(request)
        finally:
            self._answering.discard(task)
        if self._leaving or "Transfer-Encoding" in request.headers:
            # aiohttp 3.14 takes trailers for headers of the next request, and so of another sender behind a gateway.
            answer.force_close()
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._reject(Reason.TOO_LARGE)
            return _error(413, f"an event may have at most {self._max_event_bytes} bytes")
        except (web.RequestPayloadError, HttpProcessingError, OSError):  # a TimeoutError is an OSError
            self._reject(Reason.INCOMPLETE)
            return _error(400, "the event's body did not come whole")
        headers = [
            (name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in request.raw_headers
        ]
        events = parse_events(headers, body)
        for event in events:
            if isinstance(event, Event):
                self._take(event)
            else:
                self._reject(event.reason)
        if len(events) == 1 and isinstance(events[0], PayloadError):
            return _error(400, str(events[0]))
        return web.Response()

    def _take(self, event: Event) -> None:
        """Count, pair and hand on one event."""
        name = event.inference_service
        inference = bool(event.body)
        key = ModelKey(event.namespace, name, event.component, name)
        # What is no inference proves no model: health checks of anything could use up the places.
        model = self._models.admit(key, proven=inference)
        metrics = self._metrics.model(model)
        now = self._clock()
        true_time = event.recorded and inference
        # Models without series of their own share one key: their ids must not meet.
        if not is_folded(model) and not self._pair(Sighting(model, event.id, event.kind, event.time, true_time)):
            metrics.count_payload(event.kind, Outcome.REJECTED, Reason.DUPLICATE)
            return
        if not inference:
            # A health check or a GET: KServe's agent sends an event for every request that is not its own probe.
            metrics.count_payload(event.kind, Outcome.REJECTED, Reason.EMPTY)
            return
        if event.kind is Kind.REQUEST:
            metrics.count_request("")
            metrics.exchanges.request_bytes += len(event.body)
        else:
            metrics.exchanges.response_bytes += len(event.body)
        self._offer(
            Payload(
                kind=event.kind,
                id=event.id,
                model=model,
                body=event.body,
                json_length=event.json_length,
                status=None,
                time=now if event.time is None else min(event.time, now),
            )
        )

    def _reject(self, reason: Reason) -> None:
        """Count an event of which not even the model is known."""
        self._metrics.model(OTHER).count_payload(Kind.REQUEST, Outcome.REJECTED, reason)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="driftgauge logger: POST CloudEvents here\n")


def _error(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
