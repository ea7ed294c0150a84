"""What the history of a stream adds to the tests of its window."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Checkpoint = Callable[[], object]
"""A hook that a long computation calls between pieces of work, each well under a millisecond, so that its caller can
let other threads run."""


def no_checkpoint() -> None:
    """Do nothing: no other thread is waiting."""


ScoreFactors = Mapping[str, float | None]
"""Rows / effective rows by the name of a score, at least 1; `None` where the dependence has no bound."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DetectorVerdict:
    """What the history of a stream adds to the tests of its window, for each of `d` features.

    Args:
        factors: Shape `(d,)`: rows / effective rows of the values, at least 1; infinity where it has no bound.
        missing_factors: Shape `(d,)`: the same of missing values.
        evidence: Shape `(d,)`: the detector's evidence, log10 of seconds; `None` without a detector.
        threshold: The evidence that alarms, log10 of seconds.
        since: Shape `(d,)`: when the detector's alarm began, seconds since the epoch; NaN without an alarm.
        alike_since: Shape `(d,)`: when the dependence of the values lost its bound, after a day with one, seconds since
            the epoch; NaN if it did not.
        score_factors: Of each feature, rows / effective rows by the name of a score; `None` where it has no bound.
        alike: Shape `(d,)`: whether the dependence of the values grows without bound.
        missing_alike: Shape `(d,)`: whether that of missing values does.
        unknown: Shape `(d,)`: whether too few rows are known to bound it.
        risen_at: Shape `(d,)`, int64: the number of the newest row before the evidence began to rise; -1 if unknown.
        raised: Shape `(d, 2)`: whether a window's test of the values, and of missing ones, alarmed at the last look.
        reachable: Shape `(d,)`: whether the detector could alarm within as many rows as a window has.
        rhythm: Shape `(d,)`: whether the values have a rhythm of the day that the reference cannot explain.
    """

    factors: Floats
    missing_factors: Floats
    evidence: Floats | None
    threshold: float
    since: Floats
    alike_since: Floats
    score_factors: Sequence[ScoreFactors]
    alike: Mask
    missing_alike: Mask
    unknown: Mask
    risen_at: NDArray[np.int64]
    raised: Mask
    reachable: Mask
    rhythm: Mask

    def of(self, features: Sequence[int]) -> "DetectorVerdict":
        """The verdict on some of the features, in the order in which they are given."""
        return replace(
            self,
            factors=self.factors[features],
            missing_factors=self.missing_factors[features],
            evidence=None if self.evidence is None else self.evidence[features],
            since=self.since[features],
            alike_since=self.alike_since[features],
            score_factors=tuple(self.score_factors[one] for one in features),
            alike=self.alike[features],
            missing_alike=self.missing_alike[features],
            unknown=self.unknown[features],
            risen_at=self.risen_at[features],
            raised=self.raised[features],
            reachable=self.reachable[features],
            rhythm=self.rhythm[features],
        )


def no_detector(features: int) -> DetectorVerdict:
    """Independent rows of so many features, and no detector."""
    ones, none = np.ones(features), np.zeros(features, dtype=np.bool_)
    return DetectorVerdict(
        factors=ones,
        missing_factors=ones,
        evidence=None,
        threshold=math.inf,
        since=np.full(features, np.nan),
        alike_since=np.full(features, np.nan),
        score_factors=({},) * features,
        alike=none,
        missing_alike=none,
        unknown=none,
        risen_at=np.full(features, -1),
        raised=np.zeros((features, 2), dtype=np.bool_),
        reachable=none,
        rhythm=none,
    )
