"""One reference dataset: a table made ready for the test, each column sorted and without its missing values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import ReferenceDataError
from sidecar.reference.raw import shortened
from sidecar.reference.table import Table, read_table


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One version of a reference dataset, immutable.

    Args:
        columns: The features, in the file's order.
        sorted_columns: One float64 array per feature, sorted ascending, finite, at least one value, read-only.
        rows: Rows of the file, missing values included.
        schema: `schema_hash` of the columns.
        digest: SHA-256 of the file's content, in hexadecimal.
        path: The file as it was named.
        loaded_at: When it was loaded, in seconds since the epoch.
    """

    columns: tuple[str, ...]
    sorted_columns: tuple[NDArray[np.float64], ...]
    rows: int
    schema: str
    digest: str
    path: Path
    loaded_at: float


def schema_hash(columns: Sequence[str]) -> str:
    """Name a list of columns: 16 hexadecimal digits that differ when a name or the order differs."""
    joined = "".join(f"{len(name)}:{name}" for name in columns)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def load_reference(path: Path, now: float) -> Reference:
    """Read a reference dataset from a file.

    Args:
        path: A CSV, Parquet or NPZ file.
        now: Seconds since the epoch.

    Raises:
        ReferenceDataError: The file cannot serve as reference; the sentence says why.
    """
    return prepare(read_table(path), now)


def prepare(table: Table, now: float) -> Reference:
    """Sort the columns of a table and leave out what is missing.

    Args:
        table: As `read_table` gives it.
        now: Seconds since the epoch.

    Raises:
        ReferenceDataError: A column has no value in any row.
    """
    columns = np.sort(table.values.T, axis=1)
    present = np.count_nonzero(~np.isnan(columns), axis=1)
    if not present.all():
        name = table.columns[int(np.argmin(present))]
        raise ReferenceDataError(f"{table.path}: column {shortened(name)} has no value in any row")
    columns.flags.writeable = False
    return Reference(
        columns=table.columns,
        sorted_columns=tuple(column[:count] for column, count in zip(columns, present, strict=True)),
        rows=table.values.shape[0],
        schema=schema_hash(table.columns),
        digest=table.digest,
        path=table.path,
        loaded_at=now,
    )
