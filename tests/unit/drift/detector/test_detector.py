"""The sequential detector: when alarms begin and end, and the effect of clocks and missing values."""

import math
from dataclasses import replace

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.profile import Profile, categorical_profile, ignored_profile, numeric_profile
from tests.support.detectors import BUDGET, MONTH, Floats, counts, detector, profiles, rows


def run(of: list[Profile], looks: list[Floats], state: DetectorState | None = None) -> list[DetectorState]:
    """The state after each look; looks are a minute apart."""
    engine = detector(of)
    states = [state or engine.start()]
    for window in looks:
        states.append(engine.advance(states[-1], counts(of, window), states[-1].time + 60.0))
    return states[1:]


def test_the_threshold_is_the_budget_of_one_family_for_each_feature() -> None:
    """The threshold of two features is the log10 of twice 120 days in seconds."""
    assert math.log10(2 * 120 * 86_400) == pytest.approx(detector(profiles()).threshold)


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
    states = run(profiles(), [rows(seed, 1.0) for seed in range(101)])

    assert {states[1].since[0]} == {state.since[0] for state in states[1:]}


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
        state = engine.advance(state, counts(of, rows(seed, 2.0, features=1)), 60.0 * seed)
    alarmed = state.latched.any()
    for seed in range(10, 400):
        state = engine.advance(state, counts(of, rows(seed, size=5, features=1)), 60.0 * seed)

    assert alarmed
    assert not state.latched.any()


def test_no_alarm_before_min_rows() -> None:
    """Rows far from the reference alarm only from `min_rows` rows on."""
    of = profiles()
    far = np.full((40, 2), 100.0)
    engine = detector(of, min_rows=100)
    first = engine.advance(engine.start(), counts(of, far), 60.0)
    second = engine.advance(first, counts(of, far), 120.0)
    third = engine.advance(second, counts(of, far), 180.0)

    assert [False, False, True] == [state.latched.all() for state in (first, second, third)]


def test_no_rows_change_nothing() -> None:
    """A look without new rows returns the same object: time without traffic does not count."""
    of = profiles()
    engine = detector(of)
    state = run(of, [rows(1)])[-1]

    assert engine.advance(state, counts(of, np.empty((0, 2))), 1e6) is state


def test_evidence_by_hand() -> None:
    """After two looks it is ((60 + 0) e1 + 30) e2 for each bet, in log seconds."""
    of = profiles(1)
    log_factors = make_bets(of[0], 0.05, 1).log_factors
    first, second = (counts(of, rows(seed, features=1))[0] for seed in (1, 2))
    engine = detector(of)
    state = engine.advance(engine.advance(engine.start(), [first], 1000.0), [second], 1030.0)
    expected = np.log(60 * np.exp(first @ log_factors) + 30) + second @ log_factors

    assert expected.tolist() == pytest.approx(state.log_evidence[0].tolist())


def test_a_factor_divides_the_gain() -> None:
    """If a row is worth a fourth of an independent one, each bet's factor is raised to the power 1/4."""
    of = profiles(1)
    one = counts(of, rows(1, features=1))
    engine = detector(of)
    plain = engine.advance(engine.start(), one, 0.0).log_evidence - math.log(60)
    fourth = engine.advance(replace(engine.start(), factors=np.array([4.0])), one, 0.0).log_evidence - math.log(60)

    assert (plain / 4).tolist() == [pytest.approx(line) for line in fourth.tolist()]


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        pytest.param(1030.0, 30.0, id="as it was"),
        pytest.param(1e9, 60.0, id="forward"),
        pytest.param(1000.0, 0.0, id="standing"),
        pytest.param(-1e9, 0.0, id="backward"),
    ],
)
def test_a_clock_that_jumps(now: float, seconds: float) -> None:
    """A jump forward counts for one evaluation's time, a jump backward for none; the evidence stays finite."""
    of = profiles(1)
    one = counts(of, rows(1, features=1))
    engine = detector(of)
    before = engine.advance(engine.start(), one, 1000.0)
    after = engine.advance(before, one, now)
    gained = one[0] @ make_bets(of[0], 0.05, 1).log_factors

    assert (np.log(np.exp(before.log_evidence[0]) + seconds) + gained).tolist() == pytest.approx(
        after.log_evidence[0].tolist()
    )
    assert now == after.time


def test_evidence_is_capped() -> None:
    """After a million rows far from the reference it is ten times the threshold."""
    of = profiles()
    state = run(of, [np.full((100_000, 2), 50.0)] * 10)[-1]
    engine = detector(of)

    assert engine.threshold + math.log10(10) == pytest.approx(engine.evidence(state).max())


def test_counts_of_a_billion_rows() -> None:
    """The state after a billion rows is finite."""
    of = profiles()
    engine = detector(of)
    many = [one * 10_000_000 for one in counts(of, rows(1))]
    state = engine.advance(engine.start(), many, 0.0)

    assert np.isfinite(engine.evidence(state)).all()
    assert not np.isnan(state.log_evidence).any()


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


def test_the_key_depends_on_reference_and_tolerance() -> None:
    """Detectors with other references or tolerances have other keys."""
    of = profiles()
    other = Budget(false_alarm_seconds=MONTH, evaluation_seconds=60.0, tolerance=0.1)
    keys = {Detector(of, BUDGET, 30, "a").key, Detector(of, BUDGET, 30, "b").key, Detector(of, other, 30, "a").key}

    assert 3 == len(keys)
