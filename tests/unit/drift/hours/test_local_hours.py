"""Hours, weekends and dates of a time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.hours.local_hours import SLOTS, SLOTS_A_DAY, local_hours


@given(st.floats(0, 4e9), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]))
def test_hours_weekends_and_dates_are_those_of_datetime(seconds: float, zone: str) -> None:
    """Also in zones with half hours, and with summer time of half an hour."""
    found = local_hours(np.array([seconds]), zone)
    moment = datetime.fromtimestamp(seconds, tz=ZoneInfo(zone))
    hour = moment.hour + moment.minute / 60 + (moment.second + moment.microsecond / 1e6) / 3600

    assert hour == pytest.approx(found.hour[0], abs=1e-5) or pytest.approx(24, abs=1e-5) == abs(hour - found.hour[0])
    if abs(hour - 12) < 11.9:
        assert moment.date() == datetime.fromtimestamp(86_400 * int(found.date[0]), tz=ZoneInfo("UTC")).date()
        assert (moment.weekday() >= 5) == found.weekend[0]


def test_summer_time_moves_the_hour_between_two_quarters() -> None:
    """Berlin's clocks went from 2 to 3 at 01:00 UTC of 2024-03-31."""
    change = datetime.fromisoformat("2024-03-31T01:00:00+00:00").timestamp()

    assert [1.75, 3.0] == local_hours(np.array([change - 900, change]), "Europe/Berlin").hour.tolist()


def test_slots_of_weekends_follow_those_of_working_days() -> None:
    """A Friday and a Saturday, ten past midnight and five to midnight."""
    friday = datetime.fromisoformat("2024-03-01T00:00:00+00:00").timestamp()
    times = friday + np.array([600, 86_100, 86_400 + 600, 2 * 86_400 - 1e-5])

    assert [2, SLOTS_A_DAY - 1, SLOTS_A_DAY + 2, SLOTS - 1] == local_hours(times, "UTC").slots.tolist()


def test_times_that_datetime_does_not_know_have_finite_hours() -> None:
    """Before 1970, and after the year 9999."""
    found = local_hours(np.array([-1e12, 1e13]), "Europe/Berlin")

    assert np.isfinite(found.hour).all()


def test_two_weeks_are_covered_by_fourteen_days() -> None:
    """Two weekends and all working days twice; a day less is not enough."""
    times = np.arange(0, 14 * 86_400, 600.0)

    assert local_hours(times, "UTC").cover_two_weeks
    assert not local_hours(times[:-144], "UTC").cover_two_weeks


def test_no_rows_cover_nothing() -> None:
    """An empty array has no weeks."""
    assert not local_hours(np.empty(0), "UTC").cover_two_weeks
