"""The part of a page on labelled predictions: a box with the diagnosis, and a section for each output."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from driftgauge.drift.outcomes.outcome_report import OutcomeReport, OutcomeSample, OutcomeTest, OutputOutcome
from driftgauge.drift.outcomes.smallest_changes import describe_smallest_change
from driftgauge.drift.result import VerdictState
from driftgauge.page.calibration_chart import calibration_chart
from driftgauge.page.contents import Page
from driftgauge.page.formatting import badge, count, moment, share
from driftgauge.page.markup import Markup, joined, named, tag
from driftgauge.page.outcome_tables import bins_table, class_table, confusion_table, metrics_table, tests_table
from driftgauge.page.outcome_words import (
    METRICS,
    QUESTIONS,
    REASONS,
    TESTS,
    WITHHELD,
    age_of_labels,
    interval,
    metric_number,
    outcome_state,
    worst,
)
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.latest_outcomes import OutcomeResult

_RUNBOOK = "outcomes"
_SECTIONS = {OutcomeTest.CONCEPT: "driftgaugeconceptdrift", OutcomeTest.PERFORMANCE: "driftgaugeperformancedrop"}
"""The section of the runbook that says what to do about an alarm; that of a change of concept says more."""

_HEADLINES = ("accuracy", "mae")
"""The metric that the box shows, of classes and of numbers."""


@dataclass(frozen=True, slots=True)
class OutcomePart:
    """The newest result on labels, as a page shows it.

    Args:
        result: The result.
        reference: What the outcomes are compared with; `None` if nothing yet.
        delays: How long labels take to come, in words; empty if it is unknown.
        waiting_labels: How many labels wait in this process: to be matched, and for their response.
    """

    result: OutcomeResult
    reference: ReferenceFacts | None
    delays: str = ""
    waiting_labels: tuple[int, int] = (0, 0)


def with_outcomes(page: Page, part: OutcomePart) -> Page:
    """A live page with the part on labelled predictions: a box beside the others, and the outputs below the tables."""
    return replace(page, beside=outcome_box(part, live=True), below=outcome_sections(part))


def outcome_box(part: OutcomePart, *, live: bool) -> Markup:
    """Make the box: both verdicts, the diagnosis in one sentence, and what it is based on.

    Args:
        part: The result.
        live: Whether the page is the admin port's, which has the runbooks.
    """
    report = part.result.report
    state = outcome_state(report)
    sentence = _waiting(part.result) if report is None else report.reading
    pairs = (joined((tag("dt", key), tag("dd", value))) for key, value in _facts(part))
    return tag(
        "div",
        tag("h2", "Outcomes"),
        tag("p", *(() if report is None else outcome_verdicts(report))),
        tag("p", tag("strong", sentence), _what_to_do(report) if live else ""),
        tag("dl", *pairs),
        _notes(part),
        class_=f"summary {state}",
    )


def outcome_verdicts(report: OutcomeReport) -> Iterator[Markup]:
    """Both tests with their states, each over all outputs."""
    for test in OutcomeTest:
        one = worst(report, test)
        if one is not None:
            why = (" ", tag("span", REASONS[one.untested.reason], class_="reason")) if one.untested else ()
            verdict = (badge(one.state), *(why if one.state is VerdictState.CANNOT_TELL else ()))
            yield tag("span", f"{TESTS[test]} ", *verdict, class_="verdict")


def _waiting(result: OutcomeResult) -> str:
    """The sentence while no metric is shown."""
    progress = result.waiting.baseline
    return "Responses wait for labels." if progress is None else progress.sentence


def _what_to_do(report: OutcomeReport | None) -> Markup:
    """A link to the runbook, where there is something to do."""
    state = outcome_state(report)
    if report is None or state is VerdictState.OK:
        return Markup()
    alarms = {one.test for output in report.outputs for one in output.tests if one.state is VerdictState.DRIFT}
    section = next((f"#{name}" for test, name in _SECTIONS.items() if test in alarms), "")
    return joined((" ", tag("a", "What to do", href=f"runbooks/{_RUNBOOK}{section}")))


def _facts(part: OutcomePart) -> Iterator[tuple[str, str]]:
    result = part.result
    report = result.report
    for output in () if report is None else report.outputs:
        yield from _headline(output)
    if report is not None:
        yield "Window", f"{count(report.rows, 'labelled row')}, those judged last"
    if result.window_time is not None:
        yield "Newest label", f"of a response {age_of_labels(result)} old, of {moment(result.window_time)}"
    if part.reference is not None:
        rows = f", {count(part.reference.rows, 'labelled row')}"
        yield "Reference", joined((named(part.reference.path), rows))
    if report is not None and report.coverage is not None:
        yield "Coverage", f"{share(report.coverage)} of the responses of the window's time have a label"
    if part.delays:
        yield "Delay", part.delays
    yield from _labels(*part.waiting_labels)
    kept = result.waiting.kept_ratio
    yield (
        "Responses that wait",
        f"{result.waiting.pending:,}" + ("" if kept is None else f"; {share(kept)} of all are kept"),
    )
    yield "Tested", moment(result.time)


def _labels(queued: int, early: int) -> Iterator[tuple[str, str]]:
    """How many labels wait, where any do."""
    to_match = f"{queued:,} to be matched" if queued else ""
    for_responses = f"{early:,} for a response that has not come yet" if early else ""
    if queued or early:
        yield "Labels that wait", f"{', '.join(filter(None, (to_match, for_responses)))} (in this process)"


def _headline(output: OutputOutcome) -> Iterator[tuple[str, str]]:
    """The first metric of an output, beside the reference's."""
    found = {(one.metric, one.sample): one for one in output.metrics}
    for metric in _HEADLINES:
        now = found.get((metric, OutcomeSample.WINDOW))
        before = found.get((metric, OutcomeSample.REFERENCE))
        if now is None:
            continue
        range_ = f" ({interval(now)})" if interval(now) else ""
        than = "" if before is None else f", reference {metric_number(metric, before.value)}"
        text = f": {metric_number(metric, now.value)}{range_}{than}"
        yield METRICS[metric], joined((named(output.output), text))


def _notes(part: OutcomePart) -> Markup:
    notes = []
    if part.result.report is not None and part.result.report.source == "baseline":
        notes.append(
            "Labels are compared with the first labelled rows (a baseline), because the reference has no labels: this "
            "shows change since then, and not whether the model was good."
        )
    others = part.result.waiting.other_columns
    if others:
        notes.append(
            f"{share(others)} of the responses of the window's time have other columns than its rows, as where V1 and "
            "V2 of a model differ: no number here is about them. Labels meet only responses with the columns of the "
            "newest one; those of others count as unknown."
        )
    if part.result.state_unsaved:
        notes.append("The store cannot save what this evaluation has learned: it is lost if this process ends.")
    return tag("ul", *(tag("li", note) for note in notes), class_="notes") if notes else Markup()


def outcome_sections(part: OutcomePart) -> Markup:
    """A section for each output with labels; nothing without any."""
    report = part.result.report
    if report is None or not report.outputs:
        return Markup()
    sections = (_section(output, f"outcome-{place}") for place, output in enumerate(report.outputs))
    return tag("article", tag("h2", "Outcomes one by one"), _legend(), *sections)


def _legend() -> Markup:
    """What the signs of the charts of calibration are."""
    signs = (("reference", "reference, with what is tolerated"), ("window", "window"))
    return tag(
        "p", *(joined((tag("i", class_=f"sample {side}"), f" {text} ")) for side, text in signs), class_="legend"
    )


def _section(output: OutputOutcome, identifier: str) -> Markup:
    """One output: its verdicts, a sentence, the chart and the matrix beside the numbers."""
    verdicts = (tag("span", f"{TESTS[one.test]} ", badge(one.state), class_="verdict") for one in output.tests)
    return tag(
        "section",
        tag("header", tag("h3", named(output.output), id=f"{identifier}-name"), tag("div", *verdicts)),
        tag("p", output.reading, class_="reading"),
        tag("div", _drawing(output, identifier), _numbers(output), class_="columns"),
        id=identifier,
        class_="feature outcome",
        aria_labelledby=f"{identifier}-name",
    )


def _drawing(output: OutputOutcome, identifier: str) -> Markup:
    parts: list[Markup] = []
    if output.calibration:
        parts.append(tag("figure", calibration_chart(output.output, identifier, output.calibration)))
        summary = tag("summary", "Bins of predictions")
        parts.append(tag("details", summary, bins_table(output.output, output.calibration)))
    if output.confusion is not None:
        beside = ", in brackets the reference's" if any(map(any, output.confusion.reference)) else ""
        parts.append(tag("h4", f"Confusion matrix: share of each label{beside}"))
        parts.append(confusion_table(output.output, output.confusion))
    return tag("div", *parts, class_="drawing")


def _numbers(output: OutputOutcome) -> Markup:
    classes = class_table(output)
    more = tag("details", tag("summary", "Precision, recall and F1 of each class"), classes) if classes else Markup()
    pairs = joined(joined((tag("dt", key), tag("dd", value))) for key, value in _pairs(output))
    return tag("div", tests_table(output), metrics_table(output), more, tag("dl", pairs), class_="facts")


def _pairs(output: OutputOutcome) -> Iterator[tuple[str, str]]:
    for test in output.tests:
        yield TESTS[test.test], f"alarms if {QUESTIONS[test.test]}"
        if test.untested is not None:
            yield "", f"Cannot tell: {test.untested.explanation}."
        elif test.since is not None:
            yield "", f"alarms since {moment(test.since)}"
        else:
            yield "", describe_smallest_change(test.test, output.task, test.detectable, len(output.calibration))
    yield "Labels", f"{output.rows:,}, worth {round(output.effective_rows):,} independent ones"
    if output.selection is not None:
        yield "Selection", f"{share(output.selection)} of the labelled predictions differ from all of the same time"
    if output.estimate_withheld is not None:
        yield "Not estimated", f"{WITHHELD[output.estimate_withheld]}"
    elif any(one.sample is OutcomeSample.ESTIMATED for one in output.metrics):
        yield "Estimated", "how accurate the model would be if labels, given the prediction, were what they were"
