"""The measurements of one feature's window."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import EffectiveRows
from driftgauge.drift.measure import Measurement, Past, Sample, total_variation
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import DriftTest

Floats = NDArray[np.float64]

NUMBERS = numeric_profile("n", np.array([1.0, 2.0, 3.0, 4.0]))
CATEGORIES = categorical_profile("c", np.array([1.0, 1.0, 1.0, 2.0]), {1.0: "a", 2.0: "b"})


def measure(profile: Profile, window: list[float], missing: int = 0, min_rows: int = 1) -> tuple[Measurement, ...]:
    """The measurements of a window."""
    return Sample(profile, np.array(window), missing).measure(min_rows)


def test_numbers_have_a_ks_distance() -> None:
    """By hand: all of the window lies above 2, where the reference is at a half."""
    (actual,) = measure(NUMBERS, [3.0, 4.0])

    assert (DriftTest.KS, 0.5, (4, 2), None, 0) == (
        actual.test,
        actual.statistic,
        actual.rows,
        actual.counts,
        actual.categories,
    )


def test_categories_have_a_total_variation() -> None:
    """By hand: shares 3/4 and 1/4 against 1/4, 1/4 and a half unknown."""
    (actual,) = measure(CATEGORIES, [1.0, 2.0, 9.0, 10.0])

    assert (DriftTest.TV, 0.5, (4, 4), 2) == (actual.test, actual.statistic, actual.rows, actual.categories)
    assert actual.counts is not None
    assert ([3.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 2.0]) == (actual.counts[0].tolist(), actual.counts[1].tolist())


def test_many_new_categories_are_one_cell() -> None:
    """A thousand categories that the reference does not know are counted together, and cost no memory."""
    (actual,) = measure(CATEGORIES, [float(code) for code in range(100, 1100)])

    assert 1.0 == actual.statistic
    assert actual.counts is not None
    assert [0.0, 0.0, 0.0, 1000.0] == actual.counts[1].tolist()


def test_known_categories_without_a_cell_of_their_own_are_counted() -> None:
    """A reference of 150 categories has cells for a hundred of them, and its measurement says that it knows 150."""
    (actual,) = measure(categorical_profile("c", np.arange(150.0), {}), [0.0])

    assert 150 == actual.categories
    assert actual.counts is not None
    assert (102, 50.0) == (actual.counts[0].size, actual.counts[0][-2])


@pytest.mark.parametrize(
    ("in_reference", "in_window", "statistic"),
    [(0, 1, 0.25), (4, 1, 0.25), (4, 0, 0.5), (0, 0, None)],
)
def test_missing_values_are_measured_if_either_side_has_any(
    in_reference: int, in_window: int, statistic: float | None
) -> None:
    """By hand: the gap between the shares of missing values, in either direction; no test if neither side has any."""
    profile = numeric_profile("n", np.array([1.0, 2.0, 3.0, 4.0]), in_reference)
    found = [one.statistic for one in measure(profile, [1.0, 2.0, 3.0], in_window) if one.test is DriftTest.MISSING]

    assert ([] if statistic is None else [statistic]) == found


def test_all_missing() -> None:
    """A window without values has no distance, but its missing values are measured: all of them."""
    (actual,) = measure(NUMBERS, [], missing=5)

    assert (DriftTest.MISSING, 1.0, (4, 5)) == (actual.test, actual.statistic, actual.rows)


def test_dependent_rows_are_worth_fewer() -> None:
    """With 4 rows per independent row 8 values are worth 2, and 2 are worth 1; missing ones have their own factor."""
    distance, missing = Sample(NUMBERS, np.arange(8.0), 2, Past(factor=4.0, missing_factor=5.0)).measure(1)
    independent = Sample(NUMBERS, np.arange(8.0), 2, Past(factor=4.0)).measure(1)[1]

    assert (2.0, 2.0, 10.0) == (distance.effective_rows, missing.effective_rows, independent.effective_rows)
    assert 1.0 == Sample(NUMBERS, np.arange(2.0), 0, Past(factor=4.0)).measure(1)[0].effective_rows


def test_a_reference_of_dependent_rows_is_worth_fewer() -> None:
    """Its values and its rows are each worth their own number; of an unknown order there is none."""
    of_numbers = Sample(NUMBERS, np.arange(8.0), 2, reference=EffectiveRows(3.0, 2.0)).measure(1)
    of_categories = Sample(CATEGORIES, np.array([1.0]), 2, reference=EffectiveRows(3.0, 2.0)).measure(1)
    plain = Sample(NUMBERS, np.arange(8.0), 2).measure(1)

    assert [3.0, 2.0] == [one.reference_effective_rows for one in of_numbers]
    assert [3.0, 2.0] == [one.reference_effective_rows for one in of_categories]
    assert [None, None] == [one.reference_effective_rows for one in plain]


@pytest.mark.parametrize("raised", [(True, False), (False, True)])
@pytest.mark.parametrize("profile", [NUMBERS, CATEGORIES])
def test_a_measurement_knows_whether_its_test_alarmed(profile: Profile, raised: tuple[bool, bool]) -> None:
    """The first is that of the values, the second that of missing ones."""
    measured = Sample(profile, np.array([1.0, 2.0]), 2, Past(raised=raised)).measure(1)

    assert raised == tuple(one.raised for one in measured)


def test_too_few_rows() -> None:
    """Fewer values than required are not compared; the test of missing values counts all rows."""
    assert [DriftTest.MISSING] == [one.test for one in measure(NUMBERS, [1.0, 2.0], missing=3, min_rows=5)]
    assert () == measure(NUMBERS, [1.0, 2.0], missing=2, min_rows=5)


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
