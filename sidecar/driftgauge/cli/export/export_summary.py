"""What an export holds and what it lacks, in lines for a person and for the log of a pipeline."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from driftgauge.cli.export.export_files import NPZ, utc_text
from driftgauge.drift.profile import FeatureKind
from driftgauge.reference.column import TIME_COLUMN, shortened
from driftgauge.reference.exported_rows import ExportedRows
from driftgauge.reference.label_columns import label_name, output_name


def summary_lines(path: Path, rows: ExportedRows, left_out: Sequence[str], hashed: Sequence[str]) -> Iterator[str]:
    """The lines.

    Args:
        path: The file that was written.
        rows: What it holds, at least one row.
        left_out: Sentences on rows and columns that it lacks.
        hashed: Columns that are hashed.
    """
    table, count, labelled = rows.table, len(rows.ids), int(np.count_nonzero(rows.is_labelled))
    yield f"wrote {path}: {count:,} rows, {labelled:,} of them with labels"
    yield f"responses from {utc_text(float(rows.times[0]))} to {utc_text(float(rows.times[-1]))}"
    names = Counter(
        "labels" if label_name(name) is not None else "predictions" if output_name(name) is not None else "features"
        for name in table.columns
    )
    yield f"columns: {', '.join(f'{names[part]} {part}' for part in ('features', 'predictions', 'labels'))}"
    revisions = Counter(rows.revisions.tolist())
    if set(revisions) != {""}:
        counts = [f"{name or 'unknown'} {number:,}" for name, number in revisions.items()]
        yield f"revisions: {', '.join(counts)}"
    for index, name in enumerate(table.columns):
        if label_name(name) is not None:
            known = int(np.count_nonzero(~np.isnan(table.values[:, index])))
            yield f"{name if name.isprintable() else shortened(name)}: {known:,} rows, {known / count:.1%}"
    yield from (f"left out: {one}" for one in left_out)
    yield from _unknown_texts(path, rows)
    if hashed:
        names_of_hashed = ", ".join(map(shortened, hashed))
        yield f"hashed: {names_of_hashed}; requests do not have these values, so that no reference can have them"
    yield _next_step(path, rows)


def _unknown_texts(path: Path, rows: ExportedRows) -> Iterator[str]:
    """Categories whose text the process does not know."""
    table = rows.table
    for index, (name, kind) in enumerate(zip(table.columns, table.kinds, strict=True)):
        if kind is not FeatureKind.CATEGORICAL:
            continue
        values = table.values[:, index]
        values = values[~np.isnan(values)]
        unknown = int(np.count_nonzero(~np.isin(values, list(table.categories))))
        if unknown:
            text = f"column {shortened(name)}: {unknown:,} values are categories that the reference lacks, without text"
            yield text if path.suffix.lower() == NPZ else f"{text}: they are written as # and their code"


def _next_step(path: Path, rows: ExportedRows) -> str:
    """The command that makes a reference of the file."""
    if path.suffix.lower() == NPZ:
        return "it is a reference as it is"
    words = ["driftgauge", "reference", "build", str(path), "-o", "reference.npz", "--time-column", TIME_COLUMN]
    table = rows.table
    categories = [n for n, kind in zip(table.columns, table.kinds, strict=True) if kind is FeatureKind.CATEGORICAL]
    if path.suffix.lower() == ".csv" and categories:  # a CSV file does not say that 94103 is a code
        quoted = ",".join(
            f'"{name.replace(chr(34), chr(34) * 2)}"' if set(name) & set(',"') else name for name in categories
        )
        words += ["--categorical", quoted]
    return f"a reference of it: {shlex.join(words)}"
