"""The evidence after one or two looks, by hand: from the factors of bets, dependence and time."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.profile import Profile
from tests.support.detectors import (
    BUDGET,
    MONTH,
    Floats,
    advance,
    detector,
    experienced,
    known,
    profiles,
    rows,
    single_rows,
)

ONE = profiles(1)
CLIMB = math.log(5 * MONTH / 60.0)
"""From one evaluation's seconds to the threshold of one feature."""


def log_factors(of: Profile, window: Floats) -> Floats:
    """What rows of a numeric feature would add to each bet if they were independent."""
    places = np.searchsorted(of.cells.bounds, window[:, 0], side="left")
    found: Floats = make_bets(of, BUDGET, 1).log_factors[places].sum(axis=0)
    return found


def rare() -> NDArray[np.bool_]:
    """Which bets are on values below or above the reference, or on missing ones: the last three scores."""
    bets = make_bets(ONE[0], BUDGET, 1)
    found: NDArray[np.bool_] = bets.score_of >= bets.scores.shape[1] - 3
    return found


def gains_of_unknown_rows(window: Floats) -> Floats:
    """What the first rows add: of values a 16th of what independent rows would, of rare events that do not happen all.

    Bets on the latter have lost all.
    """
    found: Floats = np.where(rare(), -np.inf, log_factors(ONE[0], window) / 16)
    return found


def test_evidence_by_hand() -> None:
    """After two looks it is ((60 + 0) e1 + 30) e2 for each bet, in log seconds."""
    engine = detector(ONE)
    first, second = (rows(seed, size=10, features=1) for seed in (1, 2))
    state = advance(engine, engine.start(), single_rows(ONE, first), 1000.0)
    state = advance(engine, state, single_rows(ONE, second), 1030.0)
    one, two = gains_of_unknown_rows(first), gains_of_unknown_rows(second)

    np.testing.assert_allclose(state.log_evidence[0], np.log(60 * np.exp(one) + 30) + two)


@pytest.mark.parametrize("value", [-99.0, 99.0, math.nan])
def test_rare_events_of_unknown_dependence_count_an_eighth(value: float) -> None:
    """Each of ten rows beyond the reference, or without a value, adds so much to the bets that win."""
    engine = detector(ONE)
    state = advance(engine, engine.start(), single_rows(ONE, np.full((10, 1), value)), 0.0)
    bets = make_bets(ONE[0], BUDGET, 1)
    cell = -1 if math.isnan(value) else -2 if value > 0 else 0
    wins = rare() & (bets.log_factors[cell] > 0)
    expected = math.log(60) + 10 * bets.log_factors[cell] / 8

    assert wins.any()
    np.testing.assert_allclose(state.log_evidence[0][wins], np.minimum(expected, math.log(60) + CLIMB * 10 / 56)[wins])
    assert np.isneginf(state.log_evidence[0][rare() & (bets.log_factors[cell] < 0)]).all()


def test_a_factor_divides_the_gain() -> None:
    """Each bet's factor is raised to the power 1 / factor of its score, as it was known before the rows."""
    engine = detector(ONE)
    experience = rows(3, size=4_000, features=1)
    for index in range(1, len(experience)):
        experience[index] = 0.6 * experience[index - 1] + 0.8 * experience[index]
    learned = known(engine.start(), advance(engine, engine.start(), single_rows(ONE, experience), 0.0))
    window = rows(4, size=10, features=1)
    state = advance(engine, learned, single_rows(ONE, window), 0.0)
    factor = engine.verdict(learned, 1_000).factors[0]
    location = make_bets(ONE[0], BUDGET, 1).score_of == 0

    assert 2.5 < factor < 8  # it is 4 for a correlation of 0.6
    np.testing.assert_allclose(
        state.log_evidence[0][location], math.log(60) + (log_factors(ONE[0], window) / factor)[location]
    )


def test_rows_that_are_known_to_be_independent_count_fully() -> None:
    """Their factor is at most 1.3, instead of 16."""
    engine = detector(ONE)

    assert 1.0 <= engine.verdict(experienced(engine, ONE), 1_000).factors[0] < 1.3
    assert 16.0 == engine.verdict(engine.start(), 1_000).factors[0]


@pytest.mark.parametrize("size", [16, 48, 55, 56])
def test_a_row_takes_a_bet_a_56th_of_the_way(size: int) -> None:
    """However far rows are, and whatever is known of them, the best bet of 56 is at the threshold, and no earlier."""
    engine = detector(ONE)
    state = advance(engine, experienced(engine, ONE), single_rows(ONE, np.full((size, 1), 99.0)), 0.0)

    assert CLIMB == pytest.approx(engine.log_climb)
    assert math.log(60) + CLIMB * size / 56 == pytest.approx(state.log_evidence[0].max())


def test_far_rows_alarm_from_56_on() -> None:
    """The first alarm of rows that come one by one needs 56 at least, and few more: an eighth of all bets lead."""
    engine = detector(ONE)
    state, count, far = experienced(engine, ONE), 0, single_rows(ONE, np.full((1, 1), 99.0))
    while not state.latched[0]:
        state, count = advance(engine, state, far, 60.0), count + 1

    assert 56 <= count <= 56 * (1 + math.log(8) / CLIMB) + 1


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
    engine = detector(ONE)
    window = rows(1, size=10, features=1)
    before = advance(engine, engine.start(), single_rows(ONE, window), 1000.0)
    after = advance(engine, before, single_rows(ONE, window), now)
    with_seconds = np.exp(before.log_evidence[0]) + seconds
    values = ~rare()

    np.testing.assert_allclose(
        after.log_evidence[0][values], np.log(with_seconds[values]) + gains_of_unknown_rows(window)[values]
    )
    assert now == after.time
    assert 1000.0 == after.began


def test_an_event_that_pauses_starts_again() -> None:
    """Missing rows of unknown dependence lose their evidence at a look without any, and begin with its seconds."""
    engine = detector(ONE)
    burst, normal = np.full((30, 1), math.nan), rows(5, size=30, features=1)
    first = advance(engine, engine.start(), single_rows(ONE, burst), 0.0)
    second = advance(engine, first, single_rows(ONE, normal), 60.0)
    third = advance(engine, second, single_rows(ONE, burst), 120.0)
    missing = make_bets(ONE[0], BUDGET, 1).scores.shape[1] - 1
    on_missing = make_bets(ONE[0], BUDGET, 1).score_of == missing
    evidence = [state.log_evidence[0][on_missing].max() for state in (first, second, third)]

    assert np.isneginf(evidence[1])
    assert evidence[0] == pytest.approx(evidence[2])


def test_the_number_of_the_row_before_the_evidence_rose() -> None:
    """It moves on while rows are as the reference's, and stays from the look before a shift on."""
    engine = detector(ONE)
    state = replace(experienced(engine, ONE), number=1000)
    for look in range(10):
        state = advance(engine, state, single_rows(ONE, rows(look, size=100, features=1)), 60.0 * look)
    before = state.number
    for look in range(10, 15):
        state = advance(engine, state, single_rows(ONE, rows(look, 1.0, size=100, features=1)), 60.0 * look)

    assert 2_000 == before
    assert [True, 2_000] == [state.latched[0], state.risen_at[0]]


def test_rows_of_little_weight_reach_less() -> None:
    """A thousand rows could alarm, but not if they are worth three."""
    engine = detector(ONE)
    state = experienced(engine, ONE)

    assert engine.verdict(state, 1_000).reachable[0]
    assert not engine.verdict(state, 1_000, np.array([3.0])).reachable[0]
