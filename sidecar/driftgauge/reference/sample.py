"""Draws a sample of a CSV or Parquet file of any size, in memory that hangs on the sample alone."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge import __version__
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import shortened
from driftgauge.reference.dataset import PREDICTION
from driftgauge.reference.formats.csv_file import NO_KINDS
from driftgauge.reference.formats.csv_stream import cells_of, chosen_rows, outline
from driftgauge.reference.formats.parquet_file import parquet_library, table_of_arrow
from driftgauge.reference.formats.text_columns import table_of_cells
from driftgauge.reference.profiles import identifiers, profiles_of
from driftgauge.reference.table import MAX_COLUMNS, MAX_VALUES, Origin, Table, check_table

MAX_KEPT_VALUES = MAX_VALUES // 2
"""Rows times columns of a sample: half of what a table may have, the texts of categories come to it."""

CONFIDENCE = 0.99
"""Of the sampling error, for one column."""


def sample_rows(seen: int, kept: int, seed: int) -> NDArray[np.int64]:
    """The rows of a sample.

    Args:
        seen: Rows of the file.
        kept: Rows of the sample, at least 1.
        seed: Of the draw, at least 0.

    Returns:
        Positions from 0, ascending: all of them if there are no more than `kept`, else `kept` of them, drawn
        without replacement, every set of as many with equal chance.

    Notes:
        O(kept) memory, at most 160 bytes for each kept row, whatever `seen` is.
    """
    if seen <= kept:
        return np.arange(seen)
    return np.sort(np.random.default_rng(seed).choice(seen, kept, replace=False, shuffle=False))


def sampling_error(seen: int, kept: int) -> float:
    """How far a column's distribution in the sample may be from that in the file.

    Args:
        seen: Rows of the file.
        kept: Rows of the sample, at least 1.

    Returns:
        A KS distance that is exceeded with a chance of at most 1 %; 0 if all rows are kept.

    Notes:
        A draw without replacement is no farther from the whole than one with replacement.

    Source:
        P. Massart, "The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals of Probability
        18(3), 1990; W. Hoeffding, "Probability Inequalities for Sums of Bounded Random Variables", JASA 58,
        1963, section 6, on draws without replacement.
    """
    return 0.0 if seen <= kept else min(1.0, math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * kept)))


KEPT_ROWS = 100_000
"""Rows of a sample where nobody says how many: a distribution is then within D = 0.0052 of the file's."""

BATCH_ROWS = 65_536
"""Rows of Parquet that are unpacked at a time."""


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """How a sample is to be drawn.

    Args:
        rows: How many rows are kept, at least 1; `None` for 100,000, or fewer of very wide files.
        seed: At least 0; the same file and seed give the same sample.
        predictions: Columns that hold the model's outputs.
    """

    rows: int | None = None
    seed: int = 0
    predictions: Sequence[str] = ()


def draw_sample(path: Path, draw: SampleSpec) -> Table:
    """Draw a sample of a file's rows, every set of as many rows with equal chance.

    Args:
        path: A CSV or Parquet file; a CSV file is read twice.
        draw: What is asked for.

    Returns:
        The rows in the file's order, and where they come from. Of CSV, the kind of a column is told by the
        rows that are kept; columns of identifiers are left out.

    Raises:
        ReferenceDataError: The file cannot be used; the sentence says why.
    """
    readers = {".csv": _of_csv, ".parquet": _of_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ReferenceDataError(f"{path}: a sample is drawn of one of {', '.join(readers)}")
    try:
        if not path.is_file():
            raise ReferenceDataError(f"{path}: there is no such file")
        table = reader(path, draw)
    except OSError as error:
        raise ReferenceDataError(f"{path}: it cannot be read: {error.strerror or error}") from error
    return _without_identifiers(_with_predictions(table, draw.predictions))


def _of_csv(path: Path, draw: SampleSpec) -> Table:
    given = outline(path)
    positions = sample_rows(given.rows, _kept(path, draw, given.rows, len(given.columns)), draw.seed)
    rows = chosen_rows(path, given, positions)
    table = table_of_cells(path, given.columns, lambda: cells_of(path, given.delimiter, rows), NO_KINDS)
    return replace(table, origin=Origin(path.name, given.sha256, given.rows, draw.seed, __version__))


def _of_parquet(path: Path, draw: SampleSpec) -> Table:
    pa, pq = parquet_library(path)
    try:
        with pq.ParquetFile(path) as file:
            seen = file.metadata.num_rows
            kept = _kept(path, draw, seen, file.metadata.num_columns)
            batches = _batches(file, sample_rows(seen, kept, draw.seed))
            table = table_of_arrow(path, pa.Table.from_batches(batches, file.schema_arrow))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ReferenceDataError(f"{path}: this is not a Parquet file") from error
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return replace(table, origin=Origin(path.name, sha256, seen, draw.seed, __version__))


def _batches(file: Any, positions: NDArray[np.int64]) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
    """The rows at these places; row groups that hold none of them are not unpacked."""
    found = []
    before = 0
    for group in range(file.metadata.num_row_groups):
        after = before + file.metadata.row_group(group).num_rows
        wanted = _between(positions, before, after)
        if wanted.size:
            start = 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group]):
                found.append(batch.take(_between(wanted, start, start + batch.num_rows)))
                start += batch.num_rows
        before = after
    return found


def _between(positions: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
    """The positions from `first` to `last`, exclusive, counted from `first`."""
    start, stop = np.searchsorted(positions, [first, last])
    return positions[start:stop] - first


def _kept(path: Path, draw: SampleSpec, seen: int, columns: int) -> int:
    """How many rows are kept of so many columns."""
    if columns > MAX_COLUMNS + 1:  # one for pandas' index; the names are counted once more when they are known
        raise ReferenceDataError(f"{path}: there are {columns} columns, at most {MAX_COLUMNS} can be tested")
    if seen == 0:
        raise ReferenceDataError(f"{path}: there are no rows")
    most = MAX_KEPT_VALUES // max(1, columns)
    if draw.rows is not None and min(draw.rows, seen) > most:
        raise ReferenceDataError(f"{path}: of {columns} columns at most {most} rows can be kept, not {draw.rows}")
    return min(most, KEPT_ROWS if draw.rows is None else draw.rows)


def _with_predictions(table: Table, predictions: Sequence[str]) -> Table:
    """The table with these columns named as predictions."""
    unknown = [name for name in predictions if name not in table.columns]
    if unknown:
        raise ReferenceDataError(f"{table.path}: there is no column {shortened(unknown[0])} to take as prediction")
    names = {name: f"{PREDICTION}{name}" for name in predictions if not name.startswith(PREDICTION)}
    return replace(
        table,
        columns=tuple(names.get(name, name) for name in table.columns),
        left_out={names.get(name, name): why for name, why in table.left_out.items()},
    )


def _without_identifiers(table: Table) -> Table:
    """The table with columns of identifiers left out: their texts are many and cannot be tested."""
    check_table(table)
    why = identifiers(profiles_of(table.columns, table.kinds, table.values, table.categories))
    kinds = tuple(
        FeatureKind.IGNORED if name in why else kind for name, kind in zip(table.columns, table.kinds, strict=True)
    )
    values = table.values.copy()
    values[:, [kind is FeatureKind.IGNORED for kind in kinds]] = np.nan
    return replace(table, kinds=kinds, values=values, left_out={**table.left_out, **why})
