"""What is counted and copied of one request. Most requests are none of our business: for them a tally does nothing."""

from collections.abc import Callable

from driftgauge.errors import Reason
from driftgauge.http1.framing import HeaderMap
from driftgauge.inference.models import KnownModels
from driftgauge.inference.payload import Kind, ModelKey, Offer, Outcome, Payload
from driftgauge.metrics.model_metrics import ModelMetrics
from driftgauge.metrics.registry import Metrics
from driftgauge.proxy.routing import inference_model, json_length, payload_id
from driftgauge.server.body_copy import BodyCopy, MemoryBudget

_OK = 200
"""The one status whose body is taken for a prediction, as by KServe's agent."""

_FIRST_ERROR = 400

_CLIENT_LEFT = 499
"""Even if the last byte was given to the socket: it was not all sent."""


class ExchangeRecorder:
    """Follows one exchange and does nothing: the tally of what is not an inference.

    Attributes:
        is_inference: Whether the request asks for an inference: it changes nothing, and may be done twice.
    """

    __slots__ = ()

    is_inference = False

    def request_piece(self, piece: bytes) -> None:
        """Bytes of the request's body have come from the client."""

    def request_complete(self) -> None:
        """The request's body has come whole."""

    def forwarded(self) -> None:
        """The request's head is on its way to the model server."""

    def response_begins(self, status: int, fields: HeaderMap) -> None:
        """The answer's head has come from the model server."""

    def response_piece(self, piece: bytes) -> None:
        """Bytes of the answer's body have come."""

    def response_complete(self) -> None:
        """The answer's last byte has come from the model server."""

    def replaced(self, body: bytes) -> None:
        """The client is given an answer of our own, with this body, in place of what the model server said."""

    def handed(self) -> None:
        """The answer's last byte was given to the client's socket."""

    def finish(self, code: int) -> None:
        """The exchange is over, with this code."""


class RecorderFactory:
    """What all tallies of a proxy share.

    Args:
        model: Identity from the configuration; the model's name is that of the request.
        offer: Takes the payloads.
        metrics: Where requests are counted.
        models: Which models may have series of their own.
        clock: Seconds since the epoch.
        timer: Seconds of a clock that never goes back.
        budget: What the copies share.
        max_payload_bytes: Longest body that is copied.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the door names each
        self,
        model: ModelKey,
        offer: Offer,
        metrics: Metrics,
        models: KnownModels,
        clock: Callable[[], float],
        timer: Callable[[], float],
        budget: MemoryBudget,
        max_payload_bytes: int,
    ) -> None:
        self.offer = offer
        self.clock = clock
        self.timer = timer
        self._model = model
        self._metrics = metrics
        self._models = models
        self._budget = budget
        self._max_payload_bytes = max_payload_bytes
        self._places: dict[str, tuple[ModelKey, ModelMetrics]] = {}

    def open(self, method: bytes, target: bytes, fields: HeaderMap, begun: float) -> ExchangeRecorder:
        """The tally of a request.

        Args:
            method: Its method.
            target: Its target, as sent.
            fields: Its lines.
            begun: When its first byte came, by `timer`.
        """
        name = inference_model(method, target, fields)
        return NULL_RECORDER if name is None else InferenceRecorder(self, name, fields, begun)

    def body_copy(self) -> BodyCopy:
        """The copy of a body that begins to come."""
        return BodyCopy(self._budget, self._max_payload_bytes)

    def place(self, name: str, *, proven: bool) -> tuple[ModelKey, ModelMetrics]:
        """Where requests for a model of that name are counted; a model that is known has its own place at hand.

        Args:
            name: As the request tells it.
            proven: Whether its server answered well; only then is a new name admitted.
        """
        found = self._places.get(name)
        if found is not None:
            return found
        key = self._model._replace(model_name=name)
        admitted = self._models.admit(key, proven=proven)
        found = admitted, self._metrics.model(admitted)
        if admitted == key:
            self._places[name] = found
        return found


class InferenceRecorder(ExchangeRecorder):
    """Counts one inference and copies both of its bodies.

    `request_latency_seconds` runs from the first byte of the request's head to the answer's last byte given to the
    client's socket. `driftgauge_proxy_overhead_seconds` is the sum of two spans of it: from the request's head being
    parsed to its being written to the model server's socket (a new connection included), and from the model server's
    last byte being read to its being given to the client's socket. Neither waits for the client's body nor for the
    model. What the proxy spends on bytes in the middle of a long body is not in it, since it runs while others wait.

    Args:
        ledger: What all tallies share.
        name: Of the model that the request names; not admitted yet.
        fields: Lines of the request.
        begun: When its first byte came, by the ledger's `timer`.
    """

    is_inference = True

    # What most exchanges leave as it is stands on the class.
    _forwarded: float | None = None
    _responded: float | None = None
    _handed: float | None = None
    _response: BodyCopy | None = None
    _response_bytes = 0
    _request_whole = False

    def __init__(self, ledger: RecorderFactory, name: str, fields: HeaderMap, begun: float) -> None:
        self._ledger = ledger
        self._name = name
        self._begun = begun
        self._parsed = ledger.timer()
        self._time = ledger.clock()
        self._fields = fields
        self._response_fields = fields
        self._request = ledger.body_copy()
        self._in_flight = ledger.place(name, proven=False)[1].exchanges
        self._in_flight.in_flight += 1

    def request_piece(self, piece: bytes) -> None:
        """Copies and counts it."""
        self._request.add(piece)

    def request_complete(self) -> None:
        """The copy may be offered."""
        self._request_whole = True

    def forwarded(self) -> None:
        """Ends the first span of the overhead."""
        self._forwarded = self._ledger.timer()

    def response_begins(self, status: int, fields: HeaderMap) -> None:
        """Only a body with status 200 is copied."""
        if status == _OK:
            self._response = self._ledger.body_copy()
            self._response_fields = fields

    def response_piece(self, piece: bytes) -> None:
        """Counts it, and copies it if it is to be copied."""
        self._response_bytes += len(piece)
        if self._response is not None:
            self._response.add(piece)

    def response_complete(self) -> None:
        """Begins the second span of the overhead."""
        self._responded = self._ledger.timer()

    def replaced(self, body: bytes) -> None:
        """Counts it; what the model server had begun to say is no answer."""
        self._response_bytes = len(body)
        if self._response is not None:
            self._response.give_up(Reason.INCOMPLETE)

    def handed(self) -> None:
        """Ends the second span of the overhead, and the latency."""
        self._handed = self._ledger.timer()

    def finish(self, code: int) -> None:
        """Counts the request and hands its payloads on."""
        ended = self._handed if self._handed is not None else self._ledger.timer()
        self._in_flight.in_flight -= 1
        key, metrics = self._ledger.place(self._name, proven=code < _FIRST_ERROR)
        metrics.count_request(str(code))
        exchanges = metrics.exchanges
        exchanges.latency.observe(ended - self._begun)
        exchanges.overhead.observe(self._overhead(ended))
        exchanges.request_bytes += self._request.size_bytes
        exchanges.response_bytes += self._response_bytes
        self._settle(key, metrics, code)

    def _overhead(self, ended: float) -> float:
        before = (self._forwarded or ended) - self._parsed
        return before + (ended - self._responded if self._responded is not None else 0)

    def _settle(self, key: ModelKey, metrics: ModelMetrics, code: int) -> None:
        """Give each copy its end."""
        name = payload_id(self._fields)
        if not self._request_whole:
            self._request.give_up(Reason.INCOMPLETE)
        if self._request.loss is None:
            reported = json_length(self._fields)
            self._ledger.offer(Payload(Kind.REQUEST, name, key, self._request.body(), reported, code, self._time))
        else:
            _count_loss(metrics, Kind.REQUEST, self._request.loss)
        if self._response is None:
            return
        if self._handed is None or code == _CLIENT_LEFT:
            self._response.give_up(Reason.INCOMPLETE)
        if self._response.loss is None:
            reported, now = json_length(self._response_fields), self._ledger.clock()
            self._ledger.offer(Payload(Kind.RESPONSE, name, key, self._response.body(), reported, code, now))
        else:
            _count_loss(metrics, Kind.RESPONSE, self._response.loss)


NULL_RECORDER = ExchangeRecorder()
"""Keeps nothing, so one does for all."""


def _count_loss(metrics: ModelMetrics, kind: Kind, loss: Reason) -> None:
    metrics.count_payload(kind, Outcome.DROPPED if loss.dropped else Outcome.REJECTED, loss)
