"""Receives the CloudEvents of KServe's loggers, and responds at once.

The agent in the serving pod has five workers, no timeout and no limit on what waits for them: the time that a response
takes here is memory there. So nothing is decoded before the response, and nothing is awaited but the body. Only the
long bodies of other senders wait for a thread; see `parse_queue`.

Source: CloudEvents 1.0, HTTP protocol binding (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Final, final

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.errors import Reason
from driftgauge.http1.heads import RequestHead
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import OVERFLOW, Kind, ModelKey, Offer, Outcome, PairObservation, Payload, is_overflow
from driftgauge.inference.request_ids import request_fields
from driftgauge.logger.delivery import Delivery
from driftgauge.logger.inference_filter import InferenceFilter
from driftgauge.logger.pair_sampling import PairSampling
from driftgauge.logger.parse_queue import ParseQueue
from driftgauge.logger.revision_reader import RevisionReader
from driftgauge.logger.unauthorized import Unauthorized
from driftgauge.metrics.loss_log import LossLog
from driftgauge.metrics.model_metrics import ModelMetrics
from driftgauge.metrics.registry import Metrics
from driftgauge.protocol.openai import read_openai
from driftgauge.server.body_copy import BodyCopy, MemoryBudget
from driftgauge.server.connection import ClientConnection
from driftgauge.server.connection_limit import DEFAULT_MAX_CONNECTIONS, ConnectionLimit
from driftgauge.server.listener import Listener
from driftgauge.server.timeouts import Timeouts
from driftgauge.server.tls import Tls

_TIMEOUTS = Timeouts(keepalive=30.0)
"""The agent neither closes nor reuses its TLS connections: waiting longer would keep one open for each event."""

_MAX_KEYS: Final = 1_000
"""Most keys of models that are kept: 1 MB. To make one takes longer than to find it."""

_MAX_AGE_SECONDS: Final = 86_400
"""Age of an event up to which its own time is believed: the hour of a row must be that of the request."""


@final
class Receiver:
    """Listens for events and offers their payloads.

    Args:
        offer: Called with each payload.
        pair: Called with each half of a pair; returns whether it is new.
        send_on: Called with each request and its number of events, to send it on to other loggers.
        metrics: Where requests are counted.
        models: The models that may have series of their own.
        inferences: Recognises the events of inferences.
        revisions: Reads the revision of the pod that sent an event.
        sampling: Decides which events are read.
        max_event_bytes: Longest body that is read.
        budget_bytes: Bytes that all incoming bodies may have together.
        max_connections: Connections of senders that may be open at once.
        authorize: Returns whether the head of a request presents a valid token; `None` if anybody may send events.
        clock: Seconds since the epoch.
        timeouts: Limits of time for senders.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each; tests replace the last two
        self,
        *,
        offer: Offer,
        pair: Callable[[PairObservation], bool],
        send_on: Callable[[RequestHead, bytes, int], None],
        metrics: Metrics,
        models: KnownModels,
        inferences: InferenceFilter,
        revisions: RevisionReader,
        sampling: PairSampling,
        max_event_bytes: int,
        budget_bytes: int,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        authorize: Callable[[RequestHead], bool] | None = None,
        clock: Callable[[], float] = time.time,
        timeouts: Timeouts = _TIMEOUTS,
    ) -> None:
        self._offer = offer
        self._pair = pair
        self._send_on = send_on
        self._metrics = metrics
        self._models = models
        self._inferences = inferences
        self._revisions = revisions
        self._sampling = sampling
        self._authorize = authorize
        self._max_event_bytes = max_event_bytes
        self.budget = MemoryBudget(budget_bytes)
        self._parse_queue = ParseQueue(self.budget)
        self._clock = clock
        self._losses = LossLog()
        self._keys: dict[tuple[str, str, str, str, str], ModelKey] = {}
        limit = ConnectionLimit(max_connections, metrics.refused_connections.inc, time.monotonic)
        self._listener = Listener(self._on_request, timeouts, limit=limit)

    @property
    def parse_queue(self) -> ParseQueue:
        """Parses long bodies."""
        return self._parse_queue

    @property
    def draining(self) -> bool:
        """Whether senders are asked to close their connections."""
        return self._listener.draining

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        return await self._listener.start(host, port, tls)

    def begin_drain(self) -> None:
        """Ask senders to leave: each response ends its connection, so that the next event goes elsewhere."""
        self._listener.begin_drain()

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, and let requests end within the limit."""
        await self._listener.drain(timeout_seconds)

    async def close(self) -> None:
        """Close every connection."""
        await self._listener.close()
        await self._parse_queue.close()

    def accept(self, event: Event) -> None:
        """Count, pair and offer one event."""
        kind, body, key = event.kind, event.body, self._model_of(event)
        inference = self._inferences.is_inference(key if key in self._models else OVERFLOW, event)
        failed = event.status is not None and event.status >= HTTPStatus.BAD_REQUEST
        # Neither a GET nor a failure proves a model: requests to anything could use up the series.
        model = self._models.admit(key, proven=inference and not failed)
        self._inferences.record(key if key in self._models else OVERFLOW, event)
        openai = read_openai(kind, body) if inference else None
        if openai is not None:
            model = self._admit_named(model, openai.model, proven=kind is Kind.RESPONSE and not failed)
        metrics = self._metrics.model(model)
        if not inference:
            metrics.count_payload(kind, Outcome.REJECTED, Reason.EMPTY)
            return
        # Models without series of their own share one key, so their ids cannot be paired.
        half = PairObservation(model, event.id, kind, event.time, event.recorded)
        if not is_overflow(model) and not self._pair(half):
            if openai is None:
                metrics.count_payload(kind, Outcome.REJECTED, Reason.DUPLICATE)
            return
        self._count(event, metrics, failed=failed)
        if openai is not None:  # no payload, since it has no rows
            return
        if failed:  # the model did not predict from these rows
            metrics.count_payload(kind, Outcome.REJECTED, Reason.FAILED)
            return
        # The ratio comes last: replicas whose ratios differ pair and count all the same.
        if not is_overflow(model) and not self._sampling.takes(metrics.sample, kind, event.id):
            metrics.count_payload(kind, Outcome.SAMPLED_OUT)
            return
        time_passed = passed_at(event.time, self._clock())
        self._offer(Payload(kind, event.id, model, body, event.json_length, event.status, time_passed))

    def _count(self, event: Event, metrics: ModelMetrics, *, failed: bool) -> None:
        """Count a request, or the error that a response reports for a request that has an event of its own."""
        code = "" if event.status is None else str(event.status)
        if event.kind is Kind.REQUEST:
            metrics.count_request(code)
            metrics.exchanges.request_bytes += len(event.body)
            return
        metrics.exchanges.response_bytes += len(event.body)
        if failed:
            metrics.count_error(code)

    def accept_all(self, events: Sequence[Event | RefusedEvent]) -> None:
        """Accept the events of one body, and count those that cannot be used."""
        for event in events:
            if isinstance(event, RefusedEvent):
                self.count_loss(event, None)
            else:
                self.accept(event)

    def count_loss(self, loss: RefusedEvent, event: Event | None) -> None:
        """Count the loss of an event, which may be known by its head alone, or of one whose model is not known."""
        reason, sentence = loss
        outcome = Outcome.DROPPED if reason.dropped else Outcome.REJECTED
        key = OVERFLOW if event is None else self._model_of(event)
        named = "" if event is None else f" ({key})"
        fields = partial(_fields_of, reason, event, key)
        self._losses.add(f"an event was {outcome} as {reason}", f"{sentence}{named}", fields)
        if event is None:
            self._metrics.model(key).count_payload(Kind.REQUEST, outcome, reason)
            return
        # Without its body an event proves no model, unless somebody filed a reference for the model.
        proven = reason is Reason.TOO_LARGE and self._models.is_reserved(key)
        model = self._models.admit(key, proven=proven)
        self._metrics.model(model).count_payload(event.kind, outcome, reason)

    def send_on(self, head: RequestHead, body: bytes, events: int) -> None:
        """Send a request with so many events on to the other loggers, also if none of them can be read."""
        self._send_on(head, body, events)

    def _admit_named(self, model: ModelKey, name: str | None, *, proven: bool) -> ModelKey:
        """The key of the model that an OpenAI-compatible body names; that of its InferenceService if it has no place.

        Args:
            model: The key of the InferenceService.
            name: The name in the body, if it has one.
            proven: Whether the model server wrote it; any client can write names into requests.
        """
        if name is None or is_overflow(model):
            return model
        named = self._models.admit(model._replace(model_name=name), proven=proven)
        return model if is_overflow(named) else named

    def _model_of(self, event: Event) -> ModelKey:
        """The model of an event: its InferenceService, since an event names no model."""
        service = event.inference_service
        names = event.namespace, service, event.component, service, self._revisions.read(event)
        known = self._keys.get(names)
        if known is None:
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            known = self._keys[names] = ModelKey(*names)
        return known

    def _on_request(self, head: RequestHead, client: ClientConnection) -> Delivery | Unauthorized:
        if self._authorize is not None and head.method == b"POST" and not self._authorize(head):
            return Unauthorized(head, client)
        return Delivery(head, self, client, BodyCopy(self.budget, self._max_event_bytes))


def passed_at(event_time: float | None, now: float) -> float:
    """When a payload passed: the time of its event if that is at most a day ago, else now. Both clocks may be wrong."""
    is_plausible = event_time is not None and 0 <= now - event_time <= _MAX_AGE_SECONDS
    return event_time if event_time is not None and is_plausible else now


def _fields_of(reason: Reason, event: Event | None, model: ModelKey) -> Mapping[str, object]:
    """What a line in JSON on the loss of an event has beside its message."""
    if event is None:
        return {"reason": str(reason)}
    known: dict[str, object] = {"kind": str(event.kind), "reason": str(reason)}
    return known | model._asdict() | request_fields(event.id, b"")
