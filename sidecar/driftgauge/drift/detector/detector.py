"""The sequential detector: evidence of drift that grows with every row, until it reaches the budget's bar.

This room is pure: numpy in, values out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.checkpoint import Checkpoint, no_checkpoint
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.profile import FeatureKind, Profile

Floats = NDArray[np.float64]

CLEAR_RATIO = 1000
"""An alarm ends when the evidence has fallen to the bar divided by this ..."""

CLEAR_LOOKS = 10
"""... or to the time of so many evaluations, if that is more: less it seldom has, since every one adds its time ..."""

LEAST_CLEAR_RATIO = 10
"""... but never before it has fallen to the bar divided by this."""

HEADROOM = 10
"""Evidence grows no further than this times the bar: what grew can shrink."""


_BETS = 1
"""Counts up with each change of the bets: evidence of other bets is worth nothing, and may be of another shape."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectorState:
    """All that the detector knows of the past.

    Args:
        key: Names the reference and the bets; a state of another key is worth nothing.
        number: Of the newest row that was fed, as the stream numbers them; 0 before the first.
        rows: Rows fed since the last start.
        time: When rows were last fed, seconds since the epoch; 0 before the first.
        log_evidence: Shape `(d, b)`: of each bet of each feature, in log seconds; minus infinity at the start.
        factors: Shape `(d,)`: rows / effective rows, at least 1; 0 where it is not known yet.
        since: Shape `(d,)`: when the feature's alarm began, seconds since the epoch; NaN without alarm.
    """

    key: str
    number: int
    rows: int
    time: float
    log_evidence: Floats
    factors: Floats
    since: Floats

    @property
    def latched(self) -> NDArray[np.bool_]:
        """Which features alarm: shape `(d,)`."""
        return ~np.isnan(self.since)


class Detector:
    """An e-detector of Shiryaev-Roberts form over bets on every feature.

    Args:
        profiles: The reference's features; those that are ignored are never bet on.
        budget: Its bar and its tolerance.
        min_rows: No alarm before so many rows.
        digest: Names the reference.
        pause: Called between features while the bets are made.

    Notes:
        With e-values of the rows since the last time, evidence <- (evidence + seconds) * e. Under any tolerated
        distribution, evidence less the seconds that passed is a supermartingale, and so is the mean over features.
        One feature alarms at d times the budget's bar; the mean is then at that bar at least, so that the mean time to
        the first alarm of all features is no less. An e-value's exponent is divided by the rows that one independent
        row is worth: the geometric mean of e-values of rows that depend on each other is one too (Hoelder).

    Source:
        J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a Nonparametric Framework for Sequential Change Detection",
        New England Journal of Statistics in Data Science 2(2), 2024.
    """

    def __init__(
        self, profiles: Sequence[Profile], budget: Budget, min_rows: int, digest: str, pause: Checkpoint = no_checkpoint
    ) -> None:
        self._profiles = tuple(profiles)
        self._budget = budget
        self._min_rows = min_rows
        self._bet_on = np.array([profile.kind is not FeatureKind.IGNORED for profile in profiles])
        features = max(1, int(self._bet_on.sum()))
        self._bets = []
        for profile in profiles:
            pause()
            self._bets.append(make_bets(profile, budget.tolerance, features))
        self._width = max((bets.log_weights.size for bets in self._bets), default=0)
        self._log_weights = _padded([bets.log_weights for bets in self._bets], self._width)
        threshold = features * budget.evidence_threshold
        self._log_threshold = math.log(threshold)
        self._log_cap = self._log_threshold + math.log(HEADROOM)
        clear = max(threshold / CLEAR_RATIO, CLEAR_LOOKS * budget.evaluation_seconds)
        self._log_clear = math.log(min(clear, threshold / LEAST_CLEAR_RATIO))
        self.key = f"{_BETS}/{digest}/{budget.tolerance!r}"

    @property
    def threshold(self) -> float:
        """The evidence at which a feature alarms, log10 of seconds."""
        return self._log_threshold / math.log(10)

    def start(self) -> DetectorState:
        """Knowing nothing."""
        d = len(self._profiles)
        return DetectorState(
            key=self.key,
            number=0,
            rows=0,
            time=0.0,
            log_evidence=np.full((d, self._width), -np.inf),
            factors=np.zeros(d),
            since=np.full(d, np.nan),
        )

    def advance(self, state: DetectorState, counts: Sequence[NDArray[np.int64]], now: float) -> DetectorState:
        """Feed rows that it has not met.

        Args:
            state: Of before, of this detector's key; its `factors` are used.
            counts: Of each feature, shape `(k + 1,)`: rows in each cell, and rows that lack the feature.
            now: Seconds since the epoch. A clock that jumps counts for one evaluation's time at most.

        Returns:
            The new state, in which `number` and `factors` are those of before.
        """
        fed = int(counts[0].sum()) if counts else 0
        if fed == 0:
            return state
        seconds = self._seconds(state, now)
        log_seconds = math.log(seconds) if seconds > 0 else -math.inf
        gained = self._gained(counts, state.factors)
        evidence = self._capped(np.logaddexp(state.log_evidence, log_seconds) + gained)
        after = replace(state, rows=state.rows + fed, time=now, log_evidence=evidence)
        return self._judged(after, now)

    def evidence(self, state: DetectorState) -> Floats:
        """The evidence against each feature, log10 of seconds, at least 0: shape `(d,)`."""
        return np.maximum(self._log_by_feature(state.log_evidence) / math.log(10), 0.0)

    def _seconds(self, state: DetectorState, now: float) -> float:
        """The time that the new rows stand for, in seconds: at most one evaluation's."""
        longest = self._budget.evaluation_seconds
        return longest if state.rows == 0 else min(max(now - state.time, 0.0), longest)

    def _gained(self, counts: Sequence[NDArray[np.int64]], factors: Floats) -> Floats:
        gained = [
            count @ bets.log_factors / max(factor, 1.0)
            for count, bets, factor in zip(counts, self._bets, factors.tolist(), strict=True)
        ]
        return _padded(gained, self._width)

    def _log_by_feature(self, log_evidence: Floats) -> Floats:
        """The log of the weighted mean over the bets; minus infinity for features that are not bet on."""
        found = np.logaddexp.reduce(log_evidence + self._log_weights, axis=1, initial=-np.inf)
        return np.where(self._bet_on, found, -np.inf)

    def _capped(self, log_evidence: Floats) -> Floats:
        surplus = np.maximum(self._log_by_feature(log_evidence) - self._log_cap, 0.0)
        return log_evidence - surplus[:, np.newaxis]

    def _judged(self, state: DetectorState, now: float) -> DetectorState:
        """Begin alarms at the bar, end them where the evidence has fallen, and start such features anew."""
        log_evidence = self._log_by_feature(state.log_evidence)
        begins = ~state.latched & (log_evidence >= self._log_threshold) & (state.rows >= self._min_rows)
        ends = state.latched & (log_evidence < self._log_clear)
        since = np.where(begins, now, np.where(ends, np.nan, state.since))
        kept = np.where(ends[:, np.newaxis], -np.inf, state.log_evidence)
        if ends.any() and np.isnan(since).all():  # all is over: the next false alarm is a whole interval away
            kept = np.full_like(kept, -np.inf)
        return replace(state, since=since, log_evidence=kept)


def _padded(rows: Sequence[Floats], width: int) -> Floats:
    """Rows of unequal length as one block, minus infinity where there is nothing."""
    block = np.full((len(rows), width), -np.inf)
    for line, row in zip(block, rows, strict=True):
        line[: row.size] = row
    return block


def pack(state: DetectorState) -> bytes:
    """The bytes of a state."""
    head = {
        "key": state.key,
        "number": state.number,
        "rows": state.rows,
        "time": state.time,
        "shape": list(state.log_evidence.shape),
    }
    arrays = (state.log_evidence, state.factors, state.since)
    body = b"".join(np.ascontiguousarray(array, dtype="<f8").tobytes() for array in arrays)
    return orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE) + body


def unpack(blob: bytes) -> DetectorState | None:
    """The state of bytes that `pack` made; `None` if they are of another form or damaged."""
    head, _, body = blob.partition(b"\n")
    try:
        facts = orjson.loads(head)
        d, b = (int(size) for size in facts["shape"])
        values = np.frombuffer(body, dtype="<f8").copy()
        return DetectorState(
            key=str(facts["key"]),
            number=int(facts["number"]),
            rows=int(facts["rows"]),
            time=float(facts["time"]),
            log_evidence=values[: d * b].reshape(d, b),
            factors=values[d * b : d * b + d].reshape(d),
            since=values[d * b + d :].reshape(d),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
