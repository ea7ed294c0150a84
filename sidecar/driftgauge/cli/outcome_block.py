"""The block of `driftgauge check` on labelled rows: metrics with intervals, both tests, a sentence."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from driftgauge.drift.result import VerdictState
from driftgauge.drift.state_words import STATES
from driftgauge.offline.outcome_report_forms import interval_text, metric_lines, p_value_text
from driftgauge.offline.outcome_tests import OutcomeCheck
from driftgauge.page.formatting import moment, number


def print_outcomes(outcomes: Sequence[OutcomeCheck], console: Console) -> None:
    """Print a table and a sentence for each output; names are untrusted and shown as plain text."""
    for outcome in outcomes:
        console.print(_grid(outcome))
        console.print(Text(_tests(outcome)), soft_wrap=True)
        console.print(Text(outcome.reading), soft_wrap=True)
        console.print()


def outcome_summary(outcomes: Sequence[OutcomeCheck]) -> str:
    """The verdict on all outputs in one sentence; empty without outputs."""
    if not outcomes:
        return ""
    names = {
        state: [_shown(outcome) for outcome in outcomes if outcome.state is state]
        for state in (VerdictState.DRIFT, VerdictState.CANNOT_TELL)
    }
    said = [
        f"{words} {', '.join(names[state])}"
        for state, words in (
            (VerdictState.DRIFT, "drift in"),
            (VerdictState.CANNOT_TELL, "cannot tell for"),
        )
        if names[state]
    ]
    sentence = "; ".join(said) or f"no drift in {', '.join(map(_shown, outcomes))}"
    return f"Labels: {sentence}."


def _grid(outcome: OutcomeCheck) -> Grid:
    rows = f"{outcome.facts.rows} labelled rows{_span(outcome)}, reference {outcome.facts.reference_rows}"
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=0, title=Text(f"{_shown(outcome)}: {rows}"))
    grid.title_justify = "left"
    grid.add_column("metric", no_wrap=True)
    for title in ("reference", "window", "95 % interval"):
        grid.add_column(title, justify="right", no_wrap=True)
    for name, before, now in metric_lines(outcome):
        grid.add_row(name, "" if before is None else number(before.value), number(now.value), interval_text(now))
    return grid


def _span(outcome: OutcomeCheck) -> str:
    """From when to when the labelled rows are; empty where the file has no times."""
    return "" if outcome.span is None else f" from {moment(outcome.span[0])} to {moment(outcome.span[1])}"


def _tests(outcome: OutcomeCheck) -> str:
    """Both tests in one line."""
    parts = [
        f"{test.test}: {STATES[test.state]}" + (f" (p {p_value_text(test)})" if test.p_value is not None else "")
        for test in outcome.tests
    ]
    return ", ".join(parts)


def _shown(outcome: OutcomeCheck) -> str:
    name = outcome.output.name
    return name if name.isprintable() else repr(name)
