"""Rows of inferences with features, predictions and labels, as a running process serves them for an export.

The file is one of `driftgauge_npz`, with members that say which inference a row is of; it can serve as a reference.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.driftgauge_npz import HAS_FEATURES, IDS, PLACES, REVISIONS, packed
from driftgauge.reference.label_columns import PREDICTION, label_name
from driftgauge.reference.table import Table

_KINDS: Final = {IDS: np.uint64, PLACES: np.int64, HAS_FEATURES: np.bool_}
"""The dtypes of the members that say which inference a row is of."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportedRows:
    """Rows of inferences, in the order of the responses' times.

    Args:
        table: The features by their names in the reference, then `prediction:<output>`, then `label:<output>`, and
            the times of the responses.
        ids: Shape `(n,)`, uint64: the digest of the id of each row's inference.
        places: Shape `(n,)`, int64: the place of the row in its inference, from 0.
        revisions: Shape `(n,)`, text: the revision of the model; empty where it is unknown.
        has_features: Shape `(n,)`: whether the process still had the features of the row.
    """

    table: Table
    ids: NDArray[np.uint64]
    places: NDArray[np.int64]
    revisions: NDArray[np.str_]
    has_features: NDArray[np.bool_]

    @property
    def times(self) -> NDArray[np.float64]:
        """When the response of each row passed, in seconds since the epoch: shape `(n,)`, ascending."""
        return np.empty(0) if self.table.times is None else self.table.times

    @property
    def is_labelled(self) -> NDArray[np.bool_]:
        """Whether a row has a label of at least one output: shape `(n,)`."""
        labels = [index for index, name in enumerate(self.table.columns) if label_name(name) is not None]
        return np.asarray(~np.isnan(self.table.values[:, labels]).all(axis=1))

    def take(self, rows: NDArray[Any]) -> "ExportedRows":
        """Some of the rows.

        Args:
            rows: Their indices, or for each row whether it is one of them.
        """
        chosen = np.arange(len(self.ids))[rows]
        return ExportedRows(
            self.table.take(chosen),
            self.ids[chosen],
            self.places[chosen],
            self.revisions[chosen],
            self.has_features[chosen],
        )


def pack_export(rows: ExportedRows) -> bytes:
    """The file of some rows, at least one."""
    members = {
        IDS: rows.ids,
        PLACES: rows.places,
        REVISIONS: rows.revisions,
        HAS_FEATURES: rows.has_features,
    }
    return packed(rows.table, members)


def unpack_export(path: Path, content: bytes) -> ExportedRows:
    """Read a file that `pack_export` made.

    Args:
        path: Named in errors; its extension is `.npz`.
        content: The file's bytes.

    Raises:
        ReferenceDataError: It is no such file.
    """
    table = parse_table(path, content)
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        members = {name: archive[name] for name in (*_KINDS, REVISIONS) if name in archive}
    rows = table.values.shape[:1]
    is_whole = REVISIONS in members and members[REVISIONS].dtype.kind == "U"
    is_whole &= all(name in members and members[name].dtype == kind for name, kind in _KINDS.items())
    if table.times is None or not is_whole or any(member.shape != rows for member in members.values()):
        raise ReferenceDataError(f"{path}: these are no rows of inferences: is the process an older driftgauge?")
    return ExportedRows(table, members[IDS], members[PLACES], members[REVISIONS], members[HAS_FEATURES])


def join_exports(parts: Sequence[ExportedRows]) -> ExportedRows:
    """The rows of several revisions of a model, in the order of time; a column that one of them lacks is missing there.

    Args:
        parts: At least one.

    Raises:
        ReferenceDataError: A column has another kind in one of them.
    """
    if len(parts) == 1:
        return parts[0]
    kinds: dict[str, FeatureKind] = {}
    for part in parts:
        for name, kind in zip(part.table.columns, part.table.kinds, strict=True):
            if kinds.setdefault(name, kind) is not kind:
                text = f"column {name!r} is {kinds[name]} in one revision and {kind} in another: export one of them"
                raise ReferenceDataError(f"{part.table.path}: {text}")
    columns = sorted(kinds, key=_rank)
    values = np.concatenate([_in_columns(part.table, columns) for part in parts])
    times = np.concatenate([part.times for part in parts])
    table = replace(
        parts[0].table,
        columns=tuple(columns),
        kinds=tuple(kinds[name] for name in columns),
        values=values,
        times=times,
        categories={code: text for part in parts for code, text in part.table.categories.items()},
        left_out={name: why for part in parts for name, why in part.table.left_out.items()},
        digest="",
        origin=None if (first := parts[0].table.origin) is None else replace(first, rows_seen=rows_seen(parts)),
    )
    joined = ExportedRows(
        table,
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.revisions for part in parts]),
        np.concatenate([part.has_features for part in parts]),
    )
    return joined.take(np.argsort(times, kind="stable"))


def rows_seen(parts: Sequence[ExportedRows]) -> int:
    """How many rows the processes had, as their files say, those included that a file had no place for."""
    origins = [(part.table.origin, len(part.ids)) for part in parts]
    return sum(rows if origin is None else origin.rows_seen for origin, rows in origins)


def _rank(name: str) -> int:
    """Features before predictions before labels; `sorted` keeps the order among those of one rank."""
    return 2 if label_name(name) is not None else int(name.startswith(PREDICTION))


def _in_columns(table: Table, columns: Sequence[str]) -> NDArray[np.float64]:
    """The values of a table in other columns, NaN in those that it lacks."""
    places = {name: index for index, name in enumerate(table.columns)}
    values = np.full((table.values.shape[0], len(columns)), np.nan)
    for index, name in enumerate(columns):
        if name in places:
            values[:, index] = table.values[:, places[name]]
    return values
