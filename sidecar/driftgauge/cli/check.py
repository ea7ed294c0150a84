"""The `check` command: the sidecar's own tests, on two files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from driftgauge.drift.result import Change, DriftReport, DriftTest, DriftTestResult, FeatureDrift
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import evaluate
from driftgauge.errors import ReferenceDataError
from driftgauge.inference.payload import printable
from driftgauge.offline.comparison import Comparison, compare, listed
from driftgauge.page.as_json import report_as_json
from driftgauge.page.contents import Facts, Page, part_of
from driftgauge.page.document import render
from driftgauge.reference.files import read_table
from driftgauge.reference.table import Table

OutputFormat = Literal["table", "json", "html"]

NO_DRIFT, DRIFT, COULD_NOT_TELL = 0, 1, 2
"""Exit codes."""

FEW_ROWS = 200
"""The running sidecar's default of `min_rows`: with fewer, only large changes can be seen."""

WIDTH_COLUMNS = 80
"""Of a page that goes to a file or a pipe."""

_READINGS = 10
"""How many features' readings stand under the table."""

_WORDS = {Change.SCALE: "scale", Change.SCHEMA: "schema"}
"""A verdict in a narrow column; any other change that alarms is drift."""


def run_check(reference: Path, window: Path, rule: Rule, output_format: OutputFormat, out: TextIO, err: TextIO) -> int:
    """Test one file against another and print the report.

    Args:
        reference: The dataset to test against.
        window: The dataset under test, whose columns are matched as `compare` does.
        rule: Level, correction and least rows.
        output_format: A table for people, JSON for programs or a page for a browser, on `out`.
        out: Takes the report.
        err: Takes faults and notes.

    Returns:
        Exit code: 1 if a feature drifted, else 2 if a file cannot be used or a feature has too few
        values, else 0.
    """
    try:
        pair = _read(reference, window)
    except ReferenceDataError as error:
        err.write(f"{error}\n")
        return COULD_NOT_TELL
    report = evaluate(pair.profiles, pair.values, rule, PValues())
    notes = (*pair.notes, *_notes(pair, report, rule))
    err.writelines(f"note: {note}\n" for note in notes)
    if output_format == "json":
        out.write(_as_json(pair, report, rule, notes))
    elif output_format == "html":
        out.write(_as_page(pair, report, rule, notes))
    else:
        _print_table(pair, report, rule, out)
    if report.drift:
        return DRIFT
    return COULD_NOT_TELL if report.untested or report.drift is None else NO_DRIFT


def _read(reference: Path, window: Path) -> Comparison:
    expected = read_table(reference)
    kinds = dict(zip(expected.columns, expected.kinds, strict=True))
    return compare(expected, read_table(window, kinds))


def _notes(pair: Comparison, report: DriftReport, rule: Rule) -> Iterator[str]:
    """What a reader should know of the rows before trusting the verdict."""
    for table in (pair.expected, pair.found):
        rows = table.values.shape[0]
        if rows < FEW_ROWS:
            yield f"{table.path}: {rows} rows, under {FEW_ROWS} only large changes can be seen"
    if report.untested:
        least = max(1, rule.min_rows)
        yield f"{pair.found.path}: not tested, with fewer than {least} values: {listed(report.untested)}"


def _as_json(pair: Comparison, report: DriftReport, rule: Rule, notes: tuple[str, ...]) -> str:
    """The report for programs, features in the reference's order."""
    found = report_as_json(report)
    del found["rows"]  # stands with the window's file
    whole = {
        "reference": _facts(pair.expected),
        "window": _facts(pair.found),
        "rule": {"alpha": rule.alpha, "correction": str(rule.correction), "min_rows": rule.min_rows},
        **found,
        "notes": [printable(note) for note in notes],
    }
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _facts(table: Table) -> dict[str, Any]:
    """Which file it was."""
    return {"path": str(table.path), "rows": table.values.shape[0], "sha256": table.digest}


def _as_page(pair: Comparison, report: DriftReport, rule: Rule, notes: tuple[str, ...]) -> str:
    """The report for a browser."""
    expected, found = pair.expected, pair.found
    facts = Facts(
        window=str(found.path),
        reference=str(expected.path),
        reference_rows=expected.values.shape[0],
        digest=expected.digest,
        rule=f"p-value under {rule.alpha:g} after correction ({rule.correction})",
        notes=notes,
    )
    part = part_of("", pair.profiles, pair.values, report, facts)
    page = render(Page(f"{found.path.name} against {expected.path.name}", (part,)))
    return page.encode("ascii", "xmlcharrefreplace").decode()  # whatever letters the terminal or file can hold


def _print_table(pair: Comparison, report: DriftReport, rule: Rule, out: TextIO) -> None:
    """The report for people, the largest distance first; colour on a terminal alone."""
    terminal = out.isatty()
    console = Console(file=out, width=None if terminal else WIDTH_COLUMNS, force_terminal=terminal, highlight=False)
    if report.features:
        console.print(_grid(report))
    for line in _readings(report):
        console.print(Text(line), soft_wrap=True)
    console.print(Text(_summary(pair, report, rule)), soft_wrap=True)


def _by_distance(report: DriftReport) -> list[FeatureDrift]:
    return sorted(report.features, key=lambda one: -one.distance.statistic)


def _grid(report: DriftReport) -> Grid:
    """A line for each tested feature, and one more where its missing values alarm."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    grid.add_column("feature", overflow="fold")
    grid.add_column("test", no_wrap=True)
    for title in ("D", "threshold", "p-value", "PSI", "rows", "missing"):
        grid.add_column(title, justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    for feature in _by_distance(report):
        alarms = [test for test in feature.tests[1:] if test.drift and test.test is DriftTest.MISSING]
        for test in (feature.distance, *alarms):
            grid.add_row(*_cells(feature, test), style="bold red" if test.drift else None)
    return grid


def _cells(feature: FeatureDrift, test: DriftTestResult) -> tuple[Text, ...]:
    """A line; as plain text, since names are a stranger's and may look like markup."""
    p_value = "" if test.p_value is None else f"{test.p_value:.2g}"
    numbers = (f"{test.statistic:.4f}", f"{test.threshold:.4f}", p_value, f"{feature.effects.psi:.3f}")
    verdict = _WORDS.get(feature.change, "drift") if test.drift else "ok"
    cells = (_name(feature), str(test.test), *numbers, str(feature.rows), str(feature.missing), verdict)
    return tuple(Text(cell) for cell in cells)


def _name(feature: FeatureDrift) -> str:
    return feature.feature if feature.feature.isprintable() else repr(feature.feature)


def _readings(report: DriftReport) -> Iterator[str]:
    """What the changes are, of the features that moved most."""
    drifted = [feature for feature in _by_distance(report) if feature.drift]
    for feature in drifted[:_READINGS]:
        yield f"{_name(feature)}: {feature.reading}"
    if len(drifted) > _READINGS:
        yield f"(and {len(drifted) - _READINGS} more)"
    if drifted:
        yield ""


def _summary(pair: Comparison, report: DriftReport, rule: Rule) -> str:
    """The verdict in one line."""
    expected, found = pair.expected, pair.found
    files = f"{found.path} ({report.rows} rows) against {expected.path} ({expected.values.shape[0]} rows)"
    if report.drift is None:
        return f"Could not tell: no feature has {max(1, rule.min_rows)} values; {files}."
    count, rule_text = len(report.features), f"alpha {rule.alpha:g}, correction {rule.correction}"
    if report.drift:
        return f"Drift in {report.drifted_features} of {count} features ({rule_text}): {files}."
    return f"No drift in {count} features ({rule_text}): {files}."
