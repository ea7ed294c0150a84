"""Evidence that a tilt is greater than the tolerated one: a product of e-values, which may be looked at at any time.

The e-value of a stratum is its likelihood at a tilt beyond the tolerance, divided by that at the tolerance. Its mean is
at most 1 for every tilt within the tolerance, since the ratio rises with the score. The product over strata, averaged
over scores and tilts, is an e-process: the chance that it ever reaches 1/alpha is at most alpha (Ville's inequality).

Each minute's e-value m has a limit above and is used twice: as it is, and as the half of a stake, (1 + m) / 2. In an
outage requests of both revisions fail alike, so that a minute of it is at odds with a canary that fails more often at
all other times; half of a stake loses at most a factor of 2 by it.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.canary.matched_requests import TILTS, ZERO

Floats = NDArray[np.float64]

MINUTE_SHARE: Final = 1 / 3
"""The most that one minute gains, as a share of the threshold: a stall of one pod is not a worse model."""


STAKES: Final = (1.0, 0.5)
"""The shares of the evidence of before that are staked on each minute; their results are averaged."""


@dataclass(frozen=True, slots=True)
class TiltRule:
    """What a criterion tolerates, and when it fails.

    Args:
        tolerated: A tilt of `TILTS`, at least 0.
        alpha: The greatest chance of a false failure, whenever and however often it is looked at.
        two_sided: Whether negative tilts count too.
    """

    tolerated: float
    alpha: float
    two_sided: bool = False

    @property
    def threshold(self) -> float:
        """The evidence that fails, as a natural logarithm."""
        return math.log(1 / self.alpha)

    @property
    def alternatives(self) -> NDArray[np.intp]:
        """The indexes of the tilts beyond the tolerance."""
        size = np.abs(TILTS) if self.two_sided else TILTS
        return np.flatnonzero(size > self.tolerated + 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class TiltEvidence:
    """What is known of the tilts of some scores.

    Args:
        likelihoods: Shape `(k, len(TILTS))`: the log of the likelihood of each tilt, less that of tilt 0.
        past: Shape `(len(STAKES), k, len(TILTS))`: evidence of earlier minutes against the tolerated tilt, natural
            logarithms.
        gain: Shape `(k, len(TILTS))`: that of the newest minute, before its limit.
        minute: The newest minute.
        peak: The most evidence that there ever was.
    """

    likelihoods: Floats
    past: Floats
    gain: Floats
    minute: int = 0
    peak: float = 0.0


def no_evidence(scores: int) -> TiltEvidence:
    """Nothing is known yet of so many scores."""
    shape = (scores, TILTS.size)
    return TiltEvidence(np.zeros(shape), np.zeros((len(STAKES), *shape)), np.zeros(shape))


def add_stratum(known: TiltEvidence, rule: TiltRule, likelihoods: Floats, minute: int) -> TiltEvidence:
    """The evidence after a further stratum.

    Args:
        known: The evidence before.
        rule: The tolerated tilt.
        likelihoods: As `tilt_likelihoods` returns them.
        minute: The minute of the stratum's end; gains are limited in each.
    """
    past, gain = known.past, known.gain
    if minute != known.minute:
        past, gain = past + _staked(gain, rule), np.zeros_like(gain)
    place = int(np.argmin(np.abs(TILTS - rule.tolerated)))
    sides = np.where(TILTS >= 0, place, 2 * ZERO - place)
    gain = gain + likelihoods - likelihoods[:, sides]
    added = TiltEvidence(known.likelihoods + likelihoods, past, gain, minute, known.peak)
    return replace(added, peak=max(known.peak, _mean_evidence(added, rule)))


def _mean_evidence(known: TiltEvidence, rule: TiltRule) -> float:
    """The logarithm of the mean e-value over scores and tilts."""
    values = (known.past + _staked(known.gain, rule))[..., rule.alternatives]
    return log_mean(values) if values.size else 0.0


def _staked(gain: Floats, rule: TiltRule) -> Floats:
    """What a minute's gain adds to the evidence, for each stake: shape `(len(STAKES), *gain.shape)`."""
    limited = np.minimum(gain, MINUTE_SHARE * rule.threshold)
    return np.stack([limited if stake == 1 else np.log1p(stake * np.expm1(limited)) for stake in STAKES])


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
