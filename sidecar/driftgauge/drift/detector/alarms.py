"""Alarms of the detector: they begin at the threshold, and end by evidence that the change is over.

While an alarm lasts, a second e-process bets against "at least half of the change is still there". The bet that led
when the alarm began multiplied each row's evidence by b, and gained b - 1 on average. While it still gains half of
that, c, the mean of 1 - l (b - 1 - c) / (max b - 1 - c) is at most 1 for any l in (0, 1); when the change is over, it
is above 1. The product over the rows starts again at 1 at each look at which it is below; a few rows without the change
end nothing.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.detector_state import DetectorState

Floats = NDArray[np.float64]

RECOVERY_STAKES = np.array([0.05, 0.15, 0.5, 0.9])
"""Stakes of the bets against a lasting change."""

LOG_RECOVERY = math.log(10_000)
"""An alarm ends when the mean over these bets has reached this: hardly ever while the change lasts."""

WITHDRAWN = 4
"""An alarm ends too if the rows turn out to be so many times as dependent as was known when it began, unless their
dependence had been known for a day."""

DAY_SECONDS = 86_400.0

LOW_LOOKS = 10
"""Evidence is low up to the time of so many looks."""


def recovery_logs(log_factors: Floats, half: float) -> Floats:
    """What a row in each cell adds to the log of each bet against a lasting change: shape `(k + 1, 4)`.

    Args:
        log_factors: Shape `(k + 1,)`: what such a row adds to the log of the bet that led when the alarm began.
        half: Half of what that bet gained on average of a row of the change, at least 0.
    """
    gains = np.expm1(log_factors)
    greatest = gains.max()
    if greatest <= 0:
        return np.zeros((log_factors.size, RECOVERY_STAKES.size))
    half = min(half, greatest / 2)  # a store that lost its rows makes the climb look steeper than it was
    logs: Floats = np.log1p(-RECOVERY_STAKES * ((gains - half) / (greatest - half))[:, np.newaxis])
    return logs


def change_is_over(recovery: Floats) -> NDArray[np.bool_]:
    """Whether the change of each feature is over: shape `(d,)`.

    Args:
        recovery: Shape `(d, 4)`: the log of each bet against it.
    """
    mean = np.logaddexp.reduce(recovery, axis=1) - math.log(RECOVERY_STAKES.size)
    return np.asarray(mean >= LOG_RECOVERY)


class Alarms:
    """Begins and ends the alarms of features.

    Args:
        bet_set: The bets on the features.
        log_threshold: The log of the evidence at which a feature alarms, in seconds.
        evaluation_seconds: The time between two looks.
        min_rows: No alarm before so many rows.
    """

    def __init__(self, bet_set: BetSet, log_threshold: float, evaluation_seconds: float, min_rows: int) -> None:
        self._bet_set = bet_set
        self._log_threshold = log_threshold
        self._log_start = math.log(evaluation_seconds)
        self._log_low = min(self._log_start, log_threshold - 2 * math.log(LOW_LOOKS)) + math.log(LOW_LOOKS)
        self._min_rows = min_rows

    def update(self, state: DetectorState, factors: Floats, now: float) -> DetectorState:
        """The state with alarms begun and ended, and with the features whose alarm ended at the start again.

        Such a feature starts from 0 rather than from what is left of its evidence: the next alarm is then a new one, as
        far away as the first. When the last alarm of all ends, every feature starts from 0: the mean over the features,
        which the promise is about, is then where it was at the very start.

        Args:
            state: The state after the newest rows.
            factors: Shape `(measured,)`: the factor of each measured score, as it was known before them.
            now: Seconds since the epoch.
        """
        log_evidence = self._bet_set.log_by_feature(state.log_evidence)
        begins = ~state.latched & (log_evidence >= self._log_threshold) & (state.rows >= self._min_rows)
        if begins.any():
            state = self._begun(state, begins, factors, now)
        of_leader = self._factors_of(state.leader, factors)
        withdrawn = (of_leader > WITHDRAWN * state.alarm_factor) | np.isinf(of_leader)  # infinite with a rhythm
        ends = state.latched & (change_is_over(state.recovery) | withdrawn)
        since = np.where(begins, now, np.where(ends, np.nan, state.since))
        kept = np.where(ends[:, np.newaxis], -np.inf, state.log_evidence)
        if ends.any() and np.isnan(since).all():
            kept = np.full_like(kept, -np.inf)
        return replace(
            state,
            since=since,
            log_evidence=kept,
            recovery=np.where(ends[:, np.newaxis], 0.0, state.recovery),
            risen_at=np.where((log_evidence <= self._log_low) | ends, state.number, state.risen_at),
        )

    def _begun(self, state: DetectorState, begins: NDArray[np.bool_], factors: Floats, now: float) -> DetectorState:
        """The state with what is known of the change where an alarm begins."""
        leader = np.where(begins, self._leaders(state), state.leader)
        of_leader = self._factors_of(leader, factors)
        known_for_a_day = now - state.bounded_since >= DAY_SECONDS  # false where the dependence has no bound: NaN
        known_for_a_day &= self._of_values(leader)
        return replace(
            state,
            leader=leader,
            alarm_factor=np.where(begins, np.where(known_for_a_day, np.inf, of_leader), state.alarm_factor),
            half_gain=np.where(begins, self._half_gain(state, leader, of_leader), state.half_gain),
        )

    def _leaders(self, state: DetectorState) -> NDArray[np.int64]:
        """The bet of each feature that has the most evidence: shape `(d,)`."""
        leaders: NDArray[np.int64] = (state.log_evidence + self._bet_set.log_weights).argmax(axis=1)
        return leaders

    def _factors_of(self, leader: NDArray[np.int64], factors: Floats) -> Floats:
        """The factor of the score of one bet of each feature: shape `(d,)`."""
        found = np.ones(leader.size)
        found[self._bet_set.bet_on] = factors[self._bet_set.measured_of_bet(leader)]
        return found

    def _of_values(self, leader: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether one bet of each feature is on its values as a whole, whose bound is the one that is timed: `(d,)`."""
        found = np.zeros(leader.size, dtype=np.bool_)
        found[self._bet_set.bet_on] = self._bet_set.of_values[self._bet_set.measured_of_bet(leader)]
        return found

    def _half_gain(self, state: DetectorState, leader: NDArray[np.int64], factors: Floats) -> Floats:
        """Half of what the leading bet of each feature gained on average of a row since the evidence rose: `(d,)`."""
        evidence = np.take_along_axis(state.log_evidence, leader[:, np.newaxis], axis=1)[:, 0]
        climbed = np.maximum(evidence - self._log_start, 0.0)
        gain: Floats = np.expm1(climbed * factors / np.maximum(state.number - state.risen_at, 1)) / 2
        return gain
