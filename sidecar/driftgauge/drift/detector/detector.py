"""The sequential detector: evidence of drift that grows with every row, until it reaches the budget's threshold.

A feature's evidence is a number of seconds: without drift, chance gives as much once in that time, on average. At each
evaluation that brings new rows it moves like this:

    grow     evidence = (evidence + seconds since the last rows) * e-value of the new rows
    cap      to 10 times the threshold: what grew for days must be able to shrink within hours
    alarm    at the threshold, from `min_rows` rows on
    clear    the alarm ends when the evidence has fallen far below the threshold; that feature starts from 0 again

The distance between the two levels is hysteresis: evidence that hovers at the threshold raises one alarm, not many.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.profile import FeatureKind, Profile

Checkpoint = Callable[[], object]
"""A hook that a long computation calls between pieces of work, each well under a millisecond, so that its caller can
let other threads run."""


def no_checkpoint() -> None:
    """Do nothing: no other thread is waiting."""


Floats = NDArray[np.float64]

CLEAR_RATIO = 1000
"""An alarm ends when the evidence has fallen to the threshold divided by this, unless one of the next two is higher."""

CLEAR_EVALUATIONS = 10
"""An alarm ends at the time of this many evaluations, in seconds, if that is more. Each evaluation adds its own time to
the evidence, which therefore seldom falls lower."""

LEAST_CLEAR_RATIO = 10
"""An alarm never ends before the evidence has fallen to the threshold divided by this."""

CAP_RATIO = 10
"""Evidence is capped at this multiple of the threshold."""

_BETS_VERSION = 1
"""To be raised with each change of the bets: evidence of other bets means nothing, and may have another shape."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectorState:
    """All that the detector remembers of the past rows.

    Args:
        key: Identifies the reference and the bets; a state with another key cannot be used.
        number: The number of the newest row that was fed, as the stream counts them; 0 before the first.
        rows: Rows fed since the last start.
        time: When rows were last fed, seconds since the epoch; 0 before the first.
        log_evidence: Shape `(d, b)`: the log of the evidence of each bet of each feature, in seconds; minus infinity
            at the start.
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


@dataclass(frozen=True, slots=True, eq=False)
class DetectorVerdict:
    """What the history of a stream adds to the tests of its window, for each of `d` features.

    Args:
        factors: Shape `(d,)`: rows / effective rows, at least 1.
        evidence: Shape `(d,)`: the detector's evidence, log10 of seconds; `None` without a detector.
        threshold: The evidence that alarms, log10 of seconds.
        since: Shape `(d,)`: when the detector's alarm began, seconds since the epoch; NaN without an alarm.
    """

    factors: Floats
    evidence: Floats | None
    threshold: float
    since: Floats

    def of(self, features: Sequence[int]) -> "DetectorVerdict":
        """The verdict on some of the features, in the order in which they are given."""
        evidence = None if self.evidence is None else self.evidence[features]
        return DetectorVerdict(self.factors[features], evidence, self.threshold, self.since[features])


def no_detector(features: int) -> DetectorVerdict:
    """Independent rows of so many features, and no detector."""
    return DetectorVerdict(np.ones(features), None, math.inf, np.full(features, np.nan))


class Detector:
    """An e-detector of Shiryaev-Roberts form over bets on every feature.

    Args:
        profiles: The reference's features; nothing is bet on those that are ignored.
        budget: Sets the threshold and the tolerance.
        min_rows: No alarm before so many rows.
        digest: Identifies the reference.
        checkpoint: Called between features while the bets are made.

    Notes:
        With the e-value e of the rows since the last evaluation, evidence <- (evidence + seconds) * e. Under any
        tolerated distribution E[e] <= 1, so evidence minus the seconds that passed is a supermartingale, and so is its
        mean over the d features. A feature alarms at d times the budget's threshold. The mean over the features is then
        at the budget's threshold at least, so that the mean time to the first alarm of any feature is no less than it.
        For rows that depend on each other the e-value is raised to the power 1 / factor: the geometric mean of e-values
        is an e-value whatever their dependence (Hoelder's inequality), and one row in `factor` is independent.

    Source:
        J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a Nonparametric Framework for Sequential Change Detection",
        New England Journal of Statistics in Data Science 2(2), 2024.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        budget: Budget,
        min_rows: int,
        digest: str,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        self._profiles = tuple(profiles)
        self._budget = budget
        self._min_rows = min_rows
        self._bet_on = np.array([profile.kind is not FeatureKind.IGNORED for profile in profiles])
        features = max(1, int(self._bet_on.sum()))
        self._bets = []
        for profile in profiles:
            checkpoint()
            self._bets.append(make_bets(profile, budget.tolerance, features))
        self._width = max((bets.log_weights.size for bets in self._bets), default=0)
        self._log_weights = _padded([bets.log_weights for bets in self._bets], self._width)
        threshold = features * budget.evidence_threshold
        self._log_threshold = math.log(threshold)
        self._log_cap = self._log_threshold + math.log(CAP_RATIO)
        clear = max(threshold / CLEAR_RATIO, CLEAR_EVALUATIONS * budget.evaluation_seconds)
        self._log_clear = math.log(min(clear, threshold / LEAST_CLEAR_RATIO))
        self.key = f"{_BETS_VERSION}/{digest}/{budget.tolerance!r}"

    @property
    def threshold(self) -> float:
        """The evidence at which a feature alarms, log10 of seconds."""
        return self._log_threshold / math.log(10)

    def start(self) -> DetectorState:
        """The state before the first row."""
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
        """Update the evidence with rows that were not fed before.

        Args:
            state: The last state, with this detector's key; its `factors` are used.
            counts: For each feature, shape `(k + 1,)`: rows in each cell, and rows that lack the feature.
            now: Seconds since the epoch. However far the clock jumps, at most one evaluation's time is added.

        Returns:
            The new state, with `number` and `factors` of the last one.
        """
        fed = int(counts[0].sum()) if counts else 0
        if fed == 0:
            return state
        seconds = self._seconds(state, now)
        log_seconds = math.log(seconds) if seconds > 0 else -math.inf
        grown = np.logaddexp(state.log_evidence, log_seconds) + self._log_e_values(counts, state.factors)
        after = replace(state, rows=state.rows + fed, time=now, log_evidence=self._capped(grown))
        return self._with_alarms(after, now)

    def evidence(self, state: DetectorState) -> Floats:
        """The evidence against each feature, log10 of seconds, at least 0: shape `(d,)`."""
        return np.maximum(self._log_by_feature(state.log_evidence) / math.log(10), 0.0)

    def verdict(self, state: DetectorState) -> DetectorVerdict:
        """What a state adds to the tests of a window."""
        return DetectorVerdict(np.maximum(state.factors, 1.0), self.evidence(state), self.threshold, state.since)

    def _seconds(self, state: DetectorState, now: float) -> float:
        """The time that passed since the last rows, in seconds: at most that between two evaluations."""
        longest = self._budget.evaluation_seconds
        return longest if state.rows == 0 else min(max(now - state.time, 0.0), longest)

    def _log_e_values(self, counts: Sequence[NDArray[np.int64]], factors: Floats) -> Floats:
        """The log of the e-value of the new rows, for each bet of each feature: shape `(d, b)`."""
        logs = [
            count @ bets.log_factors / max(factor, 1.0)
            for count, bets, factor in zip(counts, self._bets, factors.tolist(), strict=True)
        ]
        return _padded(logs, self._width)

    def _log_by_feature(self, log_evidence: Floats) -> Floats:
        """The log of the weighted mean over the bets; minus infinity for features that are not bet on."""
        found = np.logaddexp.reduce(log_evidence + self._log_weights, axis=1, initial=-np.inf)
        return np.where(self._bet_on, found, -np.inf)

    def _capped(self, log_evidence: Floats) -> Floats:
        """The evidence with the weighted mean of each feature's bets at most at the cap.

        All bets of a feature are divided by the same number: the bet that fits the drift best still dominates. Less
        evidence can only delay an alarm, so the promised time between false alarms is kept.
        """
        surplus = np.maximum(self._log_by_feature(log_evidence) - self._log_cap, 0.0)
        return log_evidence - surplus[:, np.newaxis]

    def _with_alarms(self, state: DetectorState, now: float) -> DetectorState:
        """The state with alarms begun and ended, and with the features whose alarm ended at the start again.

        Such a feature starts from 0 rather than from what is left of its evidence: the next alarm is then a new one, as
        far away as the first. When the last alarm of all ends, every feature starts from 0: the mean over the features,
        which the promise is about, is then where it was at the very start.
        """
        log_evidence = self._log_by_feature(state.log_evidence)
        begins = ~state.latched & (log_evidence >= self._log_threshold) & (state.rows >= self._min_rows)
        ends = state.latched & (log_evidence < self._log_clear)
        since = np.where(begins, now, np.where(ends, np.nan, state.since))
        kept = np.where(ends[:, np.newaxis], -np.inf, state.log_evidence)
        if ends.any() and np.isnan(since).all():
            kept = np.full_like(kept, -np.inf)
        return replace(state, since=since, log_evidence=kept)


def _padded(rows: Sequence[Floats], width: int) -> Floats:
    """Rows of unequal lengths as one array, filled up with minus infinity."""
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
