"""Door 2: takes the CloudEvents of KServe's loggers and answers at once.

The agent in the serving pod has five workers, no timeout and no bound on what waits for them: the time that an
answer takes here is memory there. So nothing is decoded before the answer, and nothing is awaited but the body.

Source: CloudEvents 1.0, HTTP protocol binding (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from driftgauge.cloudevents.event import Event
from driftgauge.cloudevents.kserve_agent import agent_event
from driftgauge.errors import PayloadError, Reason
from driftgauge.http1.framing import HeaderList
from driftgauge.http1.heads import RequestHead
from driftgauge.inference.models import OVERFLOW, KnownModels, is_overflow
from driftgauge.inference.payload import Kind, ModelKey, Offer, Outcome, PairObservation, Payload
from driftgauge.metrics.registry import Metrics
from driftgauge.server.body_copy import BodyCopy, MemoryBudget
from driftgauge.server.connection import ClientConnection
from driftgauge.server.listener import Listener
from driftgauge.server.short_response import ShortResponse
from driftgauge.server.timeouts import Timeouts

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ROOT_RESPONSE = b"driftgauge logger: POST CloudEvents here\n"

_TIMEOUTS = Timeouts(keepalive=30.0)
"""The agent never closes nor reuses its TLS connections: waiting longer would keep one open for each event."""


class Receiver:
    """Listens for events and hands their payloads on.

    Args:
        offer: Takes each payload.
        pair: Takes each half; says whether it is new.
        metrics: Where requests are counted.
        models: Which models may have series of their own.
        max_event_bytes: Longest body that is read.
        budget_bytes: Bytes that all bodies may have together while they come.
        clock: Seconds since the epoch.
        timeouts: How long senders are waited for.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each; tests replace the last two
        self,
        offer: Offer,
        pair: Callable[[PairObservation], bool],
        metrics: Metrics,
        models: KnownModels,
        max_event_bytes: int,
        budget_bytes: int,
        *,
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
        self._listener = Listener(self._talk, timeouts)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        return await self._listener.start(host, port)

    def announce(self) -> None:
        """From now on ask senders to leave: each answer ends its connection, so that the next event goes elsewhere."""
        self._listener.announce()

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, let the answers under way end within the limit."""
        await self._listener.drain(timeout_seconds)

    async def close(self) -> None:
        """Close every connection."""
        await self._listener.close()

    def take(self, event: Event) -> None:
        """Count, pair and hand on one event."""
        kind, body = event.kind, event.body
        inference = bool(body)
        name = event.inference_service
        # What is no inference proves no model: health checks of anything could use up the places.
        model = self._models.admit(ModelKey(event.namespace, name, event.component, name), proven=inference)
        metrics = self._metrics.model(model)
        true_time = event.recorded and inference
        # Models without series of their own share one key: their ids must not meet.
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
        passed = now if event.time is None else min(event.time, now)
        self._offer(Payload(kind, event.id, model, body, event.json_length, None, passed))

    def lose(self, reason: Reason) -> None:
        """Count an event of which not even the model is known."""
        outcome = Outcome.DROPPED if reason.dropped else Outcome.REJECTED
        self._metrics.model(OVERFLOW).count_payload(Kind.REQUEST, outcome, reason)

    def _talk(self, head: RequestHead, client: ClientConnection) -> "Delivery":
        """Begin to see to a request."""
        response = ShortResponse(head, client, self._listener.closing)
        return Delivery(head, self, response, BodyCopy(self.budget, self._max_event_bytes), client.say)


class Delivery:
    """One request of a sender; see `RequestHandler`.

    Args:
        head: The request's.
        receiver: Takes the events.
        response: Says the answer.
        body_copy: Gathers the body.
        say: Gives other bytes to the client's socket.
    """

    __slots__ = ("_body_copy", "_head", "_is_asked", "_receiver", "_response", "_say")

    def __init__(
        self,
        head: RequestHead,
        receiver: Receiver,
        response: ShortResponse,
        body_copy: BodyCopy,
        say: Callable[[bytes], None],
    ) -> None:
        self._head = head
        self._receiver = receiver
        self._response = response
        self._body_copy = body_copy
        self._say = say
        self._is_asked = head.expects_continue

    @property
    def response_started(self) -> bool:
        """Whether any of the answer was given to the client."""
        return self._response.is_said

    @property
    def has_responded(self) -> bool:
        """Whether all of it was."""
        return self._response.is_said

    def request_piece(self, data: bytes) -> None:
        """Gathered, within the bounds."""
        self._is_asked = False
        if self._response.is_said:
            return
        self._body_copy.add(data)
        if self._body_copy.loss is not None:
            self._lose(*_LOSSES[self._body_copy.loss])

    def request_end(self, trailers: HeaderList) -> None:  # noqa: ARG002 - trailers say nothing of an event
        """The body is here."""
        self._is_asked = False
        if self._response.is_said:
            return
        if self._head.method == b"POST":
            self._receive(self._body_copy.body())
        elif self._head.method in {b"GET", b"HEAD"}:
            self._say_and_end(HTTPStatus.OK, b"text/plain; charset=utf-8", _ROOT_RESPONSE)
        else:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "events are sent by POST")

    def flush(self) -> None:
        """A sender that waits for the word to go on is given it."""
        if self._is_asked:
            self._is_asked = False
            self._say(_CONTINUE)

    def request_broken(self) -> None:
        """The body cannot be read to its end."""
        self._lose(Reason.INCOMPLETE, HTTPStatus.BAD_REQUEST, "the event's body did not come whole")

    def request_late(self) -> None:
        """The sender is too slow with the body."""
        self._lose(Reason.INCOMPLETE, HTTPStatus.REQUEST_TIMEOUT, "the event's body did not come in time")

    def client_full(self, *, full: bool) -> None:
        """The sender does not read what was said, or reads again."""
        self._response.client_full(full=full)

    def client_left(self) -> None:
        """The sender's connection is gone."""
        if not self._response.is_said:
            self._body_copy.give_up(Reason.INCOMPLETE)
            self._receiver.lose(Reason.INCOMPLETE)

    def cut(self) -> None:
        """The receiver closes."""
        self.client_left()

    def fault(self) -> None:
        """The receiver itself met an error."""
        if not self._response.is_said:
            self._lose(Reason.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR, "the logger met an error")
        else:  # the event was answered, and is lost
            self._receiver.lose(Reason.INTERNAL)
            self._response.end()

    def _receive(self, body: bytes) -> None:
        """Answer, then count: what decides the answer is whether there is an event, no more."""
        try:
            event = agent_event(self._head.fields, body)
        except PayloadError as error:
            self._receive_all([error])
            return
        if event is None:
            self._receive_all(_events(self._head.fields, body))
            return
        self._response.say(HTTPStatus.OK, b"", b"")
        self._receiver.take(event)
        self._response.end()

    def _receive_all(self, events: Sequence[Event | PayloadError]) -> None:
        first = events[0] if len(events) == 1 else None
        if isinstance(first, PayloadError):
            self._response.say(HTTPStatus.BAD_REQUEST, b"application/json", _described(str(first)))
        else:
            self._response.say(HTTPStatus.OK, b"", b"")
        for event in events:
            if isinstance(event, PayloadError):
                self._receiver.lose(event.reason)
            else:
                self._receiver.take(event)
        self._response.end()

    def _lose(self, reason: Reason, status: int, sentence: str) -> None:
        """The body is not read to its end, so nothing behind it can be either."""
        self._body_copy.give_up(reason)
        self._receiver.lose(reason)
        self._refuse(status, sentence)

    def _refuse(self, status: int, sentence: str) -> None:
        self._say_and_end(status, b"application/json", _described(sentence), stays=False)

    def _say_and_end(self, status: int, content_type: bytes, body: bytes, *, stays: bool = True) -> None:
        self._response.say(status, content_type, body, stays=stays)
        self._response.end()


_LOSSES: Mapping[Reason, tuple[Reason, int, str]] = {
    Reason.TOO_LARGE: (Reason.TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the event's body is too long"),
    Reason.QUEUE_FULL: (Reason.QUEUE_FULL, HTTPStatus.SERVICE_UNAVAILABLE, "too many events come at once"),
}


def _described(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()


def _events(fields: Mapping[bytes, bytes], body: bytes) -> list[Event | PayloadError]:
    """The events of any sender."""
    # The SDK is 3 MB of memory, which traffic from KServe alone does not cost.
    from driftgauge.cloudevents.sdk import parse_events  # noqa: PLC0415 - see above

    headers = [(name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in fields.items()]
    return parse_events(headers, body)
