"""What a stream adds to the report on its window: the sentences are about the rows since the evidence rose."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.verdict import no_detector
from driftgauge.drift.profile import Profile, ignored_profile, numeric_profile
from driftgauge.drift.rank_cache import RankCache
from driftgauge.drift.result import Change, FeatureDrift
from driftgauge.drift.row_hours import RowHours
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import StreamFacts, WindowTester

RULE = Rule(0.05, Correction.HOLM, 50, Budget(30 * 86_400.0, 30.0, 0.02))

OLD_ROWS, NEW_ROWS, FIRST_NUMBER = 900, 100, 5_001


def reference() -> list[Profile]:
    """An ignored column, and two standard normal ones."""
    values = np.sort(np.random.default_rng(1).normal(size=(2, 5_000)), axis=1)
    return [ignored_profile("id", 5_000), numeric_profile("still", values[0]), numeric_profile("moved", values[1])]


def window() -> NDArray[np.float64]:
    """Old rows as the reference, then rows whose last column has moved from degrees Celsius to kelvins."""
    rows = np.random.default_rng(2).normal(size=(OLD_ROWS + NEW_ROWS, 3))
    rows[OLD_ROWS:, 2] += 273.15
    return rows


def features(risen_at: int, seen_seconds: float | None = None) -> tuple[FeatureDrift, ...]:
    """The results, where the evidence of the moved column began to rise after this row."""
    profiles = reference()
    cache = RankCache(profiles, RowHours(profiles, None))
    cache.update(window(), np.arange(FIRST_NUMBER, FIRST_NUMBER + OLD_ROWS + NEW_ROWS))
    tester = WindowTester(profiles, RULE)
    since = np.array([np.nan, np.nan, 1e9])
    evidence, risen = np.array([0.0, 0.0, 9.0]), np.array([-1, -1, risen_at])
    known = replace(no_detector(3), evidence=evidence, threshold=8.0, since=since, risen_at=risen)
    ranked = cache.blocks(tester.columns)
    stream = StreamFacts(cache.rows_after, [None, 350, None], 2.0, seen_seconds)
    return tester.test(ranked, OLD_ROWS + NEW_ROWS, PValues(), known, stream=stream).features


def test_a_finding_is_about_the_rows_since_the_evidence_rose() -> None:
    """The sentence is of the newest 100 rows, the histogram and the distance are of all 1,000."""
    still, moved = features(risen_at=FIRST_NUMBER + OLD_ROWS - 1)

    assert "No drift." == still.reading
    assert Change.SCALE is moved.change
    assert moved.reading.startswith("In the newest 100 rows: scale break, every decile is about")
    assert 1_000 == moved.rows
    assert pytest.approx(0.1, abs=0.03) == moved.distance.statistic


@pytest.mark.parametrize("risen_at", [-1, 17, FIRST_NUMBER - 1, FIRST_NUMBER + OLD_ROWS + NEW_ROWS - 1])
def test_evidence_that_rose_outside_of_the_window_leaves_the_whole_window(risen_at: int) -> None:
    """Unknown, before the window, or with its newest row: the sentence is about all rows."""
    assert features(risen_at)[1].reading.startswith("Drift: ")


def test_the_first_day_is_mentioned() -> None:
    """Less than a day was seen, so that drift may be the time of day."""
    expected = "(less than a day seen: it may be the time of day)."

    assert features(-1, seen_seconds=3_600.0)[1].reading.endswith(expected)
    assert not features(-1, seen_seconds=100_000.0)[1].reading.endswith(expected)
