"""Laws of effect sizes, and agreement with scipy."""

import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from driftgauge.drift.histogram import Histogram
from driftgauge.drift.profile import categorical_profile, numeric_profile
from tests.support.effects import effects_of

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

few = st.integers(-3, 3).map(float)
plain = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
reals = st.floats(allow_nan=False, allow_infinity=False)


def samples(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Floats]:
    """Sorted samples, some with many ties."""
    return st.one_of(
        *(arrays.arrays(np.float64, st.integers(1, 60), elements=some).map(np.sort) for some in (few, elements))
    )


@settings(deadline=None)
@given(reference=samples(plain), window=samples(plain), missing=st.integers(0, 30))
def test_equal_to_scipy(reference: Floats, window: Floats, missing: int) -> None:
    """Jensen-Shannon over the bins; Wasserstein over the values, if the reference is not constant."""
    profile = numeric_profile("a", reference)
    bins = Histogram(profile).bins(window, missing)
    actual = effects_of(profile, window, missing)
    distance = float(jensenshannon([one.reference for one in bins], [one.window for one in bins], base=2))

    assert actual.jensen_shannon == pytest.approx(distance, abs=1e-7)
    if reference[0] == reference[-1]:
        assert actual.wasserstein is None
    else:
        expected = float(wasserstein_distance(reference, window) / reference.std())
        assert actual.wasserstein == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(reference=samples(reals), window=samples(reals), before=st.integers(0, 9), missing=st.integers(0, 9))
def test_finite_and_within_bounds(reference: Floats, window: Floats, before: int, missing: int) -> None:
    """PSI is at least 0, Jensen-Shannon in [0, 1], Wasserstein at least 0, for any values."""
    profile = numeric_profile("a", reference, before)
    actual = effects_of(profile, window, missing)

    assert 0 <= actual.psi < math.inf
    assert 0 <= actual.jensen_shannon <= 1
    assert actual.wasserstein is None or 0 <= actual.wasserstein < math.inf


@settings(deadline=None)
@given(reference=samples(few), missing=st.integers(0, 9))
def test_zero_on_itself(reference: Floats, missing: int) -> None:
    """A window with the reference's shares has no effect, for numbers and for codes."""
    for profile in (numeric_profile("a", reference, missing), categorical_profile("a", reference, {}, missing)):
        window = np.repeat(reference, 2)
        actual = effects_of(profile, window, 2 * missing)

        assert pytest.approx(0.0, abs=1e-12) == actual.psi
        assert pytest.approx(0.0, abs=1e-7) == actual.jensen_shannon
        assert actual.wasserstein is None or actual.wasserstein < 1e-12


@settings(deadline=None)
@given(reference=samples(few), window=samples(few))
def test_effects_do_not_depend_on_the_unit(reference: Floats, window: Floats) -> None:
    """Values times a power of two are in the same bins and as many deviations apart."""
    small, large = numeric_profile("a", reference), numeric_profile("a", reference * 1024)
    expected = effects_of(small, window)

    assert expected == effects_of(large, window * 1024)
