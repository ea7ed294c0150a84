"""Which rows and columns of an export are written, and what is left out and why."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.reference.column import shortened
from driftgauge.reference.exported_rows import ExportedRows, rows_seen
from driftgauge.reference.label_columns import label_name, output_name

_NAMED_COLUMNS = 5
"""Columns that a sentence names."""


@dataclass(frozen=True, slots=True)
class RowChoice:
    """Which rows are written.

    Args:
        since: The first moment, in seconds since the epoch; `None` for any.
        until: The first moment after the last one; `None` for any.
        labelled_only: Leave out rows without a label.
        without_features: Keep rows whose features the process does not have.
    """

    since: float | None = None
    until: float | None = None
    labelled_only: bool = False
    without_features: bool = False


class Chosen(NamedTuple):
    """Rows and columns that are written, and sentences on the others."""

    rows: ExportedRows
    left_out: tuple[str, ...]


def choose_rows(rows: ExportedRows, choice: RowChoice) -> Chosen:
    """Choose rows. A row that several rules leave out counts for the first of them."""
    table, times = rows.table, rows.times
    has_features = any(label_name(name) is None and output_name(name) is None for name in table.columns)
    left_out: list[str] = []
    if (beyond := rows_seen([rows]) - len(rows.ids)) > 0:
        left_out.append(f"{_rows(beyond)} older than what a response has a place for")
    kept = np.ones(times.size, dtype=np.bool_)

    def leave_out(which: NDArray[np.bool_], why: str) -> None:
        count = int(np.count_nonzero(kept & which))
        np.logical_and(kept, ~which, out=kept)
        if count:
            left_out.append(f"{_rows(count)} {why}")

    if choice.since is not None:
        leave_out(times < choice.since, "before --since")
    if choice.until is not None:
        leave_out(times >= choice.until, "not before --until")
    if has_features and not choice.without_features:
        why = "without features: their requests have left the window (window_rows), or could not be read"
        leave_out(~rows.has_features, f"{why}; --without-features keeps them")
    if choice.labelled_only:
        leave_out(~rows.is_labelled, "without a label")
    return Chosen(rows.take(kept), tuple(left_out))


def choose_columns(rows: ExportedRows, patterns: tuple[str, ...], *, keeps_ignored: bool) -> Chosen:
    """Choose columns.

    Args:
        rows: At least one row.
        patterns: Of names; the case counts.
        keeps_ignored: Whether the file says which columns the reference leaves out, so that these can stay.
    """
    table, reasons = rows.table, []
    is_empty = np.asarray(np.isnan(table.values).all(axis=0)).tolist()
    for name, kind, empty in zip(table.columns, table.kinds, is_empty, strict=True):
        if not any(fnmatchcase(name, one) for one in patterns):
            reasons.append("not in --columns")
        elif kind is FeatureKind.IGNORED:
            reasons.append("" if keeps_ignored else "that the reference leaves out")
        else:
            reasons.append("without a value in any row" if empty and label_name(name) is None else "")
    kept = [index for index, reason in enumerate(reasons) if not reason]
    left_out = {
        reason: [n for n, own in zip(table.columns, reasons, strict=True) if own == reason] for reason in reasons
    }
    chosen = replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        kinds=tuple(table.kinds[index] for index in kept),
        values=table.values[:, kept],
    )
    sentences = (_columns(reason, names) for reason, names in left_out.items() if reason)
    return Chosen(replace(rows, table=chosen), tuple(sentences))


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _columns(why: str, names: list[str]) -> str:
    more = "" if len(names) <= _NAMED_COLUMNS else f" and {len(names) - _NAMED_COLUMNS} more"
    return f"columns {why}: {', '.join(map(shortened, names[:_NAMED_COLUMNS]))}{more}"
