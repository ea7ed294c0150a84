"""Whether an inference belongs to the sample: decided by the digest of its id, at a ratio that may change.

`driftgauge.ingest.sampling` sets the ratio; what is here is what each request needs of it. An id belongs to the sample
if its digest is below the ratio's share of all digests, so a sample at a lower ratio is part of one at a higher ratio.
"""

from collections.abc import Callable
from typing import Final, final

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.inference.request_ids import id_digest

DIGESTS: Final = 2.0**64
"""How many digests there are."""

FIRST_FULLNESS: Final = 0.5
_HEAD_SHUT: Final = 0.8
"""How full the pipeline is when the first requests are left out at their head, and when all are."""

FAST_SPAN: Final = _HEAD_SHUT - FIRST_FULLNESS
"""How much of the pipeline fills up from the first to the last of them."""

_END_FULL: Final = 0.75
_END_SHUT: Final = 1.0
"""How full it is when the first inferences are left out although they were taken at their head, and when all are."""

HISTORY_STEPS: Final = 64
"""How finely ratios of the past are remembered."""

_RARE: Final = 0.01
"""A ratio counts as one of the past if at least this share of the inferences was decided at it, or at a lower one."""


@final
class Carried:
    """The share of its sample that the pipeline can carry now, which all models of a process have in common.

    Attributes:
        slow: The part that follows what is carried, in (0, 1].
        head: The share at the head of a request: `slow`, less while the pipeline is filling up.
        end: The same at the end of a response: 1 except in the moment in which the pipeline would otherwise be full.
        trust: How much the state of the pipeline at the head of a request says of its state at the end, in [0, 1]. At
            the head less is left out if responses take long: else all that are under way are decided by one moment.
        recent: The mean of `head` since the last step: what is shown.
        peak: How full the pipeline was at most since the last step.
        relief: Of the requests since the last step, the sum of the shares that were left out beyond `slow`.
        active: The models that had requests since the last step.
        copies: How full the memory of body copies is.
    """

    __slots__ = ("_queue", "active", "copies", "end", "head", "on_lowered", "peak", "recent", "relief", "slow", "trust")

    def __init__(self) -> None:
        self.slow = 1.0
        self.head = 1.0
        self.end = 1.0
        self.recent = 1.0
        self.peak = 0.0
        self.relief = 0.0
        self.trust = 1.0
        self.active: list[ModelSample] = []
        self.copies = 0.0
        self.on_lowered: Callable[[], None] = _do_nothing
        self._queue = 0.0

    def note_queue(self, fullness: float) -> None:
        """Note how full the queue of the pipeline is: 0 is empty; 1 is full, before anything has to be dropped."""
        self._queue = fullness
        self._update()

    def note_copies(self, fullness: float) -> None:
        """Note how full the memory of body copies is, in the same way."""
        self.copies = fullness
        self._update()

    def set_slow(self, slow: float) -> None:
        """Set the part that follows what is carried."""
        self.slow = slow
        self._update()

    def _update(self) -> None:
        fullness = max(self._queue, self.copies)
        self.peak = max(self.peak, fullness)
        was = self.head
        left_out = 1 - _falling(fullness, FIRST_FULLNESS, _HEAD_SHUT)
        self.head = self.slow * (1 - self.trust * left_out)
        self.end = _falling(fullness, _END_FULL, _END_SHUT)
        if self.head < 1 <= was:
            self.on_lowered()


@final
class ModelSample:
    """Decides of the inferences of one model whether they belong to the sample.

    Args:
        model: The model.
        carried: What all models have in common.
        configured: The configured ratio, in [0, 1].

    Attributes:
        model: The model.
        configured: The configured ratio.
        limit: The configured ratio, or less if more rows come than are read.
        requests: Requests since the last step.
        responses: Responses since the last step, where they are decided by themselves.
        rate: Exchanges a second, averaged.
        rows: The rows of its payloads.
        past: The ratios of the past.
    """

    __slots__ = ("_carried", "configured", "limit", "model", "past", "rate", "requests", "responses", "rows")

    def __init__(self, model: ModelKey, carried: Carried, configured: float) -> None:
        self._carried = carried
        self.model = model
        self.configured = configured
        self.limit = configured
        self.requests = 0
        self.responses = 0
        self.rate = 0.0
        self.rows = PayloadRows()
        self.past = PastRatios(configured)

    @property
    def ratio(self) -> float:
        """The ratio of late, in [0, 1]."""
        return self.limit * self._carried.recent

    @property
    def is_thinned_at_end(self) -> bool:
        """Whether `keeps` has to be asked of what was taken at its head."""
        return self._carried.end < 1

    def count_request(self) -> float:
        """Count a request, and return the ratio at which it is decided; 1 or more takes all."""
        if not self.requests and not self.responses:
            self._carried.active.append(self)
        self.requests += 1
        return self._decide()

    def count_response(self) -> float:
        """Count a response that is decided by itself, in the same way."""
        if not self.requests and not self.responses:
            self._carried.active.append(self)
        self.responses += 1
        return self._decide()

    def takes_request(self, id_: str) -> bool:
        """Count a request; returns whether its id belongs to the sample."""
        return is_sampled(id_, self.count_request())

    def keeps(self, id_: str) -> bool:
        """Whether an inference that was taken at its head is still taken, since the pipeline is almost full."""
        carried = self._carried
        slow = self.limit * carried.slow
        kept = is_sampled(id_, slow * carried.end)
        if not kept:
            carried.relief += 1 / max(slow, 1e-6)  # one of those that are taken stands for many requests
        return kept

    def _decide(self) -> float:
        carried = self._carried
        ratio = self.limit * carried.head
        if carried.head < carried.slow:
            carried.relief += 1 - carried.head / carried.slow
        return ratio


@final
class PayloadRows:
    """How many rows the payloads of one model have, of requests and of responses: the older, the less they count."""

    __slots__ = ("_request_rows", "_requests", "_response_rows", "_responses")

    def __init__(self) -> None:
        self._requests = self._request_rows = 0.0
        self._responses = self._response_rows = 0.0

    def add(self, kind: Kind, payloads: int, rows: int) -> None:
        """Add payloads of one kind with so many rows together."""
        if kind is Kind.REQUEST:
            self._requests += payloads
            self._request_rows += rows
        else:
            self._responses += payloads
            self._response_rows += rows

    def fade(self, factor: float) -> None:
        """Let what was added count less, which changes no mean."""
        self._requests *= factor
        self._request_rows *= factor
        self._responses *= factor
        self._response_rows *= factor

    @property
    def of_payload(self) -> float:
        """The mean rows of a request or of a response, whichever is larger; 0 before the first one."""
        requests = self._request_rows / self._requests if self._requests > 0 else 0.0
        responses = self._response_rows / self._responses if self._responses > 0 else 0.0
        return max(requests, responses)


@final
class PastRatios:
    """The ratios at which the inferences of one model were decided, for two spans of time.

    Args:
        configured: The configured ratio.
    """

    __slots__ = ("_before", "_configured", "_lowest", "_now")

    def __init__(self, configured: float) -> None:
        self._configured = configured
        self._now = [0] * (HISTORY_STEPS + 1)
        self._before = [0] * (HISTORY_STEPS + 1)
        self._lowest = configured

    def add(self, ratio: float, inferences: int) -> None:
        """Add inferences that were decided at a ratio."""
        share = min(1.0, ratio / self._configured) if self._configured > 0 else 1.0
        self._now[int(share * HISTORY_STEPS)] += inferences
        self._lowest = -1.0

    def begin_span(self) -> None:
        """Begin a span of time, and forget the one before the last."""
        self._before, self._now = self._now, [0] * (HISTORY_STEPS + 1)
        self._lowest = -1.0

    @property
    def lowest(self) -> float:
        """The lowest ratio of both spans: 1 % of the inferences, or more, were decided at it or at a lower one.

        It is rounded down to a 64th of the configured one.
        """
        if self._lowest < 0:
            self._lowest = self._find_lowest()
        return self._lowest

    def _find_lowest(self) -> float:
        rare = _RARE * (sum(self._now) + sum(self._before))
        found = 0
        for step in range(HISTORY_STEPS):
            found += self._now[step] + self._before[step]
            if found and found >= rare:
                return self._configured * step / HISTORY_STEPS
        return self._configured


def is_sampled(id_: str, ratio: float) -> bool:
    """Whether an id belongs to a sample: the same in every process, so a request and its response are both in it.

    Args:
        id_: Any text.
        ratio: Share of ids in the sample; 1 and more is all.
    """
    return ratio >= 1 or id_digest(id_) < ratio * DIGESTS


def _falling(fullness: float, full: float, shut: float) -> float:
    """1 up to `full`, 0 from `shut` on, and a straight line between."""
    if fullness <= full:
        return 1.0
    return max(0.0, (shut - fullness) / (shut - full))


def _do_nothing() -> None:
    pass
