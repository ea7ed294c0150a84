"""What is measured of one feature's window."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.measure import Measurement, Sample, total_variation
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import DriftTest

Floats = NDArray[np.float64]

NUMBERS = numeric_profile("n", np.array([1.0, 2.0, 3.0, 4.0]))
CATEGORIES = categorical_profile("c", np.array([1.0, 1.0, 1.0, 2.0]), {1.0: "a", 2.0: "b"})


def measured(profile: Profile, window: list[float], missing: int = 0, min_rows: int = 1) -> tuple[Measurement, ...]:
    """The measurements of a window."""
    return Sample(profile, np.array(window), missing).measurements(min_rows)


def test_numbers_have_a_ks_distance() -> None:
    """By hand: all of the window lies above 2, where the reference is at a half."""
    (actual,) = measured(NUMBERS, [3.0, 4.0])

    assert (DriftTest.KS, 0.5, (4, 2), None, 0) == (
        actual.test,
        actual.statistic,
        actual.rows,
        actual.counts,
        actual.categories,
    )


def test_categories_have_a_total_variation() -> None:
    """By hand: shares 3/4 and 1/4 against 1/4, 1/4 and a half unknown."""
    (actual,) = measured(CATEGORIES, [1.0, 2.0, 9.0, 10.0])

    assert (DriftTest.TV, 0.5, (4, 4), 2) == (actual.test, actual.statistic, actual.rows, actual.categories)
    assert actual.counts is not None
    assert ([3.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 2.0]) == (actual.counts[0].tolist(), actual.counts[1].tolist())


def test_an_explosion_of_categories_is_one_cell() -> None:
    """A thousand names that the reference does not know are counted together, and cost no memory."""
    (actual,) = measured(CATEGORIES, [float(code) for code in range(100, 1100)])

    assert 1.0 == actual.statistic
    assert actual.counts is not None
    assert [0.0, 0.0, 0.0, 1000.0] == actual.counts[1].tolist()


def test_known_categories_are_counted_though_they_share_a_cell() -> None:
    """A reference of 150 categories keeps a hundred apart, and says that there are 150."""
    (actual,) = measured(categorical_profile("c", np.arange(150.0), {}), [0.0])

    assert 150 == actual.categories
    assert actual.counts is not None
    assert (102, 50.0) == (actual.counts[0].size, actual.counts[0][-2])


@pytest.mark.parametrize(
    ("in_reference", "in_window", "statistic"),
    [(0, 1, 0.25), (4, 1, 0.25), (4, 0, 0.5), (0, 0, None)],
)
def test_missing_values_are_measured_where_there_are_any(
    in_reference: int, in_window: int, statistic: float | None
) -> None:
    """By hand: the gap between the shares of missing values, on either side; no test where neither side misses any."""
    profile = numeric_profile("n", np.array([1.0, 2.0, 3.0, 4.0]), in_reference)
    found = [one.statistic for one in measured(profile, [1.0, 2.0, 3.0], in_window) if one.test is DriftTest.MISSING]

    assert ([] if statistic is None else [statistic]) == found


def test_all_missing() -> None:
    """A window without values has no distance, but its missing values are measured: all of them."""
    (actual,) = measured(NUMBERS, [], missing=5)

    assert (DriftTest.MISSING, 1.0, (4, 5)) == (actual.test, actual.statistic, actual.rows)


def test_too_few_rows() -> None:
    """Fewer values than asked for are not compared; missing ones count among all rows."""
    assert [DriftTest.MISSING] == [one.test for one in measured(NUMBERS, [1.0, 2.0], missing=3, min_rows=5)]
    assert () == measured(NUMBERS, [1.0, 2.0], missing=2, min_rows=5)


@pytest.mark.parametrize(
    ("reference", "window", "expected"),
    [
        ([1.0, 1.0], [2.0, 2.0], 0.0),
        ([1.0, 0.0], [0.0, 5.0], 1.0),
        ([3.0, 1.0, 0.0], [1.0, 1.0, 2.0], 0.5),
        ([1.0], [7.0], 0.0),
    ],
)
def test_total_variation(reference: list[float], window: list[float], expected: float) -> None:
    """By hand: half of the sum of the gaps between shares, whatever the sample sizes."""
    assert expected == total_variation(np.array(reference), np.array(window))
