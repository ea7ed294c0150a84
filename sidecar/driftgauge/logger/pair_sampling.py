"""Decides of each event whether it is read, and of both events of an inference in the same way."""

from collections.abc import Callable
from typing import Final, final

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.inference.sample_ratio import ModelSample, is_sampled
from driftgauge.storage.fair_table import FairTable

_CAPACITY: Final = 20_000
"""Most decisions that are remembered: 5 MB. An inference that takes 1 s needs one at each request a second."""


@final
class PairSampling:
    """Remembers decisions while the ratio is below 1, so that the other half gets the same when the ratio has changed.

    Args:
        ttl_seconds: How long a decision is remembered.
        clock: Monotonic time in seconds.

    Notes:
        The halves that come to different replicas are decided at the ratios of both: the inference is whole in the
        sample at the lower one. The same is true of those that are under way when the ratio falls below 1.
    """

    def __init__(self, ttl_seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._decided: FairTable[ModelKey, str, tuple[Kind, bool]] = FairTable(_CAPACITY, ttl_seconds)

    def takes(self, sample: ModelSample, kind: Kind, id_: str) -> bool:
        """Count an event; returns whether it belongs to the sample.

        Args:
            sample: Of the model of the event.
            kind: Request or response.
            id_: The id of the event.
        """
        ratio = sample.count_request() if kind is Kind.REQUEST else sample.count_response()
        decided = self._decided
        if ratio >= 1 and not len(decided):
            return True
        model, now = sample.model, self._clock()
        decided.pop_expired(now)
        known = decided.get(model, id_, now)
        if known is not None and known[0] is not kind:
            decided.pop(model, id_)
            return known[1]
        is_taken = is_sampled(id_, ratio)
        if ratio < 1:
            decided.put(model, id_, (kind, is_taken), now)
        return is_taken
