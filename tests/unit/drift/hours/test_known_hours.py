"""The hours that references have rows of."""

import numpy as np

from driftgauge.drift.hours.known_hours import KnownHours

MONDAY = 1_704_067_200.0
DAY = 86_400.0


def _times(*hours: float, day: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return MONDAY + day * DAY + 3600 * np.array(hours)


def test_hours_within_an_hour_of_thirty_rows_are_known() -> None:
    """Around midnight, too, if one is within half an hour; 29 rows are too few."""
    known = KnownHours.of(np.concatenate([np.repeat(_times(23.75, 0.5), 15), np.repeat(_times(12), 29)]), "UTC")

    assert [True, True, True, True] == known.known(_times(23.55, 23.75, 0.2, 0.7)).tolist()
    assert [False, False, False] == known.known(_times(23.1, 1.1, 12.0)).tolist()


def test_weekends_are_known_by_working_days_where_the_reference_has_no_weekend() -> None:
    """With thirty rows of a weekend, its hours stand for themselves."""
    working = np.repeat(_times(12), 100)
    weekend = np.repeat(_times(15, day=5), 30)

    assert KnownHours.of(working, "UTC").known(_times(12, day=5)).all()
    assert not KnownHours.of(np.concatenate([working, weekend]), "UTC").known(_times(12, day=5)).any()
    assert not KnownHours.of(np.concatenate([working, weekend]), "UTC").known(_times(15)).any()


def test_hours_are_those_of_the_zone() -> None:
    """Noon in UTC of March and April is one hour apart in Berlin."""
    known = KnownHours.of(np.repeat(_times(12, day=80), 30), "Europe/Berlin")

    assert [True, False] == known.known(_times(10.75, day=95) + np.array([0, 2 * 3600])).tolist()


def test_a_reference_without_rows_knows_no_hour() -> None:
    """Nothing is known."""
    assert not KnownHours.of(np.empty(0), "UTC").known(_times(*range(24))).any()


def test_lacking_hours_are_those_not_wholly_known() -> None:
    """Rows from six to noon are within half an hour of half of the hour before six, and of that after noon."""
    known = KnownHours.of(_times(*np.linspace(6, 12, 2_000).tolist()), "UTC")

    assert [*range(6), *range(12, 24)] == known.lacking
    assert [] == KnownHours("UTC", np.ones(576, dtype=np.bool_)).lacking
