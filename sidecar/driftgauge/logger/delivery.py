"""Handles one request of a sender: collects its body, passes its events on, and responds."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol, final

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.cloudevents.kserve_agent import agent_event
from driftgauge.errors import PayloadError, Reason
from driftgauge.http1.grammar import HeaderList
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.writing import CONTINUE_HEAD
from driftgauge.inference.request_ids import header_fields
from driftgauge.logger.parse_queue import SHORT_BYTES, ParseQueue, only_refused, parse
from driftgauge.server.body_copy import BodyCopy
from driftgauge.server.connection import ClientConnection
from driftgauge.server.request_handler import ShortResponse

_INTERNAL_ERROR = "the logger met an error"
_ROOT_RESPONSE = b"driftgauge logger: POST CloudEvents here\n"


class EventSink(Protocol):
    """Where the events of all senders go."""

    @property
    def parse_queue(self) -> ParseQueue:
        """Parses long bodies."""

    def accept(self, event: Event) -> None:
        """Count, pair and offer one event."""

    def accept_all(self, events: Sequence[Event | RefusedEvent]) -> None:
        """Accept the events of one body, and count those that cannot be used."""

    def count_loss(self, loss: RefusedEvent, event: Event | None) -> None:
        """Count the loss of an event, which may be known by its head alone, or of one whose model is not known."""

    def send_on(self, head: RequestHead, body: bytes, events: int) -> None:
        """Send a request with so many events on to the other loggers, also if none of them can be read."""


@final
class Delivery:
    """Handles one request of a sender; see `RequestHandler`.

    Args:
        head: Head of the request.
        sink: Accepts the events.
        client: Connection of the sender.
        body_copy: Collects the body.
    """

    __slots__ = (
        "_body_copy",
        "_client",
        "_head",
        "_is_client_lost",
        "_is_expecting",
        "_is_parsed_later",
        "_response",
        "_sink",
    )

    def __init__(self, head: RequestHead, sink: EventSink, client: ClientConnection, body_copy: BodyCopy) -> None:
        self._head = head
        self._sink = sink
        self._client = client
        self._response = ShortResponse(head, client)
        self._body_copy = body_copy
        self._is_expecting = head.expects_continue
        self._is_client_lost = False
        self._is_parsed_later = False

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
        """Count the loss of an event whose sender is gone; a body that waits to be parsed is not lost."""
        self._is_client_lost = True
        if not self._is_parsed_later and not self._response.is_written:
            self._body_copy.give_up(Reason.INCOMPLETE)
            self._count_loss(Reason.INCOMPLETE, "the sender left before the event was complete")

    def on_shutdown(self) -> None:
        """Count the loss of an event that is still coming."""
        self.on_client_lost()

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The id of the event, for a line of the log."""
        return header_fields(self._head.fields)

    def on_internal_error(self) -> None:
        """Respond after an exception in our code."""
        if not self._response.is_written:
            self._reject(Reason.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL_ERROR)
        else:  # the sender has the response, but the event is lost
            self._count_loss(Reason.INTERNAL, _INTERNAL_ERROR)
            self._response.finish()

    def on_count(self, events: int, body: bytes) -> None:
        """Send a body that was parsed in the thread on to the other loggers."""
        self._sink.send_on(self._head, body, events)

    def on_events(self, events: Sequence[Event | RefusedEvent]) -> None:
        """Accept the next events of a body that was parsed in the thread."""
        self._sink.accept_all(events)

    def on_parsed(self, refused: RefusedEvent | None) -> None:
        """Respond after the last event of such a body."""
        if not self._is_client_lost:
            self._write_result(refused)
            self._response.finish()

    def on_parse_failure(self, reason: Reason) -> None:
        """Count the loss of such a body, and respond."""
        sentence = "the logger ends" if reason is Reason.SHUTDOWN else _INTERNAL_ERROR
        self._count_loss(reason, sentence)
        if not self._is_client_lost and not self._response.is_written:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)

    def _receive(self, body: bytes) -> None:
        """Respond, then count: only whether there is an event decides the response."""
        try:
            event = agent_event(self._head.fields, body)
        except PayloadError as error:
            self._receive_all([RefusedEvent(error.reason, str(error))], body)
            return
        if event is not None:
            self._response.write(HTTPStatus.OK, b"", b"")
            self._sink.send_on(self._head, body, 1)
            self._sink.accept(event)
            self._response.finish()
        elif len(body) <= SHORT_BYTES:
            self._receive_all(parse(self._head.fields, body), body)
        elif self._sink.parse_queue.submit(self._head.fields, body, self):
            self._is_parsed_later = True
        else:
            self._reject(*_LOSSES[Reason.QUEUE_FULL])

    def _count_loss(self, reason: Reason, sentence: str) -> None:
        """Count the loss of the event for the model that its head names."""
        self._sink.count_loss(RefusedEvent(reason, sentence), named_by(self._head.fields))

    def _receive_all(self, events: Sequence[Event | RefusedEvent], body: bytes) -> None:
        self._write_result(only_refused(events))
        self._sink.send_on(self._head, body, len(events))
        self._sink.accept_all(events)
        self._response.finish()

    def _write_result(self, refused: RefusedEvent | None) -> None:
        if refused is None:
            self._response.write(HTTPStatus.OK, b"", b"")
            return
        is_complex = refused.reason is Reason.TOO_COMPLEX
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_complex else HTTPStatus.BAD_REQUEST
        self._response.write(status, b"application/json", _error_json(refused.sentence))

    def _reject(self, reason: Reason, status: int, sentence: str) -> None:
        """Respond with an error; the body is not read to its end, so the connection cannot be kept."""
        self._body_copy.give_up(reason)
        self._count_loss(reason, sentence)
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


def named_by(fields: Mapping[bytes, bytes]) -> Event | None:
    """The event that a head describes, without its body; `None` if the head is not that of a valid event."""
    try:
        event = agent_event(fields, b"")
    except PayloadError:
        return None
    if event is not None:
        return event
    (parsed,) = parse(fields, b"")  # a body that would hold the attributes is empty, so there is one item
    return parsed if isinstance(parsed, Event) else None


def _error_json(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()
