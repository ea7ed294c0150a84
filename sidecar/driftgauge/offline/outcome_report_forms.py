"""What was found in labelled rows, as plain values and as a part of the page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from driftgauge.drift.outcomes.outcome_report import MetricValue, OutcomeSample
from driftgauge.inference.payload import printable
from driftgauge.offline.outcome_tests import OutcomeCheck, OutcomeCheckTest
from driftgauge.page.formatting import badge, count, number, probability
from driftgauge.page.markup import Markup, joined, named, tag


def outcome_as_values(outcome: OutcomeCheck) -> dict[str, Any]:
    """The results of one output as plain values."""
    facts = outcome.facts
    return {
        "output": printable(outcome.output.name),
        "task": str(outcome.output.task),
        "state": str(outcome.state),
        "reading": printable(outcome.reading),
        "rows": facts.rows,
        "reference_rows": facts.reference_rows,
        "tests": [
            {
                "test": str(test.test),
                "p_value": test.p_value,
                "threshold": test.threshold,
                "state": str(test.state),
            }
            for test in outcome.tests
        ],
        "metrics": [_plain(asdict(one)) for one in facts.metrics],
        "class_values": [_plain(asdict(one)) for one in facts.class_values],
        "confusion": None
        if facts.confusion is None
        else {
            "classes": [printable(text) for text in facts.confusion.classes],
            "window": [list(line) for line in facts.confusion.window],
            "reference": [list(line) for line in facts.confusion.reference],
        },
        "calibration": [_plain(asdict(one)) for one in facts.calibration],
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values with printable texts."""
    return {name: printable(str(one)) if isinstance(one, str) else one for name, one in values.items()}


def metric_lines(outcome: OutcomeCheck) -> Iterator[tuple[str, MetricValue | None, MetricValue]]:
    """Each metric of the window: its name, that of the reference if it has one, and that of the window."""
    of_reference = {one.metric: one for one in outcome.facts.metrics if one.sample is OutcomeSample.REFERENCE}
    for one in outcome.facts.metrics:
        if one.sample is OutcomeSample.WINDOW:
            yield one.metric.replace("_", " "), of_reference.get(one.metric), one


def interval_text(one: MetricValue) -> str:
    """The 95 % interval of a metric; empty if there is none."""
    return "" if one.lower is None or one.upper is None else f"{number(one.lower)} to {number(one.upper)}"


def outcome_boxes(outcomes: Sequence[OutcomeCheck]) -> Markup:
    """A box with the verdict on each output."""
    return joined(
        tag(
            "div",
            tag("h2", joined(("Labels of ", named(outcome.output.name)))),
            tag("p", badge(outcome.state), f" {count(outcome.facts.rows, 'labelled row')}"),
            tag("p", tag("strong", outcome.reading)),
            class_=f"summary {outcome.state}",
        )
        for outcome in outcomes
    )


def outcome_html(outcomes: Sequence[OutcomeCheck]) -> Markup:
    """The part of the page on labels; nothing without outcomes."""
    if not outcomes:
        return Markup()
    return tag("article", *map(_section, outcomes))


def _section(outcome: OutcomeCheck) -> Markup:
    metrics = [
        (
            tag("th", name, scope="row"),
            *_cells("" if before is None else number(before.value), number(now.value), interval_text(now)),
        )
        for name, before, now in metric_lines(outcome)
    ]
    tests = [
        (
            tag("th", str(test.test), scope="row"),
            *_cells(probability(test.p_value), number(test.threshold)),
            tag("td", badge(test.state)),
        )
        for test in outcome.tests
    ]
    parts = [
        tag("h2", joined(("Labels of ", named(outcome.output.name)))),
        _table("Tests", ("test", "p", "level", "verdict"), tests),
        _table("Metrics, with their 95 % interval", ("metric", "reference", "window", "interval"), metrics),
        _confusion(outcome),
        _calibration(outcome),
    ]
    return tag("section", *parts)


def _confusion(outcome: OutcomeCheck) -> Markup:
    """How often each class was predicted for each label, in the window."""
    found = outcome.facts.confusion
    if found is None:
        return Markup()
    lines = [
        (tag("th", named(text), scope="row"), *_cells(*map(str, line)))
        for text, line in zip(found.classes, found.window, strict=True)
    ]
    return _table("Rows of the window: labels down, predictions across", ("", *found.classes), lines)


def _calibration(outcome: OutcomeCheck) -> Markup:
    """How often the predictions of each bin are right; of numbers the mean error."""
    lines = [
        (
            tag("th", named(one.label), scope="row"),
            *_cells(
                str(one.reference_rows),
                str(one.window_rows),
                number(one.reference),
                "" if one.window is None else number(one.window),
            ),
        )
        for one in outcome.facts.calibration
    ]
    shown = "Mean error" if outcome.facts.confusion is None else "Share of right predictions"
    titles = ("bin", "reference rows", "window rows", "reference", "window")
    return _table(f"{shown} in each bin of what the model said", titles, lines)


def _cells(*texts: str) -> Iterator[Markup]:
    return (tag("td", text) for text in texts)


def _table(caption: str, titles: Iterable[str], lines: Iterable[Iterable[Markup]]) -> Markup:
    head = tag("tr", *(tag("th", named(title), scope="col") for title in titles))
    body = (tag("tr", *cells) for cells in lines)
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return joined((tag("h3", caption), table))


def p_value_text(test: OutcomeCheckTest) -> str:
    """A p-value for a person; empty without one."""
    return "" if test.p_value is None else f"{test.p_value:.2g}"
