"""Requests of several rows in the detector: how much they count, and from when on."""

import math
from dataclasses import replace

import numpy as np
import pytest

from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.request_correlation import no_sums
from tests.support.detectors import (
    BUDGET,
    advance,
    cells,
    detector,
    experienced,
    known,
    profiles,
    rows,
    single_rows,
    whole_requests,
)

ONE = profiles(1)
BETS = make_bets(ONE[0], BUDGET, 1)
LOCATED = BETS.score_of == 0
"""Bets on location."""


def after_requests(length: int) -> DetectorState:
    """A detector's start with what 300 requests of independent rows show."""
    engine = detector(ONE)
    many = whole_requests(ONE, *(rows(seed, size=length, features=1) for seed in range(300)))
    return known(engine.start(), advance(engine, engine.start(), many, 0.0))


def test_a_request_counts_as_one_row_while_its_correlation_is_unknown() -> None:
    """Its evidence is the geometric mean of the e-values of its rows; 16 such requests count as one."""
    engine = detector(ONE)
    request = rows(1, 2.0, size=40, features=1)
    state = advance(engine, engine.start(), whole_requests(ONE, request), 0.0)
    expected = math.log(60) + BETS.log_factors[cells(ONE, request)[0]].mean(axis=0) / 16

    assert (40, 1) == (state.rows, state.requests)
    np.testing.assert_allclose(state.log_evidence[0][LOCATED], expected[LOCATED])


def test_the_correlation_counts_from_the_next_rows_on() -> None:
    """Rows are weighted by what was known before them: after many requests of independent rows each counts more."""
    engine, after = detector(ONE), after_requests(20)
    before = replace(after, correlation=no_sums(after.correlation.shape[1]))
    request = whole_requests(ONE, rows(400, 1.0, size=20, features=1))
    first, second = (advance(engine, state, request, 0.0).log_evidence - math.log(60) for state in (before, after))

    assert [(1.0,), (1.0,)] == [tuple(one) for one in engine.correlations(before)]
    assert engine.correlations(after)[0][0] < 0.05
    assert engine.correlations(after)[1][0] == 1.0
    assert (np.abs(second[0][LOCATED]) > 8 * np.abs(first[0][LOCATED])).all()


def test_one_request_cannot_alarm_alone() -> None:
    """Even if earlier requests had independent rows: as many single rows do, and so do four such requests."""
    engine, far = detector(ONE), np.full((200, 1), 3.0)
    states = [replace(after_requests(200), rows=1000)]
    for look in range(1, 5):
        states.append(advance(engine, states[-1], whole_requests(ONE, far), 60.0 * look))
    plain = advance(engine, states[0], single_rows(ONE, far), 60.0)

    assert plain.latched.all()
    assert [False, False, True] == [bool(states[requests].latched[0]) for requests in (1, 2, 4)]


@pytest.mark.parametrize(("length", "share"), [(2, 2 / 56), (18, 18 / 56), (19, 1 / 3), (1_000, 1 / 3)])
def test_a_request_takes_a_bet_a_third_of_the_way_at_most(length: int, share: float) -> None:
    """Its rows take it no farther than as many neighbouring single rows would."""
    engine = detector(ONE)
    far = whole_requests(ONE, np.full((length, 1), 3.0))
    state = advance(engine, after_requests(200), far, 0.0)

    assert math.log(60) + share * engine.log_climb == pytest.approx(state.log_evidence[0].max())


def test_single_rows_and_requests_add_up() -> None:
    """One look at both gives the sum of their gains."""
    of = profiles()
    engine = detector(of)
    start = experienced(engine, of)
    singles, request, another = rows(1, size=16), rows(2, size=30), rows(3, size=5)
    both = advance(engine, start, whole_requests(of, another, *np.split(singles, 16), request), 0.0)
    parts = [
        advance(engine, start, new, 0.0) for new in (single_rows(of, singles), whole_requests(of, another, request))
    ]
    gains = [part.log_evidence - math.log(60) for part in parts]

    assert both.rows == parts[0].rows + 35
    assert both.requests == parts[0].requests + 2
    np.testing.assert_allclose(both.log_evidence - math.log(60), gains[0] + gains[1])
    np.testing.assert_allclose(both.correlation, parts[1].correlation)
