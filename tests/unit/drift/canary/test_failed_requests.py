"""The likelihood of how many of the failed requests were the canary's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom, nchypergeom_fisher

from driftgauge.drift.canary.failed_requests import failure_likelihoods
from driftgauge.drift.canary.matched_requests import TILTS, ZERO

COUNTS = st.integers(1, 60)


@given(COUNTS, COUNTS, st.data())
def test_it_is_that_of_the_noncentral_hypergeometric_distribution(
    canary: int, stable: int, data: st.DataObject
) -> None:
    """As SciPy computes it, for each ratio of odds, divided by that without a ratio."""
    failed = data.draw(st.integers(0, canary)), data.draw(st.integers(0, stable))
    found = failure_likelihoods((failed[0], canary), (failed[1], stable))[0]
    total = sum(failed)
    for place in (0, 10, ZERO, 20, TILTS.size - 1):
        odds = np.exp(TILTS[place])
        expected = nchypergeom_fisher.pmf(failed[0], canary + stable, total, canary, odds)
        alike = hypergeom.pmf(failed[0], canary + stable, total, canary)
        np.testing.assert_allclose(np.exp(found[place]), expected / alike, rtol=1e-6)


@given(COUNTS, COUNTS, st.data())
def test_the_mean_over_all_routings_is_one(canary: int, stable: int, data: st.DataObject) -> None:
    """However many requests failed together: each division among the revisions is weighted by its chance."""
    failed = data.draw(st.integers(0, canary + stable))
    own = np.arange(max(0, failed - stable), min(failed, canary) + 1)
    values = [np.exp(failure_likelihoods((one, canary), (failed - one, stable))[0]) for one in own.tolist()]
    chances = hypergeom.pmf(own, canary + stable, failed, canary)
    np.testing.assert_allclose(chances @ np.array(values), 1.0, rtol=1e-8)


def test_many_failed_requests_are_exact_and_finite() -> None:
    """Fifty thousand failed on each side, as many as in an outage of a large service: no tilt is likelier than 0."""
    found = failure_likelihoods((50_000, 60_000), (50_000, 60_000))[0]
    assert np.isfinite(found).all()
    assert abs(found[ZERO]) < 1e-9
    assert (np.delete(found, ZERO) < 0).all()


def test_requests_of_one_revision_say_nothing() -> None:
    """If all failed, or none, or one revision had no request, there is one division alone."""
    for counts in (((0, 5), (0, 9)), ((5, 5), (9, 9)), ((0, 0), (3, 9))):
        assert not failure_likelihoods(*counts).any()
