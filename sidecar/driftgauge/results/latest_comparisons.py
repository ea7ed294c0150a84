"""The newest comparisons of two revisions that this process was asked for."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from driftgauge.drift.canary.criteria import CriterionResult
from driftgauge.inference.payload import ModelKey

MOST_COMPARISONS: Final = 100
"""Pairs whose comparison is kept, the newest ones."""


@dataclass(frozen=True, slots=True)
class ReleaseComparison:
    """What one look at a canary has found.

    Args:
        canary: The model of the canary.
        stable: That of the stable revision.
        results: What is known of each criterion.
        began: When the canary was looked at first, in seconds since the epoch.
        looked: When it was looked at last.
        numbers: Whether `accuracy` is by absolute errors of numbers.
    """

    canary: ModelKey
    stable: ModelKey
    results: tuple[CriterionResult, ...]
    began: float
    looked: float
    numbers: bool = False


class LatestComparisons:
    """The newest comparison of each pair of revisions."""

    def __init__(self) -> None:
        self._known: dict[tuple[ModelKey, ModelKey], ReleaseComparison] = {}

    def publish(self, comparison: ReleaseComparison) -> None:
        """Replace the comparison of a pair; beyond `MOST_COMPARISONS` the one that was published first goes."""
        pair = comparison.canary, comparison.stable
        self._known.pop(pair, None)
        self._known[pair] = comparison
        while len(self._known) > MOST_COMPARISONS:
            del self._known[next(iter(self._known))]

    def of(self, model: ModelKey) -> ReleaseComparison | None:
        """The comparison that was published last with a model on either side; `None` without one."""
        return next((one for pair, one in reversed(self._known.items()) if model in pair), None)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the comparisons of which neither model is in `models`."""
        for pair in [pair for pair in self._known if pair[0] not in models and pair[1] not in models]:
            del self._known[pair]
