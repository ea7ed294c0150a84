"""The `check` command: the sidecar's own test, on two files."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from sidecar.drift.p_value import PValues
from sidecar.drift.report import DriftReport, FeatureDrift, Rule, evaluate
from sidecar.errors import ReferenceDataError
from sidecar.reference.load import prepare
from sidecar.reference.raw import shortened
from sidecar.reference.table import Table, read_table

OutputFormat = Literal["table", "json"]

NO_DRIFT, DRIFT, COULD_NOT_TELL = 0, 1, 2
"""Exit codes."""

FEW_ROWS = 200
"""The running sidecar's default of `min_rows`: with fewer, only large changes can be seen."""

LISTED_NAMES = 5
"""How many names a note shows."""

WIDTH_COLUMNS = 80
"""Of a page that goes to a file or a pipe."""


def run_check(reference: Path, window: Path, rule: Rule, output_format: OutputFormat, out: TextIO, err: TextIO) -> int:
    """Test one file against another and print the report.

    Args:
        reference: The dataset to test against.
        window: The dataset under test. Its columns are matched by the reference's names, or by position
            where one of the files names none (a matrix alone in NPZ).
        rule: Level, correction and least rows.
        output_format: A table for people or JSON for programs, on `out`.
        out: Takes the report.
        err: Takes faults and notes.

    Returns:
        Exit code: 1 if a feature drifted, else 2 if a file cannot be used or a feature has too few
        values, else 0.
    """
    try:
        expected, found = read_table(reference), read_table(window)
        sorted_columns = prepare(expected, 0.0).sorted_columns
        values = _matched(expected, found)
    except ReferenceDataError as error:
        err.write(f"{error}\n")
        return COULD_NOT_TELL
    report = evaluate(expected.columns, sorted_columns, values, rule, PValues())
    err.writelines(f"note: {note}\n" for note in _notes(expected, found, report, rule))
    if output_format == "json":
        out.write(_as_json(expected, found, report, rule))
    else:
        _print_table(expected, found, report, rule, out)
    if report.drift:
        return DRIFT
    return COULD_NOT_TELL if report.untested else NO_DRIFT


def _by_position(expected: Table, found: Table) -> bool:
    """Columns can be matched by name only if both files have names."""
    return not (expected.named and found.named)


def _matched(expected: Table, found: Table) -> NDArray[np.float64]:
    """The window's values in the order of the reference's columns."""
    if _by_position(expected, found):
        if len(expected.columns) != len(found.columns):
            raise ReferenceDataError(
                f"{found.path}: it has {len(found.columns)} columns, {expected.path} has {len(expected.columns)}, "
                "and without names they must be as many"
            )
        return found.values
    position = {name: index for index, name in enumerate(found.columns)}
    missing = [name for name in expected.columns if name not in position]
    if missing:
        raise ReferenceDataError(
            f"{found.path}: column {shortened(missing[0])} of {expected.path} is missing"
            + (f", and {len(missing) - 1} more" if len(missing) > 1 else "")
        )
    return found.values[:, [position[name] for name in expected.columns]]


def _notes(expected: Table, found: Table, report: DriftReport, rule: Rule) -> list[str]:
    """What a reader should know before trusting the verdict."""
    notes = []
    unknown = [name for name in found.columns if name not in expected.columns]
    if unknown and not _by_position(expected, found):
        notes.append(f"{found.path}: columns that the reference does not have are left out: {_listed(unknown)}")
    if report.rows < FEW_ROWS:
        notes.append(f"{found.path}: {report.rows} rows, under {FEW_ROWS} only large changes can be seen")
    if report.untested:
        least = max(1, rule.min_rows)
        notes.append(f"{found.path}: not tested, with fewer than {least} values: {_listed(report.untested)}")
    return notes


def _listed(names: Sequence[str]) -> str:
    """The first few names, in quotes."""
    return ", ".join(map(shortened, names[:LISTED_NAMES])) + (", ..." if len(names) > LISTED_NAMES else "")


def _as_json(expected: Table, found: Table, report: DriftReport, rule: Rule) -> str:
    """The report for programs, features in the reference's order; a threshold that no D can reach is null."""
    tree = {
        "reference": _facts(expected),
        "window": _facts(found),
        "rule": {"alpha": rule.alpha, "correction": str(rule.correction), "min_rows": rule.min_rows},
        "drift": report.drift,
        "drifted_features": report.drifted_features,
        "features": [
            {
                "feature": feature.feature,
                "test": feature.test,
                "statistic": feature.statistic,
                "p_value": feature.p_value,
                "threshold": feature.threshold if math.isfinite(feature.threshold) else None,
                "drift": feature.drift,
                "rows": feature.rows,
                "missing": feature.missing,
            }
            for feature in report.features
        ],
        "untested": list(report.untested),
    }
    return json.dumps(tree, indent=2, allow_nan=False) + "\n"


def _facts(table: Table) -> dict[str, str | int]:
    """Which file it was."""
    return {"path": str(table.path), "rows": table.values.shape[0], "sha256": table.digest}


def _print_table(expected: Table, found: Table, report: DriftReport, rule: Rule, out: TextIO) -> None:
    """The report for people, the largest distance first; colour on a terminal alone."""
    terminal = out.isatty()
    console = Console(file=out, width=None if terminal else WIDTH_COLUMNS, force_terminal=terminal, highlight=False)
    if report.features:
        console.print(_grid(report))
    console.print(Text(_summary(expected, found, report, rule)), soft_wrap=True)


def _grid(report: DriftReport) -> Grid:
    """One line for each tested feature."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1), collapse_padding=True)
    grid.add_column("feature", overflow="fold")
    for title in ("D", "threshold", "p-value", "rows", "missing"):
        grid.add_column(title, justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    for feature in sorted(report.features, key=lambda one: -one.statistic):
        grid.add_row(*_cells(feature), style="bold red" if feature.drift else None)
    return grid


def _cells(feature: FeatureDrift) -> tuple[Text, ...]:
    """A feature's line; as plain text, since names are a stranger's and may look like markup."""
    name = feature.feature if feature.feature.isprintable() else repr(feature.feature)
    numbers = (f"{feature.statistic:.4f}", f"{feature.threshold:.4f}", f"{feature.p_value:.3g}")
    verdict = "drift" if feature.drift else "ok"
    return tuple(Text(cell) for cell in (name, *numbers, str(feature.rows), str(feature.missing), verdict))


def _summary(expected: Table, found: Table, report: DriftReport, rule: Rule) -> str:
    """The verdict in one line."""
    files = f"{found.path} ({report.rows} rows) against {expected.path} ({expected.values.shape[0]} rows)"
    if report.drift is None:
        return f"Could not tell: no feature has {max(1, rule.min_rows)} values; {files}."
    count, rule_text = len(report.features), f"alpha {rule.alpha:g}, correction {rule.correction}"
    if report.drift:
        return f"Drift in {report.drifted_features} of {count} features ({rule_text}): {files}."
    return f"No drift in {count} features ({rule_text}): {files}."
