"""The demo checks its own result."""

from dataclasses import replace

import pytest

from examples.demo.gauges import Feature, Gauges, Outcomes
from examples.demo.outage import Outage
from examples.demo.verdict import Sent, Verdicts, faults

SAME = Feature("ph", 0.05, 0.1, 0.0, 7.0, drift=False)
GRADE = replace(SAME, name="quality")
RED = Gauges(
    features=(SAME,),
    predictions=(GRADE,),
    drift=False,
    window_rows=60,
    newest_at=1.0,
    rows=60,
    requests=8,
    errors=0,
    lost=0,
    lost_requests=0,
    latency=(),
    outcomes=Outcomes("", "", 0.0, 0.0, 0, 0.0),
)
WHITE = replace(RED, features=(replace(SAME, drift=True),), drift=True, rows=160, requests=20)
GRADED = replace(RED, outcomes=replace(RED.outcomes, performance="ok", concept="ok"))
CHANGED = replace(RED, outcomes=replace(RED.outcomes, performance="drift", concept="drift"))
SENT = Sent(rows=160, requests=20)
OUTAGE = Outage(away_seconds=1.0, back_seconds=1.0, calls=5, drift=True)


def test_good_run_has_no_faults() -> None:
    """No drift before, drift after, and correct counts give no fault."""
    assert [] == faults(Verdicts(RED, RED, WHITE, GRADED, CHANGED), SENT)


@pytest.mark.parametrize(
    ("red", "batch", "white", "sentence"),
    [
        (WHITE, RED, WHITE, "Red wines must not be reported as drift, but got: ph."),
        (RED, WHITE, WHITE, "A batch of wines that are alike must not be reported as drift, but got: ph."),
        (
            replace(RED, drift=True, predictions=(replace(GRADE, drift=True),)),
            RED,
            WHITE,
            "Red wines must not be reported as drift, but got: quality.",
        ),
        (
            replace(RED, drift=None, features=()),
            RED,
            WHITE,
            "Red wines must not be reported as drift, but got: no verdict.",
        ),
        (RED, RED, replace(WHITE, drift=False), "White wines must be reported as drift, but were not."),
        (RED, RED, replace(WHITE, drift=None), "White wines must be reported as drift, but were not."),
        (RED, RED, replace(WHITE, predictions=()), "The predictions must be tested, but were not."),
        (RED, RED, replace(WHITE, rows=159), "160 rows were sent, but 159 were counted."),
        (RED, RED, replace(WHITE, requests=40), "20 requests were sent, but 40 were counted."),
        (RED, RED, replace(WHITE, errors=1), "No request failed, but 1 were counted as failed."),
        (RED, RED, replace(WHITE, lost=2), "2 payloads were dropped or rejected, but all of them were valid."),
    ],
)
def test_each_fault_has_its_sentence(red: Gauges, batch: Gauges, white: Gauges, sentence: str) -> None:
    """Each fault gives exactly its own sentence."""
    assert [sentence] == faults(Verdicts(red, batch, white, GRADED, CHANGED), SENT)


def test_rows_that_are_counted_as_lost_are_no_fault_of_an_outage() -> None:
    """After an outage, rows may be lost, if they are counted."""
    after = replace(WHITE, rows=144, lost=4)

    assert [] == faults(Verdicts(RED, RED, after, GRADED, CHANGED), replace(SENT, lost=16), OUTAGE)


def test_rows_that_are_lost_without_being_counted_are_a_fault() -> None:
    """After an outage too, each row is counted as kept or as lost."""
    after = replace(WHITE, rows=144, lost=4)

    faulty = faults(Verdicts(RED, RED, after, GRADED, CHANGED), replace(SENT, lost=8), OUTAGE)

    assert ["160 rows were sent, but 144 were counted, and 8 as lost."] == faulty


def test_verdict_that_changes_with_an_outage_is_a_fault() -> None:
    """Drift that was found must be found again after Redis was lost."""
    faulty = faults(Verdicts(RED, RED, WHITE, GRADED, CHANGED), SENT, replace(OUTAGE, drift=False))

    assert ["White wines must be reported as drift after Redis was lost, but were not."] == faulty


@pytest.mark.parametrize(
    ("graded", "changed", "sentence"),
    [
        (
            GRADED,
            replace(CHANGED, drift=True, features=(replace(SAME, drift=True),)),
            "Red wines after the taste changed must not be reported as drift of data, but got: ph.",
        ),
        (
            CHANGED,
            CHANGED,
            "Grades of the same tasters must be no drift, but performance and concept are: drift, drift.",
        ),
        (GRADED, GRADED, "Grades of another taste must be drift, but performance and concept are: ok, ok."),
    ],
)
def test_each_fault_of_labelled_predictions_has_its_sentence(graded: Gauges, changed: Gauges, sentence: str) -> None:
    """Labels must be quiet at first; then inputs must be, when both verdicts on labels must be drift."""
    assert [sentence] == faults(Verdicts(RED, RED, WHITE, graded, changed), SENT)
