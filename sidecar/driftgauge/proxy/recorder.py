"""Counts one exchange, and copies its bodies if it is an inference of V1 or V2."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, final

from driftgauge.errors import Reason
from driftgauge.http1.grammar import HeaderMap
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import Kind, ModelKey, Offer, Outcome, Payload, is_overflow
from driftgauge.inference.sample_ratio import FIRST_FULLNESS, is_sampled
from driftgauge.metrics.model_metrics import ModelMetrics
from driftgauge.metrics.registry import Metrics
from driftgauge.proxy.exchange_recorder import NULL_RECORDER, ExchangeRecorder
from driftgauge.proxy.failures import CLIENT_CLOSED_REQUEST
from driftgauge.proxy.routing import inference_model, json_length, payload_id, traceparent
from driftgauge.server.body_copy import BodyCopy, MemoryBudget

_OK = int(HTTPStatus.OK)
_USED_COPIES: Final = 0.8
"""How much of their memory copies have when it counts as full: the next pieces of bodies must fit."""

FIRST_ERROR = int(HTTPStatus.BAD_REQUEST)
"""The smallest status code of an error."""


@final
class RecorderFactory:
    """Makes the recorders of a proxy, and holds what they share.

    Args:
        model: Identity from the configuration; the model's name is that of the request.
        offer: Called with each payload.
        metrics: Where requests are counted.
        models: The models that may have series of their own.
        clock: Seconds since the epoch.
        timer: Seconds of a monotonic clock.
        budget: Memory of all copies.
        max_payload_bytes: Longest body that is copied.
        defer: Calls a function in a later turn of the event loop.
    """

    def __init__(  # noqa: PLR0913 - keywords, which the proxy passes on from the composition root
        self,
        *,
        model: ModelKey,
        offer: Offer,
        metrics: Metrics,
        models: KnownModels,
        clock: Callable[[], float],
        timer: Callable[[], float],
        budget: MemoryBudget,
        max_payload_bytes: int,
        defer: Callable[[Callable[[], None]], object],
    ) -> None:
        self.offer = offer
        self.clock = clock
        self.timer = timer
        self.defer = defer
        self._model = model
        self._metrics = metrics
        self._models = models
        self._budget = budget
        self._carried = metrics.carried
        self._usable_bytes = max(1.0, _USED_COPIES * budget.free_bytes)
        self._budget_bytes = budget.free_bytes
        self._light_bytes = budget.free_bytes - FIRST_FULLNESS * self._usable_bytes
        self._max_payload_bytes = max_payload_bytes
        self._models_by_name: dict[str, tuple[ModelKey, ModelMetrics]] = {}

    def open(self, method: bytes, target: bytes, fields: HeaderMap, begun: float) -> ExchangeRecorder:
        """Return the recorder of a request.

        Args:
            method: Its method.
            target: Its target, as sent.
            fields: Its header fields.
            begun: When its first byte came, by `timer`.
        """
        name = inference_model(method, target, fields)
        return NULL_RECORDER if name is None else InferenceRecorder(self, name, fields, begun)

    @property
    def own_name(self) -> str:
        """The model's name from the configuration."""
        return self._model.model_name

    def body_copy(self, max_bytes: int | None = None) -> BodyCopy:
        """Return an empty copy for a body of at most `max_bytes`, by default `max_payload_bytes`."""
        return BodyCopy(self._budget, self._max_payload_bytes if max_bytes is None else max_bytes)

    @property
    def is_short_of_memory(self) -> bool:
        """Whether copies have so much memory that the sample ratio falls."""
        return self._budget.free_bytes < self._light_bytes

    def note_copies(self) -> None:
        """Let the sample ratio follow the memory of the copies, if they have much, or had."""
        if self._budget.free_bytes < self._light_bytes or self._carried.copies:
            fullness = (self._budget_bytes - self._budget.free_bytes) / self._usable_bytes
            self._carried.note_copies(fullness if fullness > FIRST_FULLNESS else 0.0)

    def metrics_of(self, name: str) -> ModelMetrics:
        """The metrics of a request that begins. They may be of a model that has lost its place: `admit` finds out."""
        found = self._models_by_name.get(name)
        return self.admit(name, proven=False)[1] if found is None else found[1]

    def admit(self, name: str, *, proven: bool) -> tuple[ModelKey, ModelMetrics]:
        """Return the key and the metrics that count requests for a model of that name.

        Args:
            name: As in the request.
            proven: Whether its server responded without an error; only then is a new name admitted.
        """
        found = self._models_by_name.get(name)
        if found is not None and self._models.touch(found[0]):
            return found
        key = self._model._replace(model_name=name)
        admitted = self._models.admit(key, proven=proven)
        found = admitted, self._metrics.model(admitted)
        if admitted == key:
            known = {name: one for name, one in self._models_by_name.items() if one[0] in self._models}
            self._models_by_name = {**known, name: found}
        return found


class TimedRecorder(ExchangeRecorder):
    """Counts and times one exchange.

    `request_latency_seconds` runs from the first byte of the request's head to the response's last byte given to the
    client's socket. `driftgauge_proxy_overhead_seconds` is the sum of two spans of it: from the request's head being
    parsed to its being written to the model server's socket (a new connection included), and from the model server's
    last byte being read to its being given to the client's socket. Neither waits for the client's body nor for the
    model. What the proxy spends on bytes in the middle of a long body is not included, since it runs while others wait.

    Args:
        factory: What all recorders share.
        name: Of the model for which the request is in flight.
        begun: When its first byte came, by the factory's `timer`.
    """

    __slots__ = (
        "_begun",
        "_factory",
        "_forwarded",
        "_opened",
        "_parsed",
        "_responded",
        "_response_bytes",
        "_sent",
    )

    def __init__(self, factory: RecorderFactory, name: str, begun: float) -> None:
        self._factory = factory
        self._begun = begun
        self._parsed = factory.timer()
        self._forwarded: float | None = None
        self._responded: float | None = None
        self._sent: float | None = None
        self._response_bytes = 0
        self._opened = factory.metrics_of(name)
        self._opened.exchanges.in_flight += 1

    def on_forwarded(self) -> None:
        """End the first span of the overhead."""
        self._forwarded = self._factory.timer()

    def on_response_body(self, piece: bytes) -> None:
        """Count it."""
        self._response_bytes += len(piece)

    def on_response_end(self) -> None:
        """Begin the second span of the overhead."""
        self._responded = self._factory.timer()

    def on_replaced(self, body: bytes) -> None:
        """Count it in place of the incomplete response."""
        self._response_bytes = len(body)

    def on_sent(self) -> None:
        """End the second span of the overhead, and the latency."""
        self._sent = self._factory.timer()

    def _end(self) -> float:
        """Leave the requests in flight; returns when the exchange ended."""
        self._opened.exchanges.in_flight -= 1
        return self._sent if self._sent is not None else self._factory.timer()

    def _count(self, metrics: ModelMetrics, code: int, request_bytes: int, ended: float) -> None:
        metrics.count_request(str(code))
        exchanges = metrics.exchanges
        exchanges.latency.observe(ended - self._begun)
        exchanges.fine_latency.observe(ended - self._begun)
        exchanges.overhead.observe(self._overhead(ended))
        exchanges.request_bytes += request_bytes
        exchanges.response_bytes += self._response_bytes

    def _overhead(self, ended: float) -> float:
        before = (self._forwarded or ended) - self._parsed
        return before + (ended - self._responded if self._responded is not None else 0)


@final
class InferenceRecorder(TimedRecorder):
    """Counts one inference of V1 or V2, and copies both of its bodies if it belongs to the sample.

    That is decided once, before anything is copied. Only if the pipeline or the memory of copies is almost full, an
    inference may be left out later.

    Args:
        factory: What all recorders share.
        name: Of the model in the request; not admitted yet.
        fields: Header fields of the request.
        begun: When its first byte came, by the factory's `timer`.
    """

    __slots__ = (
        "_fields",
        "_has_failed",
        "_has_prediction",
        "_id",
        "_is_id_made",
        "_is_request_complete",
        "_name",
        "_request",
        "_request_bytes",
        "_response",
        "_response_fields",
        "_time",
    )

    is_inference = True

    def __init__(self, factory: RecorderFactory, name: str, fields: HeaderMap, begun: float) -> None:
        super().__init__(factory, name, begun)
        self._name = name
        self._time = factory.clock()
        self._fields = fields
        self._response_fields = fields
        self._id = ""
        self._is_id_made = False
        self._request: BodyCopy | None = None
        self._request_bytes = 0
        self._response: BodyCopy | None = None
        self._has_prediction = False
        self._is_request_complete = False
        self._has_failed = True
        ratio = self._opened.sample.count_request()
        if ratio >= 1 or (ratio > 0 and is_sampled(self._identify(), ratio)):
            self._request = factory.body_copy()

    def on_request_body(self, piece: bytes) -> None:
        """Count it, and copy it."""
        if self._request is None:
            self._request_bytes += len(piece)
            return
        self._request.add(piece)
        if self._factory.is_short_of_memory:
            self._thin()

    def on_request_end(self) -> None:
        """Note that the copy is complete."""
        self._is_request_complete = True

    def on_response_head(self, status: int, fields: HeaderMap) -> None:
        """Copy the body only if the status code is 200, as KServe's agent does: other bodies hold no prediction.

        The status code also decides whether the rows of the request are kept: from 400 on, or without a response, the
        model has predicted nothing from them. A response that breaks off later, or whose client leaves, began with it.
        """
        self._has_failed = status >= FIRST_ERROR
        if status == _OK:
            self._has_prediction = True
            self._response_fields = fields
            if self._request is not None:
                self._response = self._factory.body_copy()

    def on_response_body(self, piece: bytes) -> None:
        """Count it, and copy it if its status allows it."""
        self._response_bytes += len(piece)
        if self._response is not None:
            self._response.add(piece)
            if self._factory.is_short_of_memory:
                self._thin()

    def on_replaced(self, body: bytes) -> None:
        """Count it, and give up the copy of the incomplete response that it replaces."""
        super().on_replaced(body)
        if self._response is not None:
            self._response.give_up(Reason.INCOMPLETE)

    def finish(self, code: int) -> None:
        """Count the request, and offer its payloads."""
        ended = self._end()
        key, metrics = self._factory.admit(self._name, proven=code < FIRST_ERROR)
        if self._request is not None and metrics.sample.is_thinned_at_end:
            self._thin()
        request = self._request
        self._count(metrics, code, self._request_bytes if request is None else request.size_bytes, ended)
        if request is None:
            self._count_left_out(key, metrics)
        else:
            self._settle(key, metrics, code, request)
        self._factory.note_copies()

    def _identify(self) -> str:
        """The id, which is made when it is needed first."""
        if not self._id:
            self._id, self._is_id_made = payload_id(self._fields)
        return self._id

    def _thin(self) -> None:
        """Leave the inference out if its id is beyond what can still be carried."""
        request, sample = self._request, self._opened.sample
        self._factory.note_copies()
        if request is None or not sample.is_thinned_at_end or sample.keeps(self._identify()):
            return
        self._request_bytes = request.size_bytes
        request.give_up(Reason.QUEUE_FULL)
        self._request = None
        if self._response is not None:
            self._response.give_up(Reason.QUEUE_FULL)
            self._response = None

    def _count_left_out(self, key: ModelKey, metrics: ModelMetrics) -> None:
        """Count the payloads that the inference would have had."""
        is_other = is_overflow(key)
        outcome, reason = (Outcome.DROPPED, Reason.OTHER_MODEL) if is_other else (Outcome.SAMPLED_OUT, None)
        metrics.count_payload(Kind.REQUEST, outcome, reason)
        if self._has_prediction:
            metrics.count_payload(Kind.RESPONSE, outcome, reason)

    def _settle(self, key: ModelKey, metrics: ModelMetrics, code: int, copy: BodyCopy) -> None:
        """Offer each copy, or count its loss."""
        name, is_made, trace = self._identify(), self._is_id_made, traceparent(self._fields)
        if not self._is_request_complete:
            copy.give_up(Reason.INCOMPLETE)
        if copy.loss is None:
            json_bytes, body, failed = json_length(self._fields), copy.take(), self._has_failed
            request = Payload(Kind.REQUEST, name, key, body, json_bytes, code, self._time, failed, trace, is_made)
            self._factory.offer(request)
        else:
            _count_loss(metrics, Kind.REQUEST, copy.loss)
        if self._response is None:
            return
        # A client that left has not read all, even if the last byte was given to its socket.
        if self._sent is None or code == CLIENT_CLOSED_REQUEST:
            self._response.give_up(Reason.INCOMPLETE)
        if self._response.loss is None:
            json_bytes, now = json_length(self._response_fields), self._factory.clock()
            body = self._response.take()
            response = Payload(
                Kind.RESPONSE, name, key, body, json_bytes, code, now, traceparent=trace, is_id_made=is_made
            )
            self._factory.offer(response)
        else:
            _count_loss(metrics, Kind.RESPONSE, self._response.loss)


def _count_loss(metrics: ModelMetrics, kind: Kind, loss: Reason) -> None:
    metrics.count_payload(kind, Outcome.DROPPED if loss.dropped else Outcome.REJECTED, loss)
