"""What the hour of a row means for a reference with times: buckets of hours, and the shares expected of them."""

from dataclasses import replace

import numpy as np

from driftgauge.drift.hours.hour_buckets import HourBuckets, hour_buckets
from driftgauge.drift.hours.hour_shares import HourShares
from driftgauge.drift.hours.known_hours import KnownHours
from driftgauge.drift.profile import Profile, numeric_profile
from driftgauge.drift.row_hours import RowHours

HALVES = (np.arange(24) >= 12).astype(np.intp)
"""Two buckets: before noon, and after it."""

BY_HOUR = HourShares("UTC", HALVES, np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([600, 400]))
"""A tenth of the rows before noon lack the feature, and half of those after it."""

MORNING, EVENING = 6 * 3_600.0, 18 * 3_600.0


def buckets() -> HourBuckets:
    """The buckets of a number with three cells."""
    found = hour_buckets(np.array([0.0, 1.0, 0.0]), 0.26, None, BY_HOUR)
    assert found is not None
    return found


def profile() -> Profile:
    """A number whose missing values depend on the hour."""
    return replace(numeric_profile("n", np.zeros(3)), missing=1)


def test_buckets_of_a_number_differ_in_missing_values_alone() -> None:
    """Its shares are known from all rows, those of missing values from the rows of the bucket."""
    found = buckets()

    assert [0, 1] == found.of(np.array([MORNING, EVENING])).tolist()
    assert [0.1, 0.5] == found.missing.tolist()
    assert [1.0, 1.0] == found.value_rows.tolist()
    np.testing.assert_allclose([1_000 / 600, 1_000 / 400], found.missing_rows)


def test_one_bucket_is_none() -> None:
    """Where nothing depends on the hour there are no buckets."""
    constant = HourShares("UTC", np.zeros(24, dtype=np.intp), np.array([[0.7, 0.3]]), np.array([100]))

    assert hour_buckets(np.array([1.0]), 0.3, None, constant) is None
    assert hour_buckets(np.array([1.0]), 0.3, None, None) is None


def test_what_is_expected_is_the_mix_of_the_hours() -> None:
    """Three rows before noon and one after it: missing shares of 0.1 and 0.5 give 0.2."""
    found = buckets().expected(values=np.array([3.0, 1.0]), rows=np.array([3.0, 1.0]))

    assert 0.2 == found.missing
    assert [0.0, 1.0, 0.0] == found.cells.tolist()
    np.testing.assert_allclose(1.0, found.value_rows)
    np.testing.assert_allclose(0.75**2 / 0.6 + 0.25**2 / 0.4, found.missing_rows)


def test_shares_of_values_and_of_missing_ones_have_weights_of_their_own() -> None:
    """Rows that count a tenth for missing values do so in the expected share, whatever they count for values."""
    of = RowHours([_with(profile(), buckets())], KnownHours("UTC", np.ones(576, dtype=np.bool_)))
    size = buckets().cells
    cells = np.array([1, 1, size + 1, size + 1], dtype=np.uint16)
    found = of.expected(0, cells, (np.ones(4), np.array([1.0, 1.0, 0.1, 0.1])))

    assert found is not None
    np.testing.assert_allclose((2 * 0.1 + 0.2 * 0.5) / 2.2, found.missing)


def test_rows_of_unknown_time_have_no_known_hour() -> None:
    """A reference with times needs them; one without knows every hour."""
    timed = RowHours([profile()], KnownHours("UTC", np.ones(576, dtype=np.bool_)))

    assert [False, False] == timed.known(None, 2).tolist()
    assert [True, True] == RowHours([profile()], None).known(None, 2).tolist()


def _with(one: Profile, found: HourBuckets) -> Profile:
    return replace(one, buckets=found)
