"""The likelihood of who responded to which request."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.canary.matched_requests import MAX_REQUESTS, TILTS, ZERO, tilt_likelihoods

SEEDS = st.integers(0, 2**32 - 1)


def test_a_pair_has_the_likelihood_of_conditional_logistic_regression() -> None:
    """Of scores 1 and 0, the canary's is the first with the chance exp(t) / (exp(t) + 1), twice that of a half."""
    found = tilt_likelihoods(np.array([[1.0]]), np.array([[0.0]]), np.random.default_rng(1))
    np.testing.assert_allclose(np.log(2 * np.exp(TILTS) / (np.exp(TILTS) + 1)), found[0], atol=1e-12)


def test_one_canary_request_among_several_stable_ones_is_one_group() -> None:
    """The chance of the third of four scores is its share of all exp(t z)."""
    scores = np.array([0.2, -1.0, 0.7, 0.1])
    found = tilt_likelihoods(scores[2:3, np.newaxis], np.delete(scores, 2)[:, np.newaxis], np.random.default_rng(1))
    weights = np.exp(np.outer(TILTS, scores))
    np.testing.assert_allclose(np.log(weights[:, 2] / weights.mean(axis=1)), found[0], atol=1e-12)


@given(st.integers(1, 6), st.integers(1, 6), SEEDS)
def test_the_mean_over_all_routings_is_one(canary: int, stable: int, seed: int) -> None:
    """Whatever the scores: the average of the e-value over who is the canary is 1, for each group that is matched.

    With one request on one side there is one group, so that the mean over its members is exact.
    """
    rng = np.random.default_rng(seed)
    number = max(canary, stable) + 1
    scores = rng.standard_normal((number, 2))
    values = [
        np.exp(tilt_likelihoods(scores[place : place + 1], np.delete(scores, place, axis=0), rng))
        for place in range(number)
    ]
    np.testing.assert_allclose(np.mean(values, axis=0), 1.0, atol=1e-12)


@given(st.integers(1, 30), st.integers(1, 30), SEEDS)
def test_exchanged_revisions_have_exchanged_tilts(canary: int, stable: int, seed: int) -> None:
    """What speaks for higher scores of one revision speaks for lower ones of the other."""
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((canary, 1)), rng.standard_normal((stable, 1))
    if canary == stable:
        return  # which side the groups are of is by convention
    one = tilt_likelihoods(first, second, np.random.default_rng(seed))
    other = tilt_likelihoods(second, first, np.random.default_rng(seed))
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-9)


def test_no_requests_say_nothing_and_many_are_bounded() -> None:
    """A revision without requests gives no evidence; of more than so many requests the rest is left out."""
    none = tilt_likelihoods(np.zeros((0, 2)), np.ones((5, 2)), np.random.default_rng(1))
    assert not none.any()
    ones = np.ones((2 * MAX_REQUESTS, 1))
    zeros = np.zeros((2 * MAX_REQUESTS, 1))
    found = tilt_likelihoods(ones, zeros, np.random.default_rng(1))[0]
    expected = MAX_REQUESTS * np.log(2 * np.exp(TILTS) / (np.exp(TILTS) + 1))
    np.testing.assert_allclose(expected, found, rtol=1e-9)
    assert found[ZERO] == 0.0
