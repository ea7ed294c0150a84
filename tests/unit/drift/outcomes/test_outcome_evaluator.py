"""Evaluation of outcomes: what alarms, in which order rows count, and why there is no verdict."""

from dataclasses import replace

import numpy as np
import pytest

from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluator
from driftgauge.drift.outcomes.outcome_report import OutcomeReason
from tests.support.labelled_streams import (
    RULE,
    START,
    OutcomeStream,
    alarmed,
    class_output,
    class_rows,
    evaluator_of,
    number_output,
    number_rows,
    states,
)

REFERENCE = class_output(class_rows(1, 5_000))


def stream_of(*parts: np.ndarray) -> OutcomeStream:
    """A stream of these rows, compared with a reference of 5,000."""
    return OutcomeStream(evaluator_of(REFERENCE), np.vstack(parts))


def test_rows_like_those_of_the_reference_raise_no_alarm() -> None:
    """Both tests of 12,000 rows are ok."""
    found = stream_of(class_rows(2, 12_000)).feed(600)

    assert alarmed(found) == [False, False]
    assert states(found[-1]) == ["ok", "ok"]


def test_labels_that_no_longer_fit_the_predictions_raise_both_alarms() -> None:
    """One in five labels turns to the other class: both tests alarm within 900 rows, and say since when."""
    stream = stream_of(class_rows(2, 6_000), class_rows(3, 900, flipped=0.2))
    before, after = stream.look(6_000), stream.look(900)
    performance, concept = after.report.outputs[0].tests

    assert states(before) == ["ok", "ok"]
    assert states(after) == ["drift", "drift"]
    assert performance.since is not None
    assert START + 3_000 < performance.since <= START + 3_450
    assert concept.statistic >= concept.threshold
    assert "retrain on recent labels" in after.report.reading


def test_harder_inputs_raise_the_alarm_of_performance_alone() -> None:
    """Inputs move to the border of the classes, where the model says that it is unsure: the relation holds."""
    found = stream_of(class_rows(2, 6_000), class_rows(3, 12_000, harder=0.4)).feed(600)

    assert alarmed(found) == [True, False]


@pytest.mark.parametrize("harder", [0.8, 1.5, 3.0])
def test_a_move_of_inputs_between_bins_raises_no_alarm_of_concept(harder: float) -> None:
    """Predictions become more or less sure, and labels follow."""
    assert not alarmed(stream_of(class_rows(2, 12_000, harder=harder)).feed(600))[1]


def test_a_night_of_labels_finds_a_change_as_early_as_single_labels() -> None:
    """1,800 rows that come at once alarm at the time at which looks every 30 s would have."""
    rows = np.vstack([class_rows(2, 6_000), class_rows(3, 1_800, flipped=0.2)])
    steady, lump = (OutcomeStream(evaluator_of(REFERENCE), rows) for _ in range(2))
    steady.feed(60)
    for _ in range(100):
        lump.look(60)
    lump.look(1_800)
    assert steady.state is not None
    assert lump.state is not None

    assert steady.state.since == pytest.approx(lump.state.since)
    assert not np.isnan(lump.state.since).any()


def test_rows_count_in_the_order_of_their_responses() -> None:
    """Labels that come in any order within a look leave the same state."""
    rows, times = class_rows(2, 1_800), START + np.arange(1_800) / 2
    mixed = np.random.default_rng(3).permutation(1_800)
    ordered = OutcomeStream(evaluator_of(REFERENCE), rows, times)
    shuffled = OutcomeStream(evaluator_of(REFERENCE), rows[mixed], times[mixed])
    ordered.look(1_800)
    shuffled.look(1_800)
    assert ordered.state is not None
    assert shuffled.state is not None

    np.testing.assert_array_equal(ordered.state.log_evidence, shuffled.state.log_evidence)


def test_each_row_counts_once() -> None:
    """The counts of looks that overlap add up to the rows, and those that came between two windows are skipped."""
    stream = stream_of(class_rows(2, 9_000))
    found = [stream.look(1_000), stream.look(1_000), stream.look(5_000), stream.look(100)]

    assert [one.fed for one in found] == [1_000, 1_000, 2_000, 100]
    assert [one.skipped for one in found] == [0, 0, 3_000, 0]


def test_labels_of_unsure_predictions_withhold_the_performance() -> None:
    """Labels asked for where the confidence is low say nothing of all responses; the concept stands."""
    every = class_rows(2, 20_000)
    unsure = (every[:, 1] < 0.8) | (np.random.default_rng(4).random(20_000) < 0.1)
    stream = stream_of(every[unsure][:4_000])
    found = [stream.look(500, every[:2_000, :2]) for _ in range(8)]
    tests = found[-1].report.outputs[0].tests

    assert alarmed(found) == [False, False]
    assert tests[0].untested is not None
    assert tests[0].untested.reason is OutcomeReason.SELECTED
    assert states(found[-1])[1] == "ok"


def test_no_alarm_where_labels_begin_to_be_selected() -> None:
    """All labels, then those of unsure predictions alone: the newest labels show it before there is an alarm."""
    every = class_rows(2, 6_000)
    passed = START + np.arange(6_000) / 2
    chosen = (np.arange(6_000) < 3_000) | (every[:, 1] < 0.8)
    rule = replace(RULE, budget=replace(RULE.budget, false_alarm_seconds=2_000.0))
    stream = OutcomeStream(OutcomeEvaluator([REFERENCE], rule, "digest"), every[chosen], passed[chosen])
    found = []
    while stream.seen + 60 <= np.count_nonzero(chosen):
        newest = passed[chosen][: stream.seen + 60][-RULE.window_rows :]
        shown = (passed >= newest[0]) & (passed <= newest[-1])
        found.append(stream.look(60, every[shown, :2], passed[shown]))
    tests = found[-1].report.outputs[0].tests

    assert alarmed(found) == [False, False]
    assert tests[0].untested is not None
    assert tests[0].untested.reason is OutcomeReason.SELECTED


def test_labels_of_all_responses_alike_are_not_selected() -> None:
    """A random half of the responses has about the same predictions as all."""
    every = class_rows(2, 4_000)
    stream = stream_of(every[::2])

    assert states([stream.look(1_000, every[:2_000, :2]), stream.look(1_000, every[2_000:, :2])][1]) == ["ok", "ok"]


def test_the_band_of_the_calibration_is_what_the_concept_test_tolerates() -> None:
    """In every bin: the smallest change that is found begins where the band ends."""
    stream = stream_of(class_rows(2, 600))
    output, concept = stream.look(600).report.outputs[0], stream.evaluator.bets[0].concept
    bands = np.array([(1 - one.tolerated_upper, 1 - one.tolerated_lower) for one in output.calibration])
    beyond = [one.reference - one.tolerated_lower for one in output.calibration if one.tolerated_lower > 0]

    np.testing.assert_allclose(bands, np.stack([concept.lower, concept.upper], axis=1), rtol=0, atol=1e-12)
    assert output.tests[1].detectable == pytest.approx(min(beyond))


def test_few_labels_have_no_verdict() -> None:
    """There is none under 50 rows, nor while too few show how they depend on each other."""
    stream = stream_of(class_rows(2, 200))
    first, second = stream.look(40), stream.look(100)
    tests = [one for found in (first, second) for one in found.report.outputs[0].tests]
    reasons = [one.untested and one.untested.reason for one in tests]

    assert reasons == [OutcomeReason.FEW_LABELS] * 4
    assert first.fed == 0
    assert second.fed == 140


def test_a_reference_of_a_row_has_no_verdict() -> None:
    """What it says of errors may be anything."""
    stream = OutcomeStream(evaluator_of(class_output(class_rows(1, 1))), class_rows(2, 600))
    tests = stream.look(600).report.outputs[0].tests

    assert [one.untested and one.untested.reason for one in tests] == [OutcomeReason.REFERENCE_SMALL] * 2


def test_two_outputs_have_four_thresholds_and_do_not_disturb_each_other() -> None:
    """Rows of one output alternate with those of another; the change is found in the one that changed."""
    good, bad = class_rows(2, 3_000), np.vstack([class_rows(3, 2_000), class_rows(4, 1_000, flipped=0.3)])
    first = replace(REFERENCE, places=ColumnPlaces(0, 4, 1))
    second = replace(REFERENCE, name="other", places=ColumnPlaces(2, 5, 3))
    rows = np.full((6_000, 6), 0.5)
    rows[::2] = np.column_stack([good[:, :2], good[:, :2], good[:, 2], np.full(3_000, np.nan)])
    rows[1::2] = np.column_stack([bad[:, :2], bad[:, :2], np.full(3_000, np.nan), bad[:, 2]])
    stream = OutcomeStream(OutcomeEvaluator([first, second], RULE, "digest"), rows)
    found = stream.feed(600)[-1].report.outputs

    assert [[test.drift for test in one.tests] for one in found] == [[False, False], [True, True]]
    assert [one.rows for one in found] == [1_000, 1_000]
    assert evaluator_of(REFERENCE).detector.threshold + np.log10(2) == pytest.approx(found[0].tests[0].threshold)


def test_a_bias_of_a_number_is_a_change_of_concept() -> None:
    """Predictions a quarter of a standard deviation too high are found within 10,000 rows at 30 days."""
    output = number_output(number_rows(1, 5_000))
    stream = OutcomeStream(evaluator_of(output), np.vstack([number_rows(2, 6_000), number_rows(3, 10_000, bias=0.25)]))

    assert alarmed([stream.look(600) for _ in range(10)]) == [False, False]
    assert alarmed(stream.feed(600))[1]


def test_larger_errors_of_a_number_are_a_fall_of_performance() -> None:
    """A mean absolute error that rises from 0.80 to 0.89 is found within 10,000 rows at 30 days."""
    output = number_output(number_rows(1, 5_000))
    rows = np.vstack([number_rows(2, 6_000), number_rows(3, 10_000, noise=1.118)])
    stream = OutcomeStream(evaluator_of(output), rows)

    assert alarmed([stream.look(600) for _ in range(10)]) == [False, False]
    assert alarmed(stream.feed(600))[0]


def test_the_state_of_another_reference_is_not_used() -> None:
    """The detector starts again, and what is counted stays counted."""
    rows = class_rows(2, 2_000)
    first = OutcomeStream(evaluator_of(REFERENCE), rows)
    first.look(1_000)
    second = OutcomeStream(OutcomeEvaluator([REFERENCE], RULE, "another"), rows, state=first.state, seen=1_000)
    found = second.look(500)

    assert found.fed == 500
    assert found.state.rows == 1_500
    assert found.state.key != (first.state and first.state.key)


def test_an_ordered_reference_whose_rows_come_together_is_worth_fewer_rows() -> None:
    """Eight equal rows a request are worth about one."""
    rows = np.repeat(class_rows(1, 600), 8, axis=0)
    together = evaluator_of(class_output(rows, np.repeat(np.arange(600), 8)))
    apart = evaluator_of(class_output(rows))

    assert together.bets[0].worth < 0.2
    assert apart.bets[0].worth == 1.0
    assert together.bets[0].performance.rise > apart.bets[0].performance.rise


def test_an_empty_window_has_no_verdict() -> None:
    """Before the first label both tests say that there are too few."""
    stream = OutcomeStream(evaluator_of(REFERENCE), np.empty((0, 3)))
    found = stream.look(0)

    assert states(found) == ["cannot_tell", "cannot_tell"]
    assert (found.report.rows, found.fed, found.skipped) == (0, 0, 0)


def test_late_labels_of_counted_time_add_rows_and_no_seconds() -> None:
    """Labels of earlier responses move the state's time by nothing, and each is fed."""
    rows = class_rows(2, 1_200)
    times = START + np.concatenate([np.arange(600) / 2 + 300, np.arange(600) / 2])
    stream = OutcomeStream(evaluator_of(REFERENCE), rows, times)
    first, second = stream.look(600), stream.look(600)

    assert first.state.time == second.state.time
    assert second.state.rows == 1_200
