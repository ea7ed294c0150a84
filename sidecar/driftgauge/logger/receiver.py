"""Receives the CloudEvents of KServe's loggers, and responds at once.

The agent in the serving pod has five workers, no timeout and no limit on what waits for them: the time that a response
takes here is memory there. So nothing is decoded before the response, and nothing is awaited but the body.

Source: CloudEvents 1.0, HTTP protocol binding (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import final

from driftgauge.cloudevents.event import Event
from driftgauge.cloudevents.kserve_agent import agent_event
from driftgauge.errors import PayloadError, Reason
from driftgauge.http1.grammar import HeaderList
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.writing import CONTINUE_HEAD
from driftgauge.inference.payload import (
    OVERFLOW,
    Kind,
    KnownModels,
    ModelKey,
    Offer,
    Outcome,
    PairObservation,
    Payload,
    is_overflow,
)
from driftgauge.metrics.registry import Metrics
from driftgauge.server.body_copy import BodyCopy, MemoryBudget
from driftgauge.server.connection import ClientConnection
from driftgauge.server.connection_limit import DEFAULT_MAX_CONNECTIONS, ConnectionLimit
from driftgauge.server.listener import Listener
from driftgauge.server.request_handler import ShortResponse
from driftgauge.server.timeouts import Timeouts

_ROOT_RESPONSE = b"driftgauge logger: POST CloudEvents here\n"

_TIMEOUTS = Timeouts(keepalive=30.0)
"""The agent neither closes nor reuses its TLS connections: waiting longer would keep one open for each event."""


@final
class Receiver:
    """Listens for events and offers their payloads.

    Args:
        offer: Called with each payload.
        pair: Called with each half of a pair; returns whether it is new.
        metrics: Where requests are counted.
        models: The models that may have series of their own.
        max_event_bytes: Longest body that is read.
        budget_bytes: Bytes that all incoming bodies may have together.
        max_connections: Connections of senders that may be open at once.
        clock: Seconds since the epoch.
        timeouts: Limits of time for senders.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each; tests replace the last two
        self,
        *,
        offer: Offer,
        pair: Callable[[PairObservation], bool],
        metrics: Metrics,
        models: KnownModels,
        max_event_bytes: int,
        budget_bytes: int,
        max_connections: int = DEFAULT_MAX_CONNECTIONS,
        clock: Callable[[], float] = time.time,
        timeouts: Timeouts = _TIMEOUTS,
    ) -> None:
        self._offer = offer
        self._pair = pair
        self._metrics = metrics
        self._models = models
        self._max_event_bytes = max_event_bytes
        self.budget = MemoryBudget(budget_bytes)
        self._clock = clock
        limit = ConnectionLimit(max_connections, metrics.refused_connections.inc, time.monotonic)
        self._listener = Listener(self._on_request, timeouts, limit=limit)

    @property
    def draining(self) -> bool:
        """Whether senders are asked to leave."""
        return self._listener.draining

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        return await self._listener.start(host, port)

    def begin_drain(self) -> None:
        """Ask senders to leave: each response ends its connection, so that the next event goes elsewhere."""
        self._listener.begin_drain()

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, and let requests end within the limit."""
        await self._listener.drain(timeout_seconds)

    async def close(self) -> None:
        """Close every connection."""
        await self._listener.close()

    def accept(self, event: Event) -> None:
        """Count, pair and offer one event."""
        kind, body = event.kind, event.body
        inference = bool(body)
        name = event.inference_service
        # An event without a body proves no model: health checks of anything could use up the series.
        model = self._models.admit(ModelKey(event.namespace, name, event.component, name), proven=inference)
        metrics = self._metrics.model(model)
        true_time = event.recorded and inference
        # Models without series of their own share one key, so their ids cannot be paired.
        if not is_overflow(model) and not self._pair(PairObservation(model, event.id, kind, event.time, true_time)):
            metrics.count_payload(kind, Outcome.REJECTED, Reason.DUPLICATE)
            return
        if not inference:
            # A health check or a GET: KServe's agent sends an event for every request that is not its own probe.
            metrics.count_payload(kind, Outcome.REJECTED, Reason.EMPTY)
            return
        if kind is Kind.REQUEST:
            metrics.count_request("")
            metrics.exchanges.request_bytes += len(body)
        else:
            metrics.exchanges.response_bytes += len(body)
        now = self._clock()
        time_passed = now if event.time is None else min(event.time, now)
        self._offer(Payload(kind, event.id, model, body, event.json_length, None, time_passed))

    def count_loss(self, reason: Reason) -> None:
        """Count an event whose model is not known."""
        outcome = Outcome.DROPPED if reason.dropped else Outcome.REJECTED
        self._metrics.model(OVERFLOW).count_payload(Kind.REQUEST, outcome, reason)

    def _on_request(self, head: RequestHead, client: ClientConnection) -> "Delivery":
        return Delivery(head, self, client, BodyCopy(self.budget, self._max_event_bytes))


@final
class Delivery:
    """Handles one request of a sender; see `RequestHandler`.

    Args:
        head: Head of the request.
        receiver: Accepts the events.
        client: Connection of the sender.
        body_copy: Collects the body.
    """

    __slots__ = ("_body_copy", "_client", "_head", "_is_expecting", "_receiver", "_response")

    def __init__(self, head: RequestHead, receiver: Receiver, client: ClientConnection, body_copy: BodyCopy) -> None:
        self._head = head
        self._receiver = receiver
        self._client = client
        self._response = ShortResponse(head, client)
        self._body_copy = body_copy
        self._is_expecting = head.expects_continue

    @property
    def response_started(self) -> bool:
        """Whether any of the response was given to the client."""
        return self._response.is_written

    @property
    def response_sent(self) -> bool:
        """Whether all of it was."""
        return self._response.is_written

    def on_body(self, data: bytes) -> None:
        """Collect the body, within the limits."""
        self._is_expecting = False
        if self._response.is_written:
            return
        self._body_copy.add(data)
        if self._body_copy.loss is not None:
            self._reject(*_LOSSES[self._body_copy.loss])

    def on_request_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - trailers are not part of an event
        """Respond."""
        self._is_expecting = False
        if self._response.is_written:
            return
        if self._head.method == b"POST":
            self._receive(self._body_copy.take())
        elif self._head.method in {b"GET", b"HEAD"}:
            self._respond(HTTPStatus.OK, b"text/plain; charset=utf-8", _ROOT_RESPONSE)
        else:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "events are sent by POST")

    def flush(self) -> None:
        """Ask for the body, if the sender waits for that."""
        if self._is_expecting:
            self._is_expecting = False
            self._client.write(CONTINUE_HEAD)

    def on_framing_error(self) -> None:
        """Reject an event whose body cannot be read to its end."""
        self._reject(Reason.INCOMPLETE, HTTPStatus.BAD_REQUEST, "the event's body is not complete")

    def on_timeout(self) -> None:
        """Reject an event whose body comes too slowly."""
        self._reject(Reason.INCOMPLETE, HTTPStatus.REQUEST_TIMEOUT, "the event's body did not come in time")

    def on_client_full(self, *, full: bool) -> None:
        """Wait for a sender that does not read."""
        self._response.on_client_full(full=full)

    def on_client_lost(self) -> None:
        """Count the loss of an event whose sender is gone."""
        if not self._response.is_written:
            self._body_copy.give_up(Reason.INCOMPLETE)
            self._receiver.count_loss(Reason.INCOMPLETE)

    def on_shutdown(self) -> None:
        """Count the loss of an event that is still coming."""
        self.on_client_lost()

    def on_internal_error(self) -> None:
        """Respond after an exception in our code."""
        if not self._response.is_written:
            self._reject(Reason.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR, "the logger met an error")
        else:  # the sender has the response, but the event is lost
            self._receiver.count_loss(Reason.INTERNAL)
            self._response.finish()

    def _receive(self, body: bytes) -> None:
        """Respond, then count: only whether there is an event decides the response."""
        try:
            event = agent_event(self._head.fields, body)
        except PayloadError as error:
            self._receive_all([error])
            return
        if event is None:
            self._receive_all(_parse_events(self._head.fields, body))
            return
        self._response.write(HTTPStatus.OK, b"", b"")
        self._receiver.accept(event)
        self._response.finish()

    def _receive_all(self, events: Sequence[Event | PayloadError]) -> None:
        first = events[0] if len(events) == 1 else None
        if isinstance(first, PayloadError):
            self._response.write(HTTPStatus.BAD_REQUEST, b"application/json", _error_json(str(first)))
        else:
            self._response.write(HTTPStatus.OK, b"", b"")
        for event in events:
            if isinstance(event, PayloadError):
                self._receiver.count_loss(event.reason)
            else:
                self._receiver.accept(event)
        self._response.finish()

    def _reject(self, reason: Reason, status: int, sentence: str) -> None:
        """Respond with an error; the body is not read to its end, so the connection cannot be kept."""
        self._body_copy.give_up(reason)
        self._receiver.count_loss(reason)
        self._refuse(status, sentence)

    def _refuse(self, status: int, sentence: str) -> None:
        self._respond(status, b"application/json", _error_json(sentence), keep_alive=False)

    def _respond(self, status: int, content_type: bytes, body: bytes, *, keep_alive: bool = True) -> None:
        self._response.write(status, content_type, body, keep_alive=keep_alive)
        self._response.finish()


_LOSSES: Mapping[Reason, tuple[Reason, int, str]] = {
    Reason.TOO_LARGE: (Reason.TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the event's body is too long"),
    Reason.QUEUE_FULL: (Reason.QUEUE_FULL, HTTPStatus.SERVICE_UNAVAILABLE, "too many events come at once"),
}


def _error_json(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()


def _parse_events(fields: Mapping[bytes, bytes], body: bytes) -> list[Event | PayloadError]:
    """Parse the events of any sender."""
    # The SDK takes 3 MB of memory, which is not needed for traffic from KServe alone.
    from driftgauge.cloudevents.sdk import parse_events  # noqa: PLC0415 - see above

    headers = [(name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in fields.items()]
    return parse_events(headers, body)
