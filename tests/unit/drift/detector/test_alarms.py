"""Alarms end by evidence that the change is over, and by nothing else."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.detector.alarms import LOG_RECOVERY, RECOVERY_STAKES, change_is_over, recovery_logs
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import DetectorState
from tests.support.detectors import advance, detector, experienced, profiles, rows, single_rows

pytestmark = pytest.mark.long

ONE = profiles(1)
LOOK_ROWS = 100


def run(engine: Detector, state: DetectorState, window: NDArray[np.float64]) -> list[DetectorState]:
    """The state after each look at a hundred rows, a minute apart."""
    states = [state]
    for first in range(0, window.shape[0], LOOK_ROWS):
        new = single_rows(ONE, window[first : first + LOOK_ROWS])
        states.append(advance(engine, states[-1], new, states[-1].time + 60.0))
    return states[1:]


def alarmed(engine: Detector, shift: float, seed: int) -> DetectorState:
    """The state at the first look at which rows with a shift alarm."""
    states = run(engine, experienced(engine, ONE, 4_096), rows(seed, shift, size=5_000, features=1))
    return next(state for state in states if state.latched[0])


def row_means(shift: float) -> NDArray[np.float64]:
    """The chance of each cell for numbers with a shift, and of a row that lacks the feature: from many rows."""
    counts = ONE[0].cells.count(rows(9, shift, size=2_000_000, features=1)[:, 0])
    means: NDArray[np.float64] = np.append(counts, 0) / counts.sum()
    return means


@pytest.mark.parametrize("share", [0.5, 0.75, 1.0])
def test_a_change_of_which_half_lasts_is_no_evidence_of_recovery(share: float) -> None:
    """The mean factor of each bet on recovery is at most 1 while half of what the leading bet gained is left."""
    shift = 0.5
    bets = detector(ONE).bets[0]
    gains = row_means(shift) @ np.expm1(bets.log_factors)
    leader = bets.log_factors[:, int(gains.argmax())]
    logs = recovery_logs(leader, float(gains.max()) / 2)
    normal, changed = row_means(0.0), row_means(shift)
    mixed = share * changed + (1 - share) * normal
    expected = np.sign(gains.max() / 2 - mixed @ np.expm1(leader))
    found = np.sign((mixed @ np.expm1(logs)).round(9))

    assert [expected] * RECOVERY_STAKES.size == found.tolist()
    assert (changed @ np.expm1(logs) < 0).all()
    assert (normal @ np.expm1(logs) > 0).all()


def test_recovery_logs_by_hand() -> None:
    """For factors 2 and 1/2 and a half of 0.2 it is log(1 - l (b - 1.2) / 0.8)."""
    found = recovery_logs(np.log([2.0, 0.5]), 0.2)

    np.testing.assert_allclose(found, np.log([1 - RECOVERY_STAKES, 1 + RECOVERY_STAKES * 0.7 / 0.8]))


def test_a_gain_that_no_row_has_counts_as_half_of_the_greatest() -> None:
    """A climb may look steeper than any row allows, where the numbers of rows began again."""
    expected = recovery_logs(np.log([1.2, 0.5]), 0.1)

    np.testing.assert_array_equal(recovery_logs(np.log([1.2, 0.5]), 0.7), expected)
    assert (expected[1] > 0).all()
    assert [[0.0] * 4] * 2 == recovery_logs(np.log([0.9, 0.5]), 0.1).tolist()


def test_a_change_is_over_at_a_mean_of_ten_thousand() -> None:
    """The mean over four bets decides: one at forty thousand is enough, one a little below is not."""
    at = math.log(40_000)
    recovery = np.array([[at + 1e-9, -math.inf, -math.inf, -math.inf], [at - 1e-9] + [-99.0] * 3, [0.0] * 4])

    assert [True, False, False] == change_is_over(recovery).tolist()
    assert math.log(10_000) == LOG_RECOVERY


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0, 5.0])
def test_a_lasting_change_is_not_ended(shift: float, seed: int) -> None:
    """In 20,000 rows with the change the alarm goes on."""
    engine = detector(ONE)
    start = alarmed(engine, shift, seed)
    states = run(engine, start, rows(100 + seed, shift, size=20_000, features=1))

    assert {start.since[0]} == {state.since[0] for state in states}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("shift", "most"), [(0.5, 3_000), (1.0, 1_000), (5.0, 500)])
def test_an_alarm_ends_soon_after_the_change(shift: float, most: int, seed: int) -> None:
    """The rows that it takes are fewer after a larger change; the evidence starts again, and the next row is low."""
    engine = detector(ONE)
    start = run(engine, alarmed(engine, shift, seed), rows(200 + seed, shift, size=2_000, features=1))[-1]
    states = run(engine, start, rows(300 + seed, size=most, features=1))
    ended = next(state for state in states if not state.latched[0])

    assert start.latched[0]
    assert np.isneginf(ended.log_evidence).all()
    assert ended.number == ended.risen_at[0]
    assert not states[-1].latched[0]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shift", [0.5, 1.0, 5.0])
def test_a_short_spell_of_normal_rows_ends_nothing(shift: float, seed: int) -> None:
    """Sixty normal rows among those with the change are no evidence that it is over."""
    engine = detector(ONE)
    start = run(engine, alarmed(engine, shift, seed), rows(400 + seed, shift, size=1_000, features=1))[-1]
    window = rows(500 + seed, shift, size=3_000, features=1)
    window[1_020:1_080] -= shift
    states = run(engine, start, window)

    assert {start.since[0]} == {state.since[0] for state in states}


def test_an_alarm_ends_when_rows_turn_out_to_be_dependent() -> None:
    """It was raised for rows thought to be independent, and neighbours correlate by 0.98."""
    engine = detector(ONE)
    start = alarmed(engine, 1.0, 1)
    window = rows(2, size=10_000, features=1)
    for index in range(1, len(window)):
        window[index] = 0.98 * window[index - 1] + math.sqrt(1 - 0.98**2) * window[index]
    states = run(engine, replace(start, alarm_factor=np.ones(1)), window + 1.0)

    assert start.latched[0]
    assert not states[-1].latched[0]


@pytest.mark.parametrize(("known_seconds", "lasts"), [(86_000.0, False), (87_000.0, True)])
def test_rows_that_become_alike_after_a_day_are_a_change(known_seconds: float, lasts: bool) -> None:  # noqa: FBT001 - expected
    """Where the dependence had a bound for a day when the alarm began, it goes on, however alike later rows are."""
    engine = detector(ONE)
    quiet = replace(experienced(engine, ONE, 4_096), bounded_since=np.zeros(1), time=known_seconds - 60.0)
    window = rows(2, size=10_000, features=1)
    for index in range(1, len(window)):
        window[index] = 0.98 * window[index - 1] + math.sqrt(1 - 0.98**2) * window[index]
    window = 1.5 + window / 2
    states = run(engine, quiet, window)
    first = next(index for index, state in enumerate(states) if state.latched[0])

    assert first < 3
    assert lasts == all(state.latched[0] for state in states[first:])


def test_without_an_alarm_there_is_no_evidence_of_recovery() -> None:
    """It is 0 before the first alarm and after its end, and above 0 when a change has just ended."""
    engine = detector(ONE)
    quiet = run(engine, engine.start(), rows(1, size=1_000, features=1))
    start = alarmed(engine, 5.0, 1)
    ending = run(engine, start, rows(3, size=3_000, features=1))
    ended = [not state.latched[0] for state in ending].index(True)

    assert not np.any([state.recovery for state in quiet])
    assert not ending[ended].recovery.any()
    assert ended > 0
    assert (ending[0].recovery > 0).any()
