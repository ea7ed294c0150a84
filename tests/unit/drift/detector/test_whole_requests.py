"""Requests of several rows in the detector: how much they count, and from when on."""

import math
from dataclasses import replace

import numpy as np
import pytest

from driftgauge.drift.detector.bets import make_bets
from tests.support.detectors import batches, counts, detector, nothing, profiles, rows


def test_a_request_counts_as_one_row_while_its_correlation_is_unknown() -> None:
    """Its evidence is the geometric mean of the e-values of its rows."""
    of = profiles(1)
    log_factors = make_bets(of[0], 0.05, 1).log_factors
    request = rows(1, 2.0, size=40, features=1)
    engine = detector(of)
    state = engine.advance(engine.start(), nothing(of), 0.0, batches(of, request))
    expected = math.log(60) + counts(of, request)[0] @ log_factors / 40

    assert state.rows == 40
    assert expected.tolist() == pytest.approx(state.log_evidence[0].tolist())


def test_the_correlation_counts_from_the_next_rows_on() -> None:
    """Rows are weighted by what was known before them: after many requests of independent rows each counts more."""
    of = profiles(1)
    engine = detector(of)
    before = engine.start()
    many = batches(of, *(rows(seed, size=20, features=1) for seed in range(300)))
    after = replace(engine.advance(before, nothing(of), 0.0, many), log_evidence=before.log_evidence, rows=0)
    request = batches(of, rows(400, 1.0, size=20, features=1))
    first = engine.advance(before, nothing(of), 0.0, request).log_evidence - math.log(60)
    second = engine.advance(after, nothing(of), 0.0, request).log_evidence - math.log(60)
    located = make_bets(of[0], 0.05, 1).score_of == 0

    assert [(1.0,), (1.0,)] == [tuple(one) for one in engine.correlations(before)]
    assert engine.correlations(after)[0][0] < 0.05
    assert engine.correlations(after)[1][0] == 1.0
    assert (np.abs(second[0][located]) > 8 * np.abs(first[0][located])).all()


def test_one_request_cannot_alarm_alone() -> None:
    """Even if earlier requests had independent rows: four wholly far ones do."""
    of = profiles(1)
    engine = detector(of)
    many = batches(of, *(rows(seed, size=200, features=1) for seed in range(300)))
    quiet = engine.start()
    learned = replace(quiet, correlation=engine.advance(quiet, nothing(of), 0.0, many).correlation, rows=1000)
    far = batches(of, np.full((200, 1), 3.0))
    states = [learned]
    for look in range(1, 5):
        states.append(engine.advance(states[-1], nothing(of), 60.0 * look, far))
    plain = engine.advance(learned, counts(of, np.full((200, 1), 3.0)), 60.0)

    assert plain.latched.all()
    assert [False, False, True] == [bool(states[requests].latched[0]) for requests in (1, 2, 4)]


def test_single_rows_and_batches_add_up() -> None:
    """One look at both gives the sum of their gains."""
    of = profiles()
    engine = detector(of)
    singles, request = counts(of, rows(1)), batches(of, rows(2, size=30), rows(3, size=5))
    both = engine.advance(engine.start(), singles, 0.0, request)
    parts = [engine.advance(engine.start(), singles, 0.0), engine.advance(engine.start(), nothing(of), 0.0, request)]
    gains = [part.log_evidence - math.log(60) for part in parts]

    assert both.rows == parts[0].rows + 35
    np.testing.assert_allclose(both.log_evidence - math.log(60), gains[0] + gains[1])
