"""A day and a night of traffic, as a reference of whole days without times sees them."""

import math
import re

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import Profile, numeric_profile
from driftgauge.drift.result import Change, DriftReport
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.page.contents import Facts, Page, part_of
from driftgauge.page.document import render
from tests.support.days import DAY_SECONDS, MIDNIGHT, DayTraffic, evaluations

TRAFFIC = DayTraffic(day_rows=12_000, amplitude=1.0)

STEADY = DayTraffic(day_rows=12_000, amplitude=0.0)

LOOK_ROWS = 250
"""Half an hour of rows."""

LOOKS_A_DAY = 48

YOUNG = "(less than a day seen: it may be the time of day)"


def profiles(traffic: DayTraffic) -> list[Profile]:
    """A reference of 6,000 rows of a whole day."""
    values, _ = DayTraffic(6_000, traffic.amplitude, seed=9).rows(MIDNIGHT - DAY_SECONDS, 6_000)
    return [numeric_profile(f"f{index}", np.sort(column)) for index, column in enumerate(values.T)]


def evaluator(traffic: DayTraffic) -> StreamEvaluator:
    """An evaluator with the default promise."""
    budget = Budget(30 * DAY_SECONDS, DAY_SECONDS / LOOKS_A_DAY, 0.02)
    return StreamEvaluator(profiles(traffic), Rule(0.05, Correction.HOLM, 100, budget), "digest")


def reports(traffic: DayTraffic, looks: int) -> list[DriftReport]:
    """The reports of the looks from a midnight on."""
    values, times = traffic.rows(MIDNIGHT, looks * LOOK_ROWS)
    return [one.report for one in evaluations(evaluator(traffic), values, times, LOOK_ROWS)]


def drift_sentences(report: DriftReport) -> list[str]:
    """The sentences of a report that describe a drift, no broken schema and no new unit."""
    return [feature.reading for feature in report.features if feature.change is Change.DRIFT]


def test_the_first_day_says_that_it_may_be_the_time_of_day() -> None:
    """The night alarms; each drift sentence says so until a day was seen, and none does afterwards."""
    found = reports(TRAFFIC, LOOKS_A_DAY + 24)
    first, later = (
        [sentence for report in part for sentence in drift_sentences(report)]
        for part in (found[:LOOKS_A_DAY], found[LOOKS_A_DAY + 1 :])
    )

    assert first
    assert [] == [sentence for sentence in first if not sentence.endswith(f"{YOUNG}.")]
    assert [] == [sentence for sentence in later if YOUNG in sentence]


def test_the_page_says_it_too() -> None:
    """A person who looks at the page in the first night reads it beside the drift."""
    report = next(report for report in reports(TRAFFIC, 24) if drift_sentences(report))
    part = part_of(
        "Inputs", (), np.empty((0, 0)), report, Facts(window="stream", reference="days.csv", reference_rows=6_000)
    )
    readings = re.findall(r'<p class="reading">(.*?)</p>', render(Page("night", (part,))))

    assert any(reading.endswith(f"{YOUNG}.") for reading in readings)


def test_a_stream_without_a_rhythm_does_not_drift() -> None:
    """A day of values that are the same at all hours raises nothing."""
    assert [] == [sentence for report in reports(STEADY, LOOKS_A_DAY) for sentence in drift_sentences(report)]


def test_a_change_of_unit_on_the_second_day_is_found() -> None:
    """It is found within two looks, and nothing before; the sentence does not mention the time of day."""
    values, times = STEADY.rows(MIDNIGHT, 60 * LOOK_ROWS)
    values[56 * LOOK_ROWS :, 1] *= 1_000.0
    found = [one.report.features for one in evaluations(evaluator(STEADY), values, times, LOOK_ROWS)]

    assert [] == [feature.feature for features in found[:56] for feature in features if feature.drift]
    assert ["f1"] == [feature.feature for feature in found[57] if feature.drift]
    assert YOUNG not in found[57][1].reading


def test_the_first_day_is_that_of_the_detectors_state() -> None:
    """A process that starts on the second day, with the state of the first, does not mention it."""
    values, times = STEADY.rows(MIDNIGHT, 60 * LOOK_ROWS)
    values[56 * LOOK_ROWS :] += 2.0
    earlier = evaluations(evaluator(STEADY), values[: 56 * LOOK_ROWS], times[: 56 * LOOK_ROWS], LOOK_ROWS)[-1].state
    newest = slice(-2_000, None)
    window = StreamWindow(values[newest], np.arange(1, times.size + 1)[newest], np.arange(2_000), times[newest])
    later = evaluator(STEADY).evaluate(earlier, window, PValues(), float(times[-1])).report

    assert earlier is not None
    assert MIDNIGHT == earlier.began
    assert ["f0", "f1"] == [feature.feature for feature in later.features if feature.drift]
    assert [] == [feature.reading for feature in later.features if YOUNG in feature.reading]


def test_a_process_without_a_state_has_seen_the_rows_of_its_window() -> None:
    """It may be the time of day, however many rows there were before."""
    values, times = TRAFFIC.rows(MIDNIGHT, 12 * LOOK_ROWS)
    (new,) = evaluations(evaluator(TRAFFIC), values, times, look_rows=12 * LOOK_ROWS)

    assert new.state is not None
    assert times[-2_000] == new.state.began
    assert [] != drift_sentences(new.report)
    assert [] == [sentence for sentence in drift_sentences(new.report) if YOUNG not in sentence]


@pytest.mark.parametrize("hour", [0, 6, 12, 18])
def test_values_rise_by_day_and_fall_by_night(hour: int) -> None:
    """The mean of an hour is that of the sine."""
    values, times = TRAFFIC.rows(MIDNIGHT + hour * 3_600.0, 500)
    expected = -math.cos(2 * math.pi * (hour + 0.5) / 24)

    assert 3_600.0 == pytest.approx(times[-1] - times[0], abs=8.0)
    assert pytest.approx(expected, abs=0.15) == values.mean()
