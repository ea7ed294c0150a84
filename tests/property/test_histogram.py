"""Laws of histograms: each row is counted once, and no two bins have the same label."""

from itertools import pairwise

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.histogram import Histogram
from driftgauge.drift.profile import categorical_profile, numeric_profile

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

few = st.integers(-8, 8).map(float)
reals = st.floats(allow_nan=False, allow_infinity=False)


def samples(elements: st.SearchStrategy[float], least: int) -> st.SearchStrategy[Floats]:
    """Sorted samples."""
    return arrays.arrays(np.float64, st.integers(least, 80), elements=elements).map(np.sort)


references = st.one_of(samples(few, 1), samples(st.one_of(few, reals), 1))
windows = st.one_of(samples(few, 0), samples(st.one_of(few, reals), 0))
counts = st.integers(0, 30)
texts = st.one_of(st.sampled_from(["missing", "'missing'", "rare", "unseen", "#1", "#2"]), st.text(max_size=4))


@settings(deadline=None)
@given(reference=references, window=windows, before=counts, missing=counts)
def test_all_numbers_are_counted_once(reference: Floats, window: Floats, before: int, missing: int) -> None:
    """Shares of each side sum to 1, each is the number of values between two bounds, and labels are unique."""
    found = Histogram(numeric_profile("a", reference, before)).bins(window, missing)
    rows = max(1, window.size + missing)
    bounds = [-np.inf, *(one.upper for one in found if one.upper is not None), np.inf]
    sides = ((reference, before + reference.size), (window, rows))
    expected = [
        [float(((low < values) & (values <= high)).sum() / size) for values, size in sides]
        for low, high in pairwise(bounds)
    ]

    assert [[one.reference, one.window] for one in found[:-1]] == expected
    assert sum(one.reference for one in found) == pytest.approx(1.0)
    assert sum(one.window for one in found) == pytest.approx(float(window.size + missing > 0))
    assert len(found) == len({one.label for one in found}) <= 15


@settings(deadline=None)
@given(
    known=st.lists(texts, min_size=1, max_size=40, unique=True),
    data=st.data(),
    before=counts,
    missing=counts,
)
def test_all_categories_are_counted_once(known: list[str], data: st.DataObject, before: int, missing: int) -> None:
    """Shares of each side sum to 1, and labels are unique, whatever the categories' texts, and without texts."""
    codes = st.integers(0, len(known) - 1).map(float)
    reference, window = data.draw(samples(codes, 1)), data.draw(samples(st.one_of(codes, few), 0))
    with_text = data.draw(st.integers(0, len(known)))
    profile = categorical_profile("a", reference, {float(code): known[code] for code in range(with_text)}, before)
    found = Histogram(profile).bins(window, missing)

    assert sum(one.reference for one in found) == pytest.approx(1.0)
    assert sum(one.window for one in found) == pytest.approx(float(window.size + missing > 0))
    assert len(found) == len({one.label for one in found}) <= 23
