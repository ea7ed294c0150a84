"""The part of a page on labelled predictions."""

import re
from dataclasses import replace

import pytest

from driftgauge.admin.runbooks import runbook_page
from driftgauge.drift.outcomes.outcome_report import (
    Confusion,
    EstimateWithheld,
    OutcomeReason,
    OutcomeSample,
    OutcomeTest,
)
from driftgauge.drift.outcomes.smallest_changes import describe_smallest_change
from driftgauge.drift.outcomes.uncompared import uncompared
from driftgauge.page.contents import Page
from driftgauge.page.document import render
from driftgauge.page.outcome_part import OutcomePart, outcome_box, outcome_sections, with_outcomes
from driftgauge.page.outcome_words import METRICS, QUESTIONS, REASONS, SAMPLES, TESTS, WITHHELD, duration
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.latest_outcomes import BaselineProgress
from tests.support.outcome_reports import GRADE, PRICE, RESULT, WAITING, WORSE, result_of
from tests.unit.page.test_document import checked, part

FACTS = ReferenceFacts(1_000, "ab12", "/mnt/wine.csv", 0.0)
PART = OutcomePart(RESULT, FACTS, "half of the labels come within 2 hours")


def test_a_page_has_its_outcomes() -> None:
    """One valid document, with the box beside the others and a section for each output."""
    found = checked(render(with_outcomes(Page("wine", (part("Inputs"),)), PART)))

    assert {"outcome-0", "outcome-1", "outcome-0-title", "outcome-1-text"} <= set(found.identifiers)
    assert len(found.identifiers) == len(set(found.identifiers))


def test_a_page_without_labels_has_no_such_part() -> None:
    """Not even a heading."""
    assert "<h2>Outcomes" not in render(Page("wine", (part("Inputs"),)))


def test_the_box_has_the_diagnosis_and_what_it_is_based_on() -> None:
    """Accuracy with its interval beside the reference's, coverage, delay, and what waits."""
    box = outcome_box(PART, live=True)

    assert WORSE.reading in box
    assert 'class="summary drift"' in box
    assert "75.0 % (70.0 to 80.0 %), reference 90.0 %" in box
    assert "50.0 % of the responses of the window" in box
    assert "half of the labels come within 2 hours" in box
    assert "<dt>Responses that wait</dt><dd>300; 25.0 % of all are kept</dd>" in box
    assert "Labels that wait" not in box
    assert 'href="runbooks/outcomes#driftgaugeperformancedrop"' in box


@pytest.mark.parametrize(
    ("waiting", "text"),
    [
        ((12_000, 3), "12,000 to be matched, 3 for a response that has not come yet (in this process)"),
        ((0, 1), "1 for a response that has not come yet (in this process)"),
        ((1, 0), "1 to be matched (in this process)"),
    ],
)
def test_the_box_has_the_labels_that_wait(waiting: tuple[int, int], text: str) -> None:
    """Those that are to be matched, and those whose responses have not come yet."""
    box = outcome_box(replace(PART, waiting_labels=waiting), live=True)
    assert f"<dt>Labels that wait</dt><dd>{text}</dd>" in box


def test_each_alarm_has_its_section_of_the_runbook() -> None:
    """A change of concept comes first; without a verdict the runbook itself is linked, and nothing if all is well."""
    runbook = runbook_page("outcomes")
    concept = replace(GRADE, tests=tuple(result_of(test, 9.0, drift=True) for test in OutcomeTest))
    well = replace(GRADE, tests=tuple(result_of(test, 1.0) for test in OutcomeTest))
    links = [
        re.findall(r"runbooks/outcomes#?([a-z]*)", outcome_box(OutcomePart(result, None), live=True))
        for result in (replace(RESULT, report=replace(WORSE, outputs=(one,))) for one in (GRADE, concept, PRICE, well))
    ]

    assert links == [["driftgaugeperformancedrop"], ["driftgaugeconceptdrift"], [""], []]
    assert all(f'id="{section}"' in runbook for (section,) in links[:2])


def test_a_page_in_a_file_has_no_link_to_a_runbook() -> None:
    """It links to no other page."""
    assert "href" not in outcome_box(PART, live=False)


def test_responses_that_wait_are_shown_before_any_label() -> None:
    """Without a section."""
    waiting = OutcomePart(WAITING, None)

    assert "Responses wait for labels" in outcome_box(waiting, live=True)
    assert outcome_sections(waiting) == ""


def test_labels_without_a_baseline_are_shown_with_what_is_missing() -> None:
    """How many came, how many it takes, and from how many on metrics are shown."""
    facts = replace(WAITING.waiting, baseline=BaselineProgress(18, 2_000, 200))
    box = outcome_box(OutcomePart(replace(WAITING, waiting=facts), None), live=True)

    assert "18 of 2,000 labelled rows for a baseline; or build a reference with labels" in box
    assert "Metrics are shown from 200 on." in box


def test_a_report_with_nothing_to_compare_with_has_no_numbers_of_a_reference() -> None:
    """Neither metrics, nor shares in brackets, nor bins of predictions."""
    missing = "1,018 of 2,000 labelled rows for a baseline"
    text = outcome_sections(replace(PART, result=replace(RESULT, report=uncompared(WORSE, missing))))

    assert f"Cannot tell: {missing}." in text
    assert "in brackets the reference" not in text
    assert "Bins of predictions" not in text


def test_a_baseline_is_said_to_be_one() -> None:
    """It shows change alone. So is a state that cannot be saved."""
    baseline = replace(RESULT, report=replace(WORSE, source="baseline"), state_unsaved=True)
    box = outcome_box(OutcomePart(baseline, FACTS), live=True)

    assert "first labelled rows (a baseline)" in box
    assert "cannot save" in box


def test_responses_with_other_columns_are_said_to_be_in_no_number() -> None:
    """Which share they are, and what becomes of their labels; nothing is said where all have the same."""
    mixed = replace(RESULT, waiting=replace(RESULT.waiting, other_columns=0.48))
    box = outcome_box(OutcomePart(mixed, FACTS), live=True)

    assert "48.0 % of the responses of the window&#x27;s time have other columns" in box.replace("&#39;", "&#x27;")
    assert "count as unknown" in box
    assert "other columns" not in outcome_box(PART, live=True)


def test_a_section_has_both_verdicts_and_their_evidence() -> None:
    """A reason where there is none."""
    text = outcome_sections(PART)

    assert text.count("9.25") == 1
    assert "▲ yes" in text
    assert "? too few labels" in text
    assert "Cannot tell: 12 labels have come, 200 are needed." in text


def test_a_section_says_what_each_test_can_find_in_the_words_of_the_commands() -> None:
    """The clause is that of `reference show`, for performance and for concept."""
    assert PART.result.report is not None
    tests = (result_of(OutcomeTest.PERFORMANCE, 1.0), result_of(OutcomeTest.CONCEPT, 1.0))
    output = replace(PART.result.report.outputs[0], tests=tests)
    report = replace(PART.result.report, outputs=(output,))
    text = outcome_sections(replace(PART, result=replace(PART.result, report=report)))

    for test in OutcomeTest:
        assert describe_smallest_change(test, output.task, 0.05, len(output.calibration)) in text


def test_the_matrix_has_every_cell_with_its_share() -> None:
    """Of the label's rows, now and in the reference; the diagonal is marked as right."""
    text = outcome_sections(PART)

    assert '<td class="right" style="--part:50%">75<small>50 % (85 %)</small></td>' in text
    assert '<td class="wrong" style="--part:10%">25<small>10 % (7 %)</small></td>' in text


def test_a_label_without_rows_has_a_line() -> None:
    """Nothing is divided by 0."""
    empty = Confusion(classes=("good", "poor"), window=((0, 0), (1, 9)), reference=((0, 0), (0, 5)))
    result = replace(RESULT, report=replace(WORSE, outputs=(replace(GRADE, confusion=empty),)))

    assert '<td class="quiet">0</td>' in outcome_sections(OutcomePart(result, None))


def test_untrusted_texts_are_escaped() -> None:
    """A class, an output and a sentence may hold markup."""
    evil = "<script>alert(1)</script>"
    confusion = Confusion(classes=(evil, "b"), window=((1, 2), (3, 4)), reference=((1, 2), (3, 4)))
    values = tuple(replace(one, class_text=evil) for one in GRADE.class_values)
    bins = tuple(replace(one, class_text=evil, label=evil) for one in GRADE.calibration)
    output = replace(GRADE, output=evil, reading=evil, confusion=confusion, class_values=values, calibration=bins)
    result = replace(RESULT, report=replace(WORSE, outputs=(output,), reading=evil))
    text = render(with_outcomes(Page("wine", ()), OutcomePart(result, FACTS)))

    assert "<script>alert" not in text
    checked(text)


def test_an_estimate_is_shown_or_said_to_be_withheld() -> None:
    """With the reason."""
    withheld = replace(GRADE, metrics=GRADE.metrics[:2], estimate_withheld=EstimateWithheld.OUTSIDE)
    other = OutcomePart(replace(RESULT, report=replace(WORSE, outputs=(withheld,))), None)

    assert "if labels, given the prediction, were what they were" in outcome_sections(PART)
    assert WITHHELD[EstimateWithheld.OUTSIDE] in outcome_sections(other)


def test_what_both_tests_say_counts_in_the_box() -> None:
    """An alarm of any output, then a verdict, then none."""
    well = replace(GRADE, tests=(result_of(OutcomeTest.PERFORMANCE, 1.0), result_of(OutcomeTest.CONCEPT, 1.0)))
    states = [
        outcome_box(OutcomePart(replace(RESULT, report=replace(WORSE, outputs=outputs)), None), live=True)
        for outputs in ((PRICE, GRADE), (PRICE, well), (PRICE,))
    ]

    assert ["summary drift" in states[0], "summary ok" in states[1], "summary cannot_tell" in states[2]] == [True] * 3


def test_everything_has_words() -> None:
    """Each test, sample and reason; and a time has a unit."""
    assert set(TESTS) == set(QUESTIONS) == set(OutcomeTest)
    assert set(SAMPLES) == set(OutcomeSample)
    assert set(REASONS) == set(OutcomeReason)
    assert set(WITHHELD) == set(EstimateWithheld)
    assert {one.metric for one in GRADE.metrics} <= set(METRICS)
    assert [duration(one) for one in (1, 90, 3_600, 604_800)] == ["1 second", "1.5 minutes", "1 hour", "7 days"]
