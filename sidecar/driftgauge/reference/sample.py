"""Draws a sample of a CSV or Parquet file of any size. Memory depends on the size of the sample only."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftgauge import __version__
from driftgauge.drift.outcomes.labelled_output import BY_CONTENT, TaskSettings
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.reference.category_encoder import numbers_as_categories
from driftgauge.reference.column import NO_TIMES, ColumnRules, TimeRules, shortened
from driftgauge.reference.file_limits import DEFAULT_VALUES, MAX_VALUES
from driftgauge.reference.formats.csv_stream import read_column, read_outline, read_rows, split_rows
from driftgauge.reference.formats.parquet_file import UNCOUNTED_COLUMNS, arrow_times, parquet_library, table_of_arrow
from driftgauge.reference.formats.text_columns import TimeCells, table_of_cells
from driftgauge.reference.label_columns import PREDICTION, renamed, with_labels
from driftgauge.reference.newest_rows import newest_rows
from driftgauge.reference.profiles import identifiers, profiles_of
from driftgauge.reference.steps import ReportStep, report_bytes, report_nothing
from driftgauge.reference.table import MAX_COLUMNS, Origin, Table, check_table, with_stated_order, without_missing_words

MAX_KEPT_VALUES = MAX_VALUES // 2
"""Rows times columns of a sample: half of the limit of a table, since the texts of categories need memory too."""

CONFIDENCE = 0.99
"""Confidence of the sampling error of one column."""

DEFAULT_ROWS = 100_000
"""Rows of a sample by default: each distribution is then within D = 0.0052 of the file's."""

BATCH_ROWS = 65_536
"""Rows of Parquet that are decoded at a time."""


@dataclass(frozen=True, slots=True)
class SampleSpec:
    """The sample to draw.

    Args:
        rows: How many rows are kept, at least 1; `None` for 100,000, or fewer of very wide files.
        seed: At least 0; the same file and seed give the same sample.
        predictions: Columns that hold the model's outputs.
        categorical: Columns whose numbers are names, such as codes of shops: they are tested as categories.
        missing_words: Texts that are missing values, besides the empty one.
        time: Where the times of the rows are. If their order is known, the newest ones are kept (`newest_rows`).
        labels: The columns that hold labels, by the output that they are of.
        settings: What the model does for the outputs with labels.
    """

    rows: int | None = None
    seed: int = 0
    predictions: Sequence[str] = ()
    categorical: Sequence[str] = ()
    missing_words: frozenset[str] = NO_WORDS
    time: TimeRules = NO_TIMES
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: TaskSettings = BY_CONTENT

    @property
    def rules(self) -> ColumnRules:
        """What a person has set of the columns."""
        return ColumnRules(dict.fromkeys(self.categorical, FeatureKind.CATEGORICAL), self.missing_words, time=self.time)


def sample_rows(seen: int, kept: int, seed: int) -> NDArray[np.int64]:
    """The rows of a sample.

    Args:
        seen: Rows of the file.
        kept: Rows of the sample, at least 1.
        seed: Of the random generator, at least 0.

    Returns:
        Positions from 0, ascending: all of them if there are no more than `kept`, else `kept` of them, drawn
        without replacement; every set of this size is equally likely.

    Notes:
        O(kept) memory, at most 160 bytes for each kept row, whatever `seen` is.
    """
    if seen <= kept:
        return np.arange(seen)
    return np.sort(np.random.default_rng(seed).choice(seen, kept, replace=False, shuffle=False))


def sampling_error(seen: int, kept: int) -> float:
    """Bound on the distance between a column's distributions in the sample and in the file.

    Args:
        seen: Rows of the file.
        kept: Rows of the sample, at least 1.

    Returns:
        A KS distance that is exceeded with a chance of at most 1 %; 0 if all rows are kept.

    Notes:
        The bound is for draws with replacement; without replacement the distance is no larger.

    Source:
        P. Massart, "The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality", Annals of Probability
        18(3), 1990; W. Hoeffding, "Probability Inequalities for Sums of Bounded Random Variables", JASA 58,
        1963, section 6, on draws without replacement.
    """
    return 0.0 if seen <= kept else min(1.0, math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * kept)))


def draw_sample(path: Path, spec: SampleSpec, report: ReportStep = report_nothing) -> Table:
    """Draw a sample of a file's rows; every set of this size is equally likely, unless their order in time is known.

    Args:
        path: A CSV or Parquet file; a CSV file is read twice, or three times if its rows have times. These are kept in
            memory, 8 bytes for each row of the file.
        spec: Size, seed and predictions of the sample.
        report: Called as the file is read.

    Returns:
        The rows in the file's order, or sorted by time, with their origin. Of CSV, the sampled rows decide the kind of
        a column. Columns of identifiers are left out.

    Raises:
        ReferenceDataError: The file cannot be used; the sentence says why.
    """
    readers = {".csv": _sample_csv, ".parquet": _sample_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ReferenceDataError(f"{path}: a sample is drawn of one of {', '.join(readers)}")
    try:
        if not path.is_file():
            raise ReferenceDataError(f"{path}: there is no such file")
        table = reader(path, spec, report)
    except OSError as error:
        raise ReferenceDataError(f"{path}: it cannot be read: {error.strerror or error}") from error
    return _prepared(table, spec)


def sample_table(table: Table, spec: SampleSpec) -> Table:
    """Draw a sample of a table in memory, by the rules of `draw_sample`.

    Args:
        table: The training data, read by the rules of `spec`; its path is named in errors and in the origin.
        spec: Size, seed and predictions of the sample.

    Raises:
        ReferenceDataError: The table cannot be used; the sentence says why.
    """
    seen = table.values.shape[0]
    kept = _rows_to_keep(table.path, spec, seen, len(table.columns))
    rows = _positions(seen, kept, spec, None if (times := table.times) is None else lambda: times)
    origin = Origin(table.path.name, table.digest, seen, spec.seed, __version__)
    sample = replace(table.take(rows), lines=(), rows=(), digest="", origin=origin)
    return _prepared(_with_categories(sample, spec.categorical), spec)


def _with_categories(table: Table, names: Sequence[str]) -> Table:
    """The table with these columns as categories, also if the file itself says that they are numbers."""
    kinds, values, categories = list(table.kinds), table.values.copy(), dict(table.categories)
    for index, (name, kind) in enumerate(zip(table.columns, table.kinds, strict=True)):
        if name in names and kind is FeatureKind.NUMERIC:
            column = numbers_as_categories(table.path, name, values[:, index])
            kinds[index], values[:, index] = column.kind, column.values
            categories |= column.categories
    return replace(table, kinds=tuple(kinds), values=values, categories=categories)


def _prepared(table: Table, spec: SampleSpec) -> Table:
    """The sample as a reference needs it, with the columns that the person has named."""
    _check_columns(table, spec.categorical, "test as categories")
    _check_columns(table, spec.predictions, "take as prediction")
    _check_columns(table, tuple(spec.labels.values()), "take as labels")
    both = next((column for column in spec.labels.values() if column in spec.predictions), None)
    if both is not None:
        raise ReferenceDataError(f"{table.path}: column {shortened(both)} cannot be both prediction and labels")
    table = without_missing_words(with_stated_order(table, spec.rules), spec.missing_words)
    return _without_identifiers(with_labels(_with_predictions(table, spec.predictions), spec.labels, spec.settings))


def _check_columns(table: Table, names: Sequence[str], purpose: str) -> None:
    unknown = [name for name in names if name not in table.columns]
    if unknown:
        raise ReferenceDataError(f"{table.path}: there is no column {shortened(unknown[0])} to {purpose}")


def _positions(
    seen: int, kept: int, spec: SampleSpec, read_times: Callable[[], NDArray[np.float64]] | None
) -> NDArray[np.int64]:
    """The rows to keep of a file; `read_times` reads the times of all rows, `None` if there are none."""
    if read_times is not None and seen > kept:
        return newest_rows(read_times(), kept)
    if spec.time.is_ordered:
        return np.arange(max(0, seen - kept), seen)
    return sample_rows(seen, kept, spec.seed)


def _sample_csv(path: Path, spec: SampleSpec, report: ReportStep) -> Table:
    given = read_outline(path, on_read=report_bytes(path, f"counting the rows of {path.name}", report))
    kept, name = _rows_to_keep(path, spec, given.rows, len(given.columns)), spec.time.column

    def read_times() -> NDArray[np.float64]:
        times = TimeCells(path=path, name=name)
        on_read = report_bytes(path, f"reading the times of {path.name}", report)
        for lines, cells in read_column(path, given, name, on_read):
            times.add(lines, cells)
        return times.seconds

    positions = _positions(given.rows, kept, spec, read_times if name in given.columns else None)
    on_read = report_bytes(path, f"reading the sample of {path.name}", report)
    rows = read_rows(path, given, positions, on_read=on_read)
    report("splitting the rows into columns", None)
    table = table_of_cells(path, given.columns, lambda: split_rows(path, given.delimiter, rows), spec.rules)
    return replace(table, origin=Origin(path.name, given.sha256, given.rows, spec.seed, __version__))


def _sample_parquet(path: Path, spec: SampleSpec, report: ReportStep) -> Table:
    pa, pq = parquet_library(path)
    try:
        with pq.ParquetFile(path) as file:
            seen = file.metadata.num_rows
            kept = _rows_to_keep(path, spec, seen, file.metadata.num_columns)
            name = spec.time.column
            has_times = name in file.schema_arrow.names

            def read_times() -> NDArray[np.float64]:
                report(f"reading the times of {path.name}", None)
                return arrow_times(path, name, file.read(columns=[name]).column(0), spec.rules)

            positions = _positions(seen, kept, spec, read_times if has_times else None)
            step = f"reading the sample of {path.name}"
            sample = pa.Table.from_batches(_read_batches(file, positions, partial(report, step)), file.schema_arrow)
        rows = (positions + 1).tolist()
        table = replace(table_of_arrow(path, sample, replace(spec.rules, rows=rows)), rows=rows)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ReferenceDataError(f"{path}: this is not a Parquet file") from error
    report(f"hashing {path.name}", None)
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return replace(table, origin=Origin(path.name, sha256, seen, spec.seed, __version__))


def _read_batches(
    file: Any,  # noqa: ANN401 - pyarrow has no types
    positions: NDArray[np.int64],
    on_share: Callable[[float], None],
) -> list[Any]:
    """Read the rows at these positions; row groups without any of them are not decoded.

    Args:
        file: A Parquet file.
        positions: Of the rows, ascending.
        on_share: Called with the share of the rows that is passed.
    """
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
        on_share(before / max(1, file.metadata.num_rows))
    return found


def _between(positions: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
    """The positions from `first` to `last`, exclusive, counted from `first`."""
    start, stop = np.searchsorted(positions, [first, last])
    return positions[start:stop] - first


def _rows_to_keep(path: Path, spec: SampleSpec, seen: int, columns: int) -> int:
    """How many rows to keep of a file with `columns` columns."""
    if columns > MAX_COLUMNS + UNCOUNTED_COLUMNS:  # `check_table` counts the columns again
        raise ReferenceDataError(f"{path}: there are {columns} columns, at most {MAX_COLUMNS} can be tested")
    if seen == 0:
        raise ReferenceDataError(f"{path}: there are no rows")
    most = MAX_KEPT_VALUES // max(1, columns)
    if spec.rows is not None and min(spec.rows, seen) > most:
        raise ReferenceDataError(f"{path}: of {columns} columns at most {most} rows can be kept, not {spec.rows}")
    if spec.rows is None:
        return min(DEFAULT_ROWS, DEFAULT_VALUES // max(1, columns))
    return min(most, spec.rows)


def _with_predictions(table: Table, predictions: Sequence[str]) -> Table:
    """The table with these columns named as predictions."""
    return renamed(table, {name: f"{PREDICTION}{name}" for name in predictions if not name.startswith(PREDICTION)})


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
