"""Rows of one response whose labels come at different times: a response gives evidence once for each output."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.outcomes.labelled_responses import (
    MOST_SLICES,
    find_repeats,
    order_by_response,
    split_by_time,
)
from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluator
from driftgauge.drift.outcomes.outcome_report import MetricValue, OutcomeSample
from driftgauge.drift.stream_window import StreamWindow
from tests.support.labelled_streams import (
    RULE,
    START,
    OutcomeStream,
    class_output,
    class_rows,
    evaluator_of,
)

REFERENCE = class_output(class_rows(1, 2_000))


def window_of(
    values: list[list[float]], ids: list[int] | None = None, times: list[float] | None = None
) -> StreamWindow:
    """Rows that were appended one by one."""
    numbers = np.arange(1, len(values) + 1)
    return StreamWindow(
        np.array(values, dtype=np.float64),
        numbers,
        numbers,
        None if times is None else np.array(times),
        None if ids is None else np.array(ids, dtype=np.uint64),
    )


def in_parts(rows: NDArray[np.float64], each: int, rng: np.random.Generator) -> OutcomeStream:
    """A stream of responses of so many rows each, whose labels come one by one, those of 60 responses mixed."""
    response = np.arange(rows.shape[0]) // each
    order = np.lexsort((rng.random(response.size), response // 60))
    times = START + response[order] / 2
    return OutcomeStream(evaluator_of(REFERENCE), rows[order], times, ids=response[order].astype(np.uint64))


def test_a_row_of_a_response_that_was_judged_is_a_repeat() -> None:
    """Of the same output only; and an id that came again, at another time, is that of another response."""
    nan = np.nan
    values = [[1, 0, nan], [1, 0, nan], [1, nan, 1], [1, 0, nan], [1, nan, 1]]
    window = window_of(values, [7, 7, 7, 7, 8], [1.0, 1.0, 1.0, 2.0, 1.0])
    new = np.array([False, True, True, True, True])

    assert find_repeats(window, new, [1, 2]).tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("new", [[True] * 3, [False] * 3])
def test_rows_that_are_all_new_or_all_old_have_no_repeats(new: list[bool]) -> None:
    """A first look feeds all rows of a response together."""
    window = window_of([[1, 0]] * 3, [7, 7, 7], [1.0] * 3)

    assert not find_repeats(window, np.array(new), [1]).any()


def test_rows_of_unknown_responses_are_no_repeats() -> None:
    """What was appended together is one response then."""
    assert not find_repeats(window_of([[1, 0]] * 3), np.array([False, True, True]), [1]).any()


def test_rows_without_times_are_known_by_their_ids() -> None:
    """An id is then one response."""
    found = find_repeats(window_of([[1, 0]] * 3, [7, 7, 8]), np.array([False, True, True]), [1])

    assert found.tolist() == [False, True, False]


def test_rows_of_one_response_are_put_together() -> None:
    """In the order of the responses' times, then of the rows' labels."""
    window = window_of([[0.0], [1.0], [2.0], [3.0]], [8, 7, 8, 9], [2.0, 1.0, 2.0, 1.0])
    found = order_by_response(window, np.array([True, True, True, False]), 0.0)

    assert found.values[:, 0].tolist() == [1.0, 0.0, 2.0]
    assert found.responses.tolist() == [0, 1, 1]
    assert found.times.tolist() == [1.0, 2.0, 2.0]


@given(each=st.integers(2, 9), seed=st.integers(0, 2**16))
def test_rows_in_a_window_without_order_are_numbered_by_response(each: int, seed: int) -> None:
    """Equal numbers are those of equal ids and times, whatever the order in which labels came."""
    rng = np.random.default_rng(seed)
    ids, times = rng.integers(0, each, 30), rng.integers(0, 2, 30).astype(np.float64)
    window = window_of([[float(at)] for at in range(30)], ids.tolist(), times.tolist())
    found = order_by_response(window, np.ones(30, dtype=np.bool_), 0.0)
    places = found.values[:, 0].astype(int)
    pairs = list(zip(times[places].tolist(), ids[places].tolist(), strict=True))

    assert pairs == sorted(pairs)
    assert len(set(zip(pairs, found.responses.tolist(), strict=True))) == len(set(pairs))
    assert found.responses[-1] == len(set(pairs)) - 1


def test_a_response_gives_evidence_by_its_first_labels_alone() -> None:
    """The detector knows the same as of a stream that has no other rows; the description has all rows."""
    rng = np.random.default_rng(5)
    every = in_parts(np.repeat(class_rows(2, 240, flipped=0.2), 8, axis=0), 8, rng)
    looks = [every.look(60) for _ in range(32)]
    assert every.state is not None
    assert every.ids is not None
    look = np.arange(1_920) // 60
    first = np.array([look[every.ids == one].min() for one in range(240)])
    kept = look == first[every.ids.astype(np.intp)]
    alone = OutcomeStream(every.evaluator, every.rows[kept], None, ids=every.ids[kept])
    alone.times = START + every.ids[kept] / 2
    for rows in np.bincount(look[kept], minlength=32).tolist():
        alone.look(rows)
    assert alone.state is not None

    np.testing.assert_allclose(every.state.log_evidence, alone.state.log_evidence, rtol=1e-6)
    assert every.state.rows == alone.state.rows < sum(one.fed for one in looks) == 1_920
    assert looks[-1].report.outputs[0].rows == 1_920


def test_labels_one_by_one_raise_no_more_alarms_than_labels_together() -> None:
    """Responses of eight equal rows within the tolerance: no alarm, though each row comes in a look of its own."""
    stream = in_parts(np.repeat(class_rows(3, 1_500), 8, axis=0), 8, np.random.default_rng(6))
    stream.feed(60)
    assert stream.state is not None

    assert not stream.state.latched.any()


def test_rows_of_another_output_of_the_same_response_count() -> None:
    """A response is labelled for one output first, and for the other later: both give evidence."""
    rows = class_rows(2, 600)
    nowhere = np.full(600, np.nan)
    first = replace(REFERENCE, places=ColumnPlaces(0, 2, 1))
    second = replace(REFERENCE, name="other", places=ColumnPlaces(0, 3, 1))
    both = np.vstack([np.column_stack([rows, nowhere]), np.column_stack([rows[:, :2], nowhere, rows[:, 2]])])
    ids = np.tile(np.arange(600, dtype=np.uint64), 2)
    evaluator = OutcomeEvaluator([first, second], RULE, "digest")
    stream = OutcomeStream(evaluator, both, START + ids / 2, ids=ids)
    stream.look(600)
    before = stream.state
    stream.look(600)

    assert stream.state is not None
    assert before is not None
    assert stream.state.rows == 2 * before.rows == 1_200


def test_a_detector_that_starts_again_is_fed_all_rows_of_a_response_together() -> None:
    """With another reference the rows that were judged by the last one count again, each response once."""
    rows, ids = np.repeat(class_rows(2, 100), 8, axis=0), np.repeat(np.arange(100, dtype=np.uint64), 8)
    mixed = np.random.default_rng(7).permutation(800)
    first = OutcomeStream(evaluator_of(REFERENCE), rows[mixed], START + ids[mixed] / 2, ids=ids[mixed])
    first.look(400)
    first.look(400)
    again = OutcomeEvaluator([REFERENCE], RULE, "another")
    second = OutcomeStream(again, first.rows, first.times, first.state, 800, first.ids)
    second.look(0)
    assert first.state is not None
    assert second.state is not None

    assert first.state.rows < 800
    assert second.state.rows == 800


def test_rows_of_one_response_are_worth_the_same_however_their_labels_come() -> None:
    """The interval of the accuracy of equal rows that are labelled one by one is that of rows that come together."""
    rows = np.repeat(class_rows(2, 200), 8, axis=0)
    mixed = np.random.default_rng(8).permutation(1_600)
    ids = np.repeat(np.arange(200, dtype=np.uint64), 8)
    times = START + ids / 2
    together = OutcomeStream(evaluator_of(REFERENCE), rows, times, ids=ids)
    apart = OutcomeStream(evaluator_of(REFERENCE), rows[mixed], times[mixed], ids=ids[mixed])
    found = [stream.look(1_600).report.outputs[0] for stream in (together, apart)]

    assert found[0].effective_rows == pytest.approx(found[1].effective_rows)
    assert found[0].effective_rows < 400
    assert widths(found[0].metrics) == pytest.approx(widths(found[1].metrics))


def widths(metrics: tuple[MetricValue, ...]) -> dict[str, float]:
    """How wide the interval of each metric of the window is, but of those that are drawn."""
    shown = [one for one in metrics if one.sample is OutcomeSample.WINDOW and one.metric in {"accuracy", "brier"}]
    return {one.metric: one.upper - one.lower for one in shown if one.upper is not None and one.lower is not None}


@given(
    st.lists(st.floats(0, 1e7), max_size=600).map(sorted),
    st.sampled_from([1.0, 60.0, 3600.0]),
)
def test_slices_of_time_are_bounded_and_have_every_row_once(times: list[float], seconds: float) -> None:
    """The slices follow each other, are at most `MOST_SLICES`, and no interval is in two of them."""
    array = np.array(times)
    slices = list(split_by_time(array, seconds))

    assert list(range(len(times))) == [row for one in slices for row in range(one.start, one.stop)]
    assert len(slices) <= MOST_SLICES
    intervals = [set((array[one] // seconds).tolist()) for one in slices]
    assert sum(map(len, intervals)) == len(set().union(*intervals))
    if sum(map(len, intervals)) <= MOST_SLICES:
        assert all(len(one) == 1 for one in intervals)
