"""Writes the rows of an export as Parquet, CSV or NPZ."""

import csv
import io
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.inference.payload import printable
from driftgauge.reference.column import ID_COLUMN, OWN_COLUMNS, REVISION_COLUMN, ROW_COLUMN, TIME_COLUMN
from driftgauge.reference.exported_rows import ExportedRows, pack_export
from driftgauge.reference.formats.parquet_file import parquet_library

NPZ: Final = ".npz"
"""The extension of files that keep the kinds of columns."""

_MICROSECONDS = 1_000_000


def check_export(path: Path) -> None:
    """Refuse a path to which no export can be written, before any row is read.

    Raises:
        ReferenceDataError: The extension is another one, its library is not installed, or there is no such folder.
    """
    if path.suffix.lower() not in WRITERS:
        raise ReferenceDataError(f"{path}: the extension must be one of {', '.join(WRITERS)}")
    if not path.parent.is_dir():
        raise ReferenceDataError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise ReferenceDataError(f"{path}: this is a directory, not a file")
    if path.suffix.lower() == ".parquet":
        try:
            parquet_library(path)
        except ReferenceDataError as error:
            raise ReferenceDataError(f"{error}, or write .csv or .npz") from None


def content_of(path: Path, rows: ExportedRows) -> bytes:
    """The file of some rows, at least one, in the format of the path's extension."""
    return WRITERS[path.suffix.lower()](path, rows)


def category_text(value: float, texts: Mapping[float, str]) -> str:
    """The text of a category; one whose text the process does not know is `#` and its code."""
    return printable(texts.get(value, f"#{value:.0f}"))


def _csv(_: Path, rows: ExportedRows) -> bytes:
    """Times of RFC 3339 in UTC, numbers with all their digits, and nothing for a missing value."""
    table, text = rows.table, io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*OWN_COLUMNS, *map(printable, table.columns)])
    named = zip(rows.times.tolist(), rows.ids.tolist(), rows.places.tolist(), rows.revisions.tolist(), strict=True)
    for (time, digest, place, revision), values in zip(named, table.values.tolist(), strict=True):
        cells = [_cell(value, kind, table.categories) for value, kind in zip(values, table.kinds, strict=True)]
        writer.writerow([utc_text(time), f"{digest:016x}", place, printable(revision), *cells])
    return text.getvalue().encode()


def _cell(value: float, kind: FeatureKind, texts: Mapping[float, str]) -> str:
    if math.isnan(value):
        return ""
    return category_text(value, texts) if kind is FeatureKind.CATEGORICAL else repr(value)


def utc_text(seconds: float) -> str:
    """A time of RFC 3339 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parquet(path: Path, rows: ExportedRows) -> bytes:
    """Times are timestamps of UTC, numbers doubles, categories strings; a missing value is null."""
    pa, pq = parquet_library(path)
    table = rows.table
    times = np.round(rows.times * _MICROSECONDS).astype(np.int64)
    columns = {
        TIME_COLUMN: pa.array(times, pa.timestamp("us", tz="UTC")),
        ID_COLUMN: pa.array([f"{one:016x}" for one in rows.ids.tolist()], pa.string()),
        ROW_COLUMN: pa.array(rows.places, pa.int64()),
        REVISION_COLUMN: pa.array(map(printable, rows.revisions.tolist()), pa.string()),
    }
    for index, (name, kind) in enumerate(zip(table.columns, table.kinds, strict=True)):
        values = table.values[:, index]
        if kind is FeatureKind.CATEGORICAL:
            texts = [None if math.isnan(one) else category_text(one, table.categories) for one in values.tolist()]
            columns[printable(name)] = pa.array(texts, pa.string())
        else:
            columns[printable(name)] = pa.array(values, pa.float64(), from_pandas=True)
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def _npz(_: Path, rows: ExportedRows) -> bytes:
    return pack_export(rows)


WRITERS: Final[dict[str, Callable[[Path, ExportedRows], bytes]]] = {".parquet": _parquet, ".csv": _csv, NPZ: _npz}
"""By extension, in lower case."""
