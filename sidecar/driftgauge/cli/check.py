"""The `check` command: the offline tests on two files."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from driftgauge.cli.outcome_block import outcome_summary, print_outcomes
from driftgauge.cli.progress import shown_progress
from driftgauge.cli.report_file import OutputFormat, check_report_file, write_report
from driftgauge.drift.result import Change, DriftTest, DriftTestResult, FeatureDrift, VerdictState
from driftgauge.drift.rule import Rule
from driftgauge.drift.state_words import STATES
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.comparison import compare, window_rules
from driftgauge.offline.label_rows import join_labels, label_kinds, rules_of_ids, rules_of_labels
from driftgauge.offline.report import Report, by_distance, run_tests, shown_name, untested_lines
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.files import read_table
from driftgauge.reference.table import Table

EXIT_CODES = {VerdictState.OK: 0, VerdictState.DRIFT: 1, VerdictState.CANNOT_TELL: 2}
"""The exit code of each state."""

WIDTH_COLUMNS = 80
"""Width of a table that goes to a file or a pipe."""

_TITLES = ("feature", "test", "D", "threshold", "p-value", "PSI", "rows", "missing", "verdict")

_LEAST_IMPORTANT = ("PSI", "missing", "p-value", "threshold", "rows", "test")
"""Columns that a narrow terminal lacks, in the order in which they are left out."""

_NAME_COLUMNS = 16
"""Least width of a longer name, which then takes several lines."""

_READINGS = 10
"""Features whose change is explained below the table."""

_WORDS = {Change.SCALE: "scale", Change.SCHEMA: "schema"}
"""Verdicts for a narrow column; any other change that alarms is `drift`."""


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file of labels.

    Args:
        path: The file.
        id_column: The column that names the rows, in this file and in the window.
    """

    path: Path
    id_column: str


def run_check(  # noqa: PLR0913 - the arguments of the command
    reference: Path,
    window: Path,
    rule: Rule,
    output_format: OutputFormat,
    out: TextIO,
    err: TextIO,
    *,
    missing_words: frozenset[str] = NO_WORDS,
    output: Path | None = None,
    quiet: bool = False,
    labels: LabelFile | None = None,
    time_column: str = "",
) -> int:
    """Test one file against another and print the report.

    Args:
        reference: The dataset to test against.
        window: The dataset under test, whose columns are matched as `compare` does.
        rule: Level, correction and least rows.
        output_format: A table for people, JSON for programs or a page for a browser.
        out: Where the report is written, or where its last line is if it goes to a file.
        err: Where errors and notes are written, and on a terminal the progress.
        missing_words: Texts that are missing values in both files, besides the empty one.
        output: The file that the report is written to, if any; an existing one is replaced.
        quiet: Show no progress.
        labels: The file of the labels of the rows under test, if they are not in these rows.
        time_column: The column of the window that has the time of each row; empty if there is none. A window of
            `/window` has times of its own.

    Returns:
        Exit code: 1 if a feature or an output drifts, else 2 if a file cannot be used or written or a feature or an
        output has no verdict, else 0.
    """
    try:
        if output is not None:
            check_report_file(output, reference, window, *([] if labels is None else [labels.path]))
        with shown_progress(err, quiet=quiet) as (report_step, _):
            report_step(f"reading {reference.name}", None)
            expected = read_table(reference, ColumnRules(missing_words=missing_words))
            report_step(f"reading {window.name}", None)
            found, notes = _read_window(expected, window, labels, time_column)
            report_step(f"testing {len(expected.columns)} columns", None)
            report = run_tests(compare(expected, found), rule)
            report = replace(report, notes=(*report.notes, *notes))
        err.writelines(f"note: {note}\n" for note in report.notes)
        if output is None:
            _print_report(report, output_format, out)
        else:
            text = io.StringIO()
            _print_report(report, output_format, text)
            write_report(output, text.getvalue())
            out.write(f"{_summary(report)}\nwrote {output}\n")
    except ReferenceDataError as error:
        err.write(f"{error}\n")
        return EXIT_CODES[VerdictState.CANNOT_TELL]
    return EXIT_CODES[report.state]


def _read_window(
    expected: Table, path: Path, labels: LabelFile | None, time_column: str
) -> tuple[Table, tuple[str, ...]]:
    """The rows under test with their labels, and sentences on labels that could not be joined."""
    rules = replace(window_rules(expected), time=TimeRules(time_column))
    if labels is None:
        return read_table(path, rules), ()
    kinds = label_kinds(expected)
    found = read_table(path, rules_of_ids(rules, labels.id_column))
    given = read_table(labels.path, rules_of_labels(kinds, labels.id_column, expected.missing_words))
    return join_labels(found, given, labels.id_column, kinds, keep_ids=labels.id_column in expected.columns)


def _print_report(report: Report, output_format: OutputFormat, out: TextIO) -> None:
    if output_format == "json":
        out.write(report.to_json())
    elif output_format == "html":
        out.write(report.to_html())
    else:
        _print_table(report, out)


def _print_table(report: Report, out: TextIO) -> None:
    """Print the report for people, the largest distance first; in colour only on a terminal."""
    terminal = out.isatty()
    console = Console(file=out, width=None if terminal else WIDTH_COLUMNS, force_terminal=terminal, highlight=False)
    if report.features:
        console.print(_grid(report, console.width))
    for line in (*_readings(report), *untested_lines(report.result)):
        console.print(Text(line), soft_wrap=True)
    print_outcomes(report.outcomes, console)
    console.print(Text(_summary(report)), soft_wrap=True)


def _grid(report: Report, width: int) -> Grid:
    """A line for each feature with results, and a second one if its missing values alarm.

    Args:
        report: What is shown.
        width: Columns of the terminal. If names have too little space, the least important columns are left out.
    """
    lines = []
    for feature in by_distance(report.result):
        alarms = [test for test in feature.tests[1:] if test.drift and test.test is DriftTest.MISSING]
        lines += [(_cells(feature, test), test.drift) for test in (feature.distance, *alarms)]
    widths = {title: max(len(title), *(len(cells[at]) for cells, _ in lines)) for at, title in enumerate(_TITLES)}
    name = widths[_TITLES[0]] = min(widths[_TITLES[0]], _NAME_COLUMNS)
    for title in _LEAST_IMPORTANT:
        if sum(widths.values()) + len(widths) + 1 > width:
            del widths[title]
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    grid.add_column(_TITLES[0], overflow="fold", min_width=name)
    for title in list(widths)[1:]:
        grid.add_column(title, justify="left" if title in {"test", "verdict"} else "right", no_wrap=True)
    for cells, drift in lines:
        shown = [cell for title, cell in zip(_TITLES, cells, strict=True) if title in widths]
        grid.add_row(*shown, style="bold red" if drift else None)
    return grid


def _cells(feature: FeatureDrift, test: DriftTestResult) -> tuple[Text, ...]:
    """One line, as plain text: names are untrusted and may look like markup."""
    p_value = "" if test.p_value is None else f"{test.p_value:.2g}"
    numbers = (f"{test.statistic:.4f}", f"{test.threshold:.4f}", p_value, f"{feature.effects.psi:.3f}")
    # A test that does not alarm is ok where another one does.
    quiet = STATES[VerdictState.CANNOT_TELL if feature.state is VerdictState.CANNOT_TELL else VerdictState.OK]
    verdict = _WORDS.get(feature.change, STATES[VerdictState.DRIFT]) if test.drift else quiet
    cells = (shown_name(feature), str(test.test), *numbers, str(feature.rows), str(feature.missing), verdict)
    return tuple(Text(cell) for cell in cells)


def _readings(report: Report) -> Iterator[str]:
    """The explanations of the largest changes."""
    drifted = [feature for feature in by_distance(report.result) if feature.drift]
    for feature in drifted[:_READINGS]:
        yield f"{shown_name(feature)}: {feature.reading}"
    if len(drifted) > _READINGS:
        yield f"(and {len(drifted) - _READINGS} more)"
    if drifted:
        yield ""


def _summary(report: Report) -> str:
    """The verdict in one line."""
    outcomes = outcome_summary(report.outcomes)
    return f"{outcomes} {_feature_summary(report)}" if outcomes else _feature_summary(report)


def _feature_summary(report: Report) -> str:
    """The verdict on the features."""
    expected, found, rule = report.comparison.expected, report.comparison.found, report.rule
    files = f"{found.path} ({_count(found.rows, 'row')}) against {expected.path} ({_count(expected.rows, 'row')})"
    count, untested = len(report.result.tested), len(report.result.untested)
    rule_text = f"alpha {rule.alpha:g}, correction {rule.correction}"
    if report.result.state is VerdictState.CANNOT_TELL:
        others = f", no drift in {count} ({rule_text})" if count else ""
        return f"Cannot tell for {untested} of {_count(count + untested, 'feature')}{others}: {files}."
    if report.result.state is VerdictState.DRIFT:
        others = f", cannot tell for {untested}" if untested else ""
        drifted = f"{report.result.drifted_features} of {_count(count + untested, 'feature')}"
        return f"Drift in {drifted}{others} ({rule_text}): {files}."
    return f"No drift in {_count(count, 'feature')} ({rule_text}): {files}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
