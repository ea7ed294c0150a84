"""Streams of outcomes with known truth, other detectors of concept drift, and how both are watched."""

import math

import numpy as np
import pytest

from benchmarks.statistics.outcome_arrivals import SPELL_ROWS, Arrival
from benchmarks.statistics.outcome_delays import CHANGES, watch_change
from benchmarks.statistics.outcome_engine import PROMISE_ROWS, Alarms, budget_of, outcome_evaluator, watch
from benchmarks.statistics.outcome_peers import adwin, ddm, page_hinkley, running_risk
from benchmarks.statistics.outcome_streams import FOUR, LINEAR, LOGIT, Kind, Requests, World
from benchmarks.statistics.outcomes import QUIET, Piece, errors_in, watch_quiet
from driftgauge.drift.budget import FAMILIES

CHANGED = np.concatenate([np.zeros(2_000), np.ones(200)])
CHANGED[::10] = 1.0


@pytest.mark.parametrize("name", [*QUIET, *CHANGES])
def test_every_stream_has_finite_rows_of_its_kind(name: str) -> None:
    """Predictions and labels of classes are codes, confidences are shares."""
    case = {**QUIET, **CHANGES}[name]
    requests = case.requests.draw(np.random.default_rng(1), 400)
    rows = case.kind.draw(np.random.default_rng(2), case.world, 400, requests)

    assert np.isfinite(rows).all()
    assert rows.shape == (400, 3 if case.kind.classes else 2)
    if case.kind.classes:
        assert set(np.unique(rows[:, [0, 2]])) <= set(range(case.kind.classes))
        assert ((rows[:, 1] > 0) & (rows[:, 1] <= 1)).all()


@pytest.mark.parametrize(("kind", "loss"), [(LOGIT, 0.122), (FOUR, 0.16), (LINEAR, math.sqrt(2 / math.pi))])
def test_a_sound_model_has_the_loss_of_the_table(kind: Kind, loss: float) -> None:
    """About one prediction in eight is wrong; numbers have the mean absolute error of standard normal noise."""
    rows = kind.draw(np.random.default_rng(3), World(), 40_000, np.arange(40_000))

    assert errors_in(kind, rows).mean() == pytest.approx(loss, abs=0.015)


def test_flipped_labels_raise_errors_by_the_tolerance() -> None:
    """Two points, as the line of the table says."""
    flipped = QUIET["labels flipped: errors up by the tolerance"].world.flipped
    sound, raised = (
        errors_in(LOGIT, LOGIT.draw(np.random.default_rng(4), world, 200_000, np.arange(200_000))).mean()
        for world in (World(), World(flipped=flipped))
    )

    assert raised - sound == pytest.approx(0.02, abs=0.004)


def test_unequal_requests_have_the_mean_of_equal_ones() -> None:
    """From 1 to 16 rows, 8.5 on average."""
    lengths = np.bincount(Requests(8, unequal=True).draw(np.random.default_rng(5), 20_000))[:-1]

    assert (lengths.min(), lengths.max()) == (1, 16)
    assert lengths.mean() == pytest.approx(8.5, abs=0.3)


def test_the_promise_of_outcomes_is_that_of_their_part() -> None:
    """Five families share the budget; outcomes alone promise 20,000 rows, two a second."""
    assert budget_of(PROMISE_ROWS).false_alarm_seconds * FAMILIES * 2 == PROMISE_ROWS


@pytest.mark.parametrize("peer", [adwin, ddm, lambda errors: page_hinkley(errors, 20.0)])
def test_other_detectors_find_a_model_that_is_always_wrong(peer: object) -> None:
    """Within 150 rows of the change, and not before."""
    assert callable(peer)
    rows = list(peer(CHANGED))

    assert rows
    assert 2_000 < rows[0] <= 2_150


def test_the_running_risk_dilutes_a_change() -> None:
    """The mean since the start takes 2,000 sound rows along: 200 wrong ones are not enough, 2,000 are."""
    long = np.concatenate([CHANGED, np.ones(1_800)])

    assert list(running_risk(CHANGED, 0.12, 0.02)) == []
    assert 2_200 < next(running_risk(long, 0.12, 0.02)) < 3_000


def test_rows_to_the_next_alarm() -> None:
    """Alarms before the change do not count."""
    assert Alarms((100, 700), ()).first_after(600) == (100.0, math.inf)


def test_the_watched_detector_finds_flipped_labels() -> None:
    """Both tests alarm after the change, in requests of eight."""
    rng, requests = np.random.default_rng(6), np.arange(4_000) // 8
    reference = LOGIT.draw(rng, World(), 5_000, np.arange(5_000))
    rows = np.vstack(
        [
            LOGIT.draw(rng, World(), 2_400, requests[:2_400]),
            LOGIT.draw(rng, World(flipped=0.4), 1_600, requests[:1_600]),
        ]
    )
    found = watch(outcome_evaluator(LOGIT.output(reference), budget_of(None)), rows, requests, stop_after=2_400)

    assert min(*found.performance, *found.concept) > 2_400
    assert all(math.isfinite(one) for one in found.first_after(2_400))


def test_a_quiet_stream_is_watched_by_all() -> None:
    """1,200 sound rows raise no alarm of ours; the shares of errors are those of reference and stream."""
    found = watch_quiet(Piece("no change", 0, 1_200))

    assert found.alarms == (0, 0)
    assert len(found.peers) == 3
    assert found.shares == pytest.approx((0.12, 0.12), abs=0.03)


def test_a_changed_stream_has_delays_of_all() -> None:
    """Labels of which one in five is flipped are found at both promises; the limit is later at 30 days."""
    found = watch_change(Piece("labels flipped, 20 %", 0, 1_200))

    assert all(math.isfinite(one) for one in (*found.near, *found.far, *found.limits))
    assert found.limits[0] < found.limits[1]
    assert len(found.peers) == 5


@pytest.mark.parametrize("arrival", [Arrival(delay=50), Arrival(delay=50, parts=3), Arrival(passes=10)])
def test_every_row_is_labelled_once(arrival: Arrival) -> None:
    """Whatever the order: row by row, in parts, or in passes."""
    responses = Requests(8, unequal=True).draw(np.random.default_rng(6), 600)
    order = arrival.order(np.random.default_rng(7), np.full((600, 3), 0.9), responses)

    assert sorted(order.tolist()) == list(range(600))
    assert order.tolist() != sorted(order.tolist())


def test_parts_come_together_and_passes_take_a_row_of_each_response() -> None:
    """Of the first ten responses of eight rows, the first rows come first, then the second ones."""
    responses = np.repeat(np.arange(20), 8)
    rows, rng = np.full((160, 3), 0.9), np.random.default_rng(8)
    parts = responses[Arrival(delay=1e6, parts=1).order(rng, rows, responses)]
    passes = Arrival(passes=10).order(rng, rows, responses)

    assert (np.diff(parts) != 0).sum() == 19
    assert passes[:20].tolist() == [*range(0, 80, 8), *range(1, 80, 8)]


def test_labels_are_those_of_unsure_predictions_for_a_while() -> None:
    """All of a low confidence and few others in the first spell, all in the next."""
    rows = np.full((2 * SPELL_ROWS, 3), 0.9)
    rows[::4, 1] = 0.6
    order = Arrival(selected=True).order(np.random.default_rng(9), rows, np.arange(2 * SPELL_ROWS))
    first = rows[order[order < SPELL_ROWS], 1]

    assert (first == 0.6).sum() == SPELL_ROWS // 4
    assert 200 < (first == 0.9).sum() < 550
    assert (order >= SPELL_ROWS).sum() == SPELL_ROWS
