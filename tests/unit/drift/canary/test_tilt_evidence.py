"""The evidence that a canary is worse than is tolerated."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.canary.matched_requests import TILTS, ZERO, tilt_likelihoods
from driftgauge.drift.canary.tilt_evidence import (
    MINUTE_SHARE,
    TiltRule,
    add_stratum,
    best_tilt,
    no_evidence,
    tilt_interval,
)

RULE = TiltRule(0.2, 0.0025)


def pairs(tilt: float, number: int, seed: int = 1) -> NDArray[np.float64]:
    """The likelihoods of pairs of the scores 1 and 0 in which the first is the canary's with the chance of a tilt."""
    first = np.random.default_rng(seed).random(number) < 1 / (1 + math.exp(-tilt))
    one, other = first.sum(), number - first.sum()
    log = np.log(2 / (1 + np.exp(-TILTS)))
    found: NDArray[np.float64] = (one * log + other * log[::-1])[np.newaxis]
    return found


@pytest.mark.parametrize(("tilt", "null"), [(-3.0, 0), (0.0, 0), (-3.0, 1), (0.0, 1), (0.2, 1)])
@pytest.mark.parametrize("stake", [1.0, 0.3])
def test_the_mean_e_value_is_at_most_one_up_to_each_null(tilt: float, null: int, stake: float) -> None:
    """For each tilt up to the null; the factors of a pair are weighted by their chances."""
    chance = 1 / (1 + math.exp(-tilt))
    log = np.log(2 / (1 + np.exp(-TILTS)))[np.newaxis]
    first, second = (np.exp(RULE.against_nulls(one)[null, 0]) for one in (log, log[:, ::-1]))
    mean = 1 - stake + stake * (chance * first + (1 - chance) * second)
    assert (mean[RULE.alternatives] <= 1 + 1e-12).all()


def test_one_minute_gains_a_share_of_the_threshold_at_most() -> None:
    """However much a stall of a minute says, a canary does not fail by it, nor by three."""
    once = add_stratum(no_evidence(1), RULE, pairs(3.0, 10_000), 5)
    again = add_stratum(once, RULE, pairs(3.0, 10_000), 5)
    assert (again.peaks <= MINUTE_SHARE * RULE.thresholds).all()
    known, failed = no_evidence(1), []
    for minute in range(10):
        known = add_stratum(known, RULE, pairs(3.0, 10_000), minute)
        failed.append(known.fails(RULE))
    assert failed.index(True) >= 3


def test_a_stratum_with_half_of_a_stake_loses_half_at_most() -> None:
    """What is not staked stays, however much a stratum is at odds with a difference."""
    known = add_stratum(no_evidence(1), RULE, pairs(1.5, 40), 1)
    outage = add_stratum(known, RULE, pairs(0.0, 100_000), 2, stake=0.5)
    np.testing.assert_allclose(outage.gain[..., RULE.alternatives], -math.log(2), atol=1e-9)


def test_both_nulls_must_be_refuted() -> None:
    """A tolerated difference that is proved beyond doubt does not fail, and the evidence is short of the threshold."""
    known = no_evidence(1)
    for minute in range(30):
        known = add_stratum(known, RULE, pairs(0.2, 400, minute), minute)
    assert known.peaks[0] > RULE.threshold > known.peak(RULE)
    assert not known.fails(RULE)


def test_the_peak_stays() -> None:
    """A canary that failed once has failed, as the promise over all looks needs it."""
    known = no_evidence(1)
    for minute in range(8):
        known = add_stratum(known, RULE, pairs(2.0, 200, minute), minute)
    later = add_stratum(known, RULE, pairs(-2.0, 10_000), 9)
    assert later.peaks == known.peaks
    assert later.peak(RULE) > RULE.threshold
    assert later.fails(RULE)


def test_the_interval_has_the_true_tilt_and_narrows() -> None:
    """It is open without data, and has the tilt that the data were made with."""
    assert (None, None) == tilt_interval(np.zeros(TILTS.size), 0.05)
    few, many = (tilt_interval(pairs(0.5, number)[0], 0.05) for number in (200, 5_000))
    assert few[0] is not None
    assert many[0] is not None
    assert many[1] is not None
    assert few[0] <= many[0] <= 0.5 <= many[1]
    assert best_tilt(pairs(0.5, 5_000)[0]) == pytest.approx(0.5, abs=0.1)


def test_shifted_scores_are_found_and_equal_ones_are_not() -> None:
    """Normal scores that are moved by half a standard deviation, in both directions for a rule of two sides."""
    both = TiltRule(0.05, 0.0025, two_sided=True)
    peaks = {}
    for shift in (-0.5, 0.0, 0.5):
        known, rng = no_evidence(1), np.random.default_rng(3)
        for minute in range(20):
            canary, stable = rng.standard_normal((40, 1)) + shift, rng.standard_normal((120, 1))
            known = add_stratum(known, both, tilt_likelihoods(canary, stable, rng), minute)
        peaks[shift] = known.peak(both)
    assert min(peaks[-0.5], peaks[0.5]) > both.threshold > peaks[0.0]
    assert ZERO == TILTS.size // 2
