"""The sequential detector: when alarms begin and end, and features of all kinds."""

import math
from dataclasses import replace

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from tests.support.detectors import (
    BUDGET,
    Floats,
    advance,
    detector,
    experienced,
    profiles,
    rows,
    single_rows,
)

pytestmark = pytest.mark.long


def run(of: list[Profile], looks: list[Floats], state: DetectorState | None = None) -> list[DetectorState]:
    """The state after each look; looks are a minute apart."""
    engine = detector(of)
    states = [state or engine.start()]
    for window in looks:
        states.append(advance(engine, states[-1], single_rows(of, window), states[-1].time + 60.0))
    return states[1:]


def test_the_threshold_is_the_budget_of_one_family_for_each_feature() -> None:
    """The threshold of two features is the log10 of twice 150 days in seconds."""
    assert math.log10(2 * 150 * 86_400) == pytest.approx(detector(profiles()).threshold)


def test_no_alarm_without_drift() -> None:
    """500 looks at 100 rows like the reference's raise no alarm."""
    states = run(profiles(), [rows(seed) for seed in range(500)])

    assert not any(state.latched.any() for state in states)


def test_alarm_soon_after_a_shift() -> None:
    """A shift of half a standard deviation is found within 800 rows, in the shifted feature only."""
    of = profiles()
    before = run(of, [rows(seed) for seed in range(50)])[-1]
    after = run(of, [rows(seed, 0.5) for seed in range(100, 108)], before)[-1]

    assert [True, False] == after.latched.tolist()
    assert after.since[0] > before.time


def test_an_alarm_ends_with_the_shift_and_does_not_begin_again() -> None:
    """After 5000 shifted rows, 5000 like the reference's end the alarm, and 20,000 more raise none."""
    of = profiles()
    shifted = run(of, [rows(seed, 1.0) for seed in range(50)])[-1]
    ending = run(of, [rows(seed) for seed in range(100, 150)], shifted)
    later = run(of, [rows(seed) for seed in range(200, 400)], ending[-1])

    assert shifted.latched.any()
    assert not ending[-1].latched.any()
    assert not any(state.latched.any() for state in later)


def test_an_alarm_lasts_while_the_shift_does() -> None:
    """The time at which the alarm began is the same over 100 looks at shifted rows."""
    of = profiles()
    states = run(of, [rows(seed, 1.0) for seed in range(105)], experienced(detector(of), of))

    assert {states[4].since[0]} == {state.since[0] for state in states[4:]}
    assert states[4].latched[0]


def test_the_end_of_all_alarms_is_a_new_start() -> None:
    """When the last alarm ends, the evidence of every feature is 0."""
    of = profiles()
    shifted = run(of, [rows(seed, 1.0) for seed in range(20)])[-1]
    ending = run(of, [rows(seed) for seed in range(100, 150)], shifted)
    ended = next(state for state in ending if not state.latched.any())

    assert np.isneginf(ended.log_evidence).all()


def test_an_alarm_ends_even_with_a_short_interval() -> None:
    """With a budget of an alarm an hour it ends, though each look adds more than a thousandth of the threshold."""
    of = profiles(1)
    engine = detector(of, Budget(false_alarm_seconds=3600.0, evaluation_seconds=60.0, tolerance=0.05))
    state = engine.start()
    for seed in range(10):
        state = advance(engine, state, single_rows(of, rows(seed, 2.0, features=1)), 60.0 * seed)
    alarmed = state.latched.any()
    for seed in range(10, 400):
        state = advance(engine, state, single_rows(of, rows(seed, size=5, features=1)), 60.0 * seed)

    assert alarmed
    assert not state.latched.any()


def test_no_alarm_before_min_rows() -> None:
    """Rows far from the reference alarm only from `min_rows` rows on."""
    of = profiles()
    far = np.full((40, 2), 100.0)
    engine = detector(of, min_rows=100)
    first = advance(engine, engine.start(), single_rows(of, far), 60.0)
    second = advance(engine, first, single_rows(of, far), 120.0)
    third = advance(engine, second, single_rows(of, far), 180.0)
    without = run(of, [far, far])[-1]

    assert [False, False, True] == [state.latched.all() for state in (first, second, third)]
    assert without.latched.all()


def test_evidence_is_capped() -> None:
    """After a million rows far from the reference it is ten times the threshold."""
    of = profiles()
    state = run(of, [np.full((100_000, 2), 50.0)] * 10)[-1]
    engine = detector(of)

    assert engine.threshold + math.log10(10) == pytest.approx(engine.evidence(state).max())


def test_a_hundred_thousand_rows_in_one_look() -> None:
    """The state after so many is finite, but for bets on events that did not happen."""
    of = profiles(1)
    engine = detector(of)
    state = advance(engine, engine.start(), single_rows(of, rows(1, size=100_000, features=1)), 0.0)

    assert np.isfinite(engine.evidence(state)).all()
    assert not np.isnan(state.log_evidence).any()
    assert [100_000, 100_000, 100_000] == [state.rows, state.number, state.requests]


def test_ignored_features_and_features_of_other_kinds() -> None:
    """An ignored feature never has evidence; among the others a new category alarms."""
    codes = np.sort(np.random.default_rng(3).integers(0, 4, 5000)).astype(np.float64)
    of = [ignored_profile("date", 5000), categorical_profile("c", codes, {}), *profiles(1)]
    window = np.column_stack([np.full(200, np.nan), np.full(200, 99.0), rows(1, size=200, features=1)])
    state = run(of, [window])[-1]

    assert [False, True, False] == state.latched.tolist()
    assert 0.0 == detector(of).evidence(state)[0]


def test_all_features_ignored() -> None:
    """A reference of dates alone never alarms."""
    of = [ignored_profile("date", 10)]
    state = run(of, [np.full((100, 1), np.nan)])[-1]

    assert not state.latched.any()


def test_all_values_missing() -> None:
    """A feature that was never missing and now always is alarms."""
    window = rows(1)
    window[:, 1] = np.nan
    state = run(profiles(), [window])[-1]

    assert [False, True] == state.latched.tolist()


def test_reference_of_one_row() -> None:
    """Even rows far from it raise no alarm."""
    of = [numeric_profile("n", np.array([1.0]))]
    state = run(of, [np.full((1000, 1), 5.0)] * 20)[-1]

    assert not state.latched.any()


def test_constant_reference() -> None:
    """A feature that was always 7 alarms if it is 8, and does not as long as it is 7."""
    of = [numeric_profile("n", np.full(5000, 7.0))]
    unchanged = run(of, [np.full((100, 1), 7.0)] * 20)[-1]
    changed = run(of, [np.full((100, 1), 8.0)], unchanged)[-1]

    assert not unchanged.latched.any()
    assert changed.latched.any()


def test_a_second_feature_joins_an_alarm() -> None:
    """A second feature alarms at the same threshold, and has its own beginning."""
    of = profiles(10)
    first = run(of, [rows(seed, 1.0, features=10) for seed in range(10)])[-1]
    both = [rows(seed, 1.0, features=10) for seed in range(10, 20)]
    for window in both:
        window[:, 1] += 1.0
    second = run(of, both, first)[-1]

    assert [True] + [False] * 9 == first.latched.tolist()
    assert [True, True] + [False] * 8 == second.latched.tolist()
    assert second.since[0] == first.since[0] < second.since[1]


def test_the_key_depends_on_reference_and_tolerances() -> None:
    """Detectors with other references or tolerances have other keys."""
    of = profiles(1)
    budgets = [
        replace(BUDGET, tolerance=0.1),
        replace(BUDGET, share_tolerance=0.1),
        replace(BUDGET, beyond_reference=True),
    ]
    keys = {feature_detector(of, BUDGET, 30, "a").key, feature_detector(of, BUDGET, 30, "b").key}

    assert 5 == len(keys | {feature_detector(of, budget, 30, "a").key for budget in budgets})


@pytest.mark.parametrize("promised", [replace(BUDGET, false_alarm_seconds=3600.0), BUDGET])
def test_another_promise_keeps_the_evidence(promised: Budget) -> None:
    """The key does not depend on how often a false alarm is accepted."""
    of = profiles(1)

    assert feature_detector(of, BUDGET, 30, "a").key == feature_detector(of, promised, 30, "a").key
