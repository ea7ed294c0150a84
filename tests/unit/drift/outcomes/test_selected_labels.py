"""Labels that are selected for a while: what they show of performance counts for nothing, then or later."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_report import OutcomeReason
from tests.support.labelled_streams import OutcomeStream, alarmed, class_output, class_rows, evaluator_of, states

REFERENCE = class_output(class_rows(1, 5_000))
SAMPLE = class_rows(9, 2_000)[:, :2]
"""A sample of all responses."""


def unsure(seed: int, rows: int) -> NDArray[np.float64]:
    """Rows that are labelled where the confidence is low, else one in ten."""
    every = class_rows(seed, 5 * rows)
    return every[(every[:, 1] < 0.8) | (np.random.default_rng(seed).random(5 * rows) < 0.1)][:rows]


def test_evidence_of_selected_labels_raises_no_alarm_when_the_selection_ends() -> None:
    """2,000 labels of unsure predictions, then labels of random ones until the test says ok: no look alarms."""
    stream = OutcomeStream(evaluator_of(REFERENCE), np.vstack([unsure(2, 2_000), class_rows(3, 6_000)]))
    found = [stream.look(500, SAMPLE) for _ in range(16)]
    tests = [one.report.outputs[0].tests[0] for one in found]
    withheld = [one.untested is not None and one.untested.reason is OutcomeReason.SELECTED for one in tests]

    assert all(withheld[:4])
    assert not withheld[-1]
    assert alarmed(found) == [False, False]
    assert states(found[-1]) == ["ok", "ok"]
    assert [one.statistic for one, out in zip(tests, withheld, strict=True) if out] == [0.0] * sum(withheld)


def test_a_fall_that_lasts_beyond_the_selection_is_found_after_it() -> None:
    """Afresh, from the labels of random responses alone."""
    rows = [unsure(2, 1_000), class_rows(3, 6_000, flipped=0.2)]
    stream = OutcomeStream(evaluator_of(REFERENCE), np.vstack(rows))
    found = [stream.look(500, SAMPLE) for _ in range(14)]

    assert alarmed(found[:2])[0] is False
    assert states(found[-1])[0] == "drift"


def test_an_alarm_of_performance_ends_when_labels_become_selected() -> None:
    """The state forgets it, and keeps that of concept and what is known of dependence."""
    rows = [class_rows(2, 2_000), class_rows(3, 1_500, flipped=0.2), unsure(4, 2_000)]
    stream = OutcomeStream(evaluator_of(REFERENCE), np.vstack(rows))
    before = [stream.look(500, SAMPLE) for _ in range(7)][-1]
    after = [stream.look(500, SAMPLE) for _ in range(4)][-1]

    assert states(before) == ["drift", "drift"]
    assert states(after)[0] == "cannot_tell"
    assert np.isnan(after.state.since[0])
    assert np.isneginf(after.state.log_evidence[0]).all()
    assert np.isfinite(after.state.log_evidence[1]).any()
    assert after.state.requests == before.state.requests + 2_000


def test_a_look_without_new_labels_changes_no_state_while_labels_are_selected() -> None:
    """There is nothing to save then."""
    stream = OutcomeStream(evaluator_of(REFERENCE), unsure(2, 2_000))
    stream.look(2_000, SAMPLE)
    state = stream.state
    stream.look(0, SAMPLE)

    assert stream.state is state


def test_the_evidence_is_that_of_no_selection_where_all_responses_are_unknown() -> None:
    """Without a sample of all responses nothing is withheld."""
    stream = OutcomeStream(evaluator_of(REFERENCE), unsure(2, 2_000))

    assert stream.look(2_000).report.outputs[0].tests[0].statistic > 1.0
