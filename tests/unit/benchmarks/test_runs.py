"""The counts of a run, and fixed windows."""

import math

import numpy as np
import pytest

from benchmarks.statistics.cases import CASES, FEATURES, rows_of, stream_of
from benchmarks.statistics.engine import Look
from benchmarks.statistics.false_alarms import begun, joined, outcome_of
from benchmarks.statistics.references import error
from benchmarks.statistics.windows import LEVEL, SIZES, plain, threshold, waits
from driftgauge.drift.statistics.p_value import PValues


def look(*, window: bool = False, detector: bool = False) -> Look:
    """A look with these alarms."""
    return Look(rows=60, window=window, detector=detector, plain=False, factor=1.0)


def test_an_alarm_that_lasts_begins_once() -> None:
    """Looks in alarm one after the other are one alarm."""
    assert begun([True, True, False, True]) == 2


def test_alarms_of_window_and_detector_that_overlap_are_one() -> None:
    """Each is counted by itself, and together they are one."""
    outcome = outcome_of([look(), look(window=True), look(window=True, detector=True), look(detector=True), look()])

    assert (outcome.alarms, outcome.windows, outcome.detectors, outcome.quiet) == (1, 1, 1, 2)


def test_runs_add_up() -> None:
    """Two runs are one of twice the length."""
    one = outcome_of([look(), look(window=True)])

    assert (joined([one, one]).looks, joined([one, one]).alarms, joined([one, one]).unlucky) == (4, 2, 2)


def test_the_error_of_a_sample_is_its_distance_from_the_uniform_law() -> None:
    """Three values at the quarters leave a gap of a quarter."""
    assert error(np.array([0.25, 0.5, 0.75])) == pytest.approx(0.25)


@pytest.mark.parametrize("size", SIZES)
def test_the_threshold_of_a_window_is_that_of_the_p_value(size: int) -> None:
    """Smirnov's first term is the asymptotic critical distance, to a twentieth."""
    assert threshold(5_000, size) == pytest.approx(PValues().critical_statistic(5_000, size, LEVEL), rel=0.05)


@pytest.mark.parametrize("name", CASES)
def test_rows_of_a_case_have_the_changing_column_first(name: str) -> None:
    """The others are normal, and no value of theirs is missing."""
    stream = stream_of(CASES[name], np.random.default_rng(1), 30, 20)

    assert stream.shape == (50, FEATURES)
    assert not np.isnan(stream[:, 1:]).any()


@pytest.mark.parametrize("name", ["mean + 1 s", "category 10 % to 30 %", "missing 2 % to 20 %"])
def test_a_short_window_finds_a_large_change_first(name: str) -> None:
    """It is full of rows after the change sooner."""
    rng, case = np.random.default_rng(2), CASES[name]
    reference, stream = rows_of(case.before, rng, 5_000)[:, 0], stream_of(case, rng, 4_000, 2_000)[:, 0]

    found = waits(plain(case, reference), stream, 4_000)

    assert found[0] <= found[-1] < math.inf


def test_a_column_without_a_change_is_not_found() -> None:
    """All waits are infinite."""
    rng, case = np.random.default_rng(3), CASES["mean + 1 s"]
    reference, stream = case.before(rng, 5_000), case.before(rng, 5_000)

    assert [math.inf] * len(SIZES) == waits(plain(case, reference), stream, 4_000)
