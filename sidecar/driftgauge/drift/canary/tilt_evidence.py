"""Evidence that a tilt is greater than another one: products of e-values, which may be looked at at any time.

The e-value of a stratum is its likelihood at a tilt beyond the tolerance, divided by that at a smaller tilt, the null.
Its mean is at most 1 for every tilt up to the null, since the ratio rises with the score. The product over strata,
averaged over scores and tilts, is an e-process: the chance that it ever reaches 1/alpha is at most alpha (Ville's
inequality).

There are two nulls, and a criterion fails when both are refuted: no difference, at the small alpha that the promise of
a release leaves to it, and the tolerated difference, at `TOLERATED_ALPHA`. To refute the tolerated difference at the
small alpha would take longer, and keep canaries that are the same model from failing far more than was promised.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.canary.matched_requests import TILTS, ZERO

Floats = NDArray[np.float64]

MINUTE_SHARE: Final = 0.3
"""The most that one minute gains, as a share of a threshold: a stall of one pod is not a worse model, nor are three."""

TOLERATED_ALPHA: Final = 0.05
"""The greatest chance that a canary fails whose difference is tolerated, by one criterion and over all looks."""

NULLS: Final = 2
"""No difference, and the tolerated one."""


@dataclass(frozen=True, slots=True)
class TiltRule:
    """What a criterion tolerates, and when it fails.

    Args:
        tolerated: A tilt of `TILTS`, at least 0.
        alpha: The greatest chance that a canary without a difference fails, whenever and however often it is looked at.
        two_sided: Whether negative tilts count too.
    """

    tolerated: float
    alpha: float
    two_sided: bool = False

    @property
    def threshold(self) -> float:
        """The evidence against no difference that fails, as a natural logarithm."""
        return math.log(1 / self.alpha)

    @property
    def thresholds(self) -> Floats:
        """That against no difference, and that against the tolerated one: shape `(2,)`."""
        return np.array([self.threshold, min(self.threshold, math.log(1 / TOLERATED_ALPHA))])

    @property
    def alternatives(self) -> NDArray[np.intp]:
        """The indexes of the tilts beyond the tolerance."""
        size = np.abs(TILTS) if self.two_sided else TILTS
        return np.flatnonzero(size > self.tolerated + 1e-9)

    def against_nulls(self, likelihoods: Floats) -> Floats:
        """The log of the likelihood of each tilt, less that of each null: shape `(2, *likelihoods.shape)`."""
        place = int(np.argmin(np.abs(TILTS - self.tolerated)))
        sides = np.where(TILTS >= 0, place, 2 * ZERO - place)
        return np.stack([likelihoods, likelihoods - likelihoods[:, sides]])


@dataclass(frozen=True, slots=True, eq=False)
class TiltEvidence:
    """What is known of the tilts of some scores.

    Args:
        likelihoods: Shape `(k, len(TILTS))`: the log of the likelihood of each tilt, less that of tilt 0.
        past: Shape `(2, k, len(TILTS))`: evidence of earlier minutes against each null, natural logarithms.
        gain: The same shape: that of the newest minute, before its limit.
        minute: The newest minute.
        peaks: The most evidence against each null that there ever was.
    """

    likelihoods: Floats
    past: Floats
    gain: Floats
    minute: int = 0
    peaks: tuple[float, float] = (0.0, 0.0)

    def peak(self, rule: TiltRule) -> float:
        """The evidence against the null that lacks more, on the scale of the first: it fails at `rule.threshold`."""
        thresholds = rule.thresholds
        return float((thresholds[0] - thresholds + self.peaks).min())

    def fails(self, rule: TiltRule) -> bool:
        """Whether both nulls are refuted."""
        return bool((self.peaks >= rule.thresholds).all())

    def shows_difference(self, rule: TiltRule) -> bool:
        """Whether all strata together refute no difference now, had no minute a limit."""
        return log_mean(self.likelihoods[:, rule.alternatives]) >= rule.threshold


def no_evidence(scores: int) -> TiltEvidence:
    """Nothing is known yet of so many scores."""
    shape = (scores, TILTS.size)
    return TiltEvidence(np.zeros(shape), np.zeros((NULLS, *shape)), np.zeros((NULLS, *shape)))


def add_stratum(
    known: TiltEvidence,
    rule: TiltRule,
    likelihoods: Floats,
    minute: int,
    *,
    against: Floats | None = None,
    stake: float = 1.0,
) -> TiltEvidence:
    """The evidence after a further stratum.

    Args:
        known: The evidence before.
        rule: The tolerated tilt.
        likelihoods: As `tilt_likelihoods` returns them.
        minute: The minute of the stratum's end; gains are limited in each.
        against: Evidence of the stratum against each null, if it is not `rule.against_nulls(likelihoods)`.
        stake: The share of the evidence of before, in (0, 1], that is staked on this stratum. It may depend on all
            requests, but not on which revision responded to which.
    """
    past, gain = known.past, known.gain
    if minute != known.minute:
        past, gain = past + _limited(gain, rule), np.zeros_like(gain)
    added = rule.against_nulls(likelihoods) if against is None else against
    gain = gain + (added if stake == 1 else np.logaddexp(math.log1p(-stake), math.log(stake) + added))
    found = TiltEvidence(known.likelihoods + likelihoods, past, gain, minute, known.peaks)
    values = (past + _limited(gain, rule))[..., rule.alternatives]
    first, second = (max(peak, log_mean(one)) for peak, one in zip(known.peaks, values, strict=True))
    return replace(found, peaks=(first, second))


def _limited(gain: Floats, rule: TiltRule) -> Floats:
    """What a minute adds to the evidence."""
    return np.minimum(gain, MINUTE_SHARE * rule.thresholds[:, np.newaxis, np.newaxis])


def log_mean(values: Floats) -> float:
    """The logarithm of the mean of exp(values), which may be too large for a float."""
    top = float(values.max())
    return top + math.log(float(np.exp(values - top).mean()))


def tilt_interval(likelihoods: Floats, alpha: float) -> tuple[float | None, float | None]:
    """Tilts that are not refuted: a confidence sequence, which holds at all times together.

    Args:
        likelihoods: Shape `(len(TILTS),)`, of one score.
        alpha: The chance that it ever leaves the true tilt out.

    Returns:
        The ends, each the outermost tilt of the grid that is refuted; `None` where none is.
    """
    mixture = log_mean(likelihoods)
    kept = np.flatnonzero(mixture - likelihoods < math.log(1 / alpha))
    low, high = int(kept[0]) - 1, int(kept[-1]) + 1
    return (float(TILTS[low]) if low >= 0 else None), (float(TILTS[high]) if high < TILTS.size else None)


def best_tilt(likelihoods: Floats) -> float:
    """The most likely tilt of one score, between those of the grid (a parabola through the best three)."""
    place = int(np.clip(np.argmax(likelihoods), 1, TILTS.size - 2))
    spots = slice(place - 1, place + 2)
    bend, slope, _ = np.polyfit(TILTS[spots] - TILTS[place], likelihoods[spots], 2)
    if bend >= 0:
        return float(TILTS[int(np.argmax(likelihoods))])
    return float(np.clip(TILTS[place] - slope / (2 * bend), TILTS[place - 1], TILTS[place + 1]))
