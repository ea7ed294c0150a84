"""Reads and writes driftgauge's own NPZ files: a matrix of numbers and codes, with kinds, categories and origin.

The members are `data`, shape `(n, d)`, float64; `columns`, d names; `driftgauge`, a JSON text in bytes; and, where they
are known, `times`, shape `(n,)`, float64, ascending: the time of each row in seconds since the epoch. A window has
`numbers` and `ids` of its rows too, by which a capture of many windows finds the rows that it has already.
"""

import contextlib
import io
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.labelled_output import TaskSettings
from driftgauge.drift.outcomes.outcome_columns import Task
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.table import Origin, Table

META = "driftgauge"
"""Name of the member that holds kinds, categories, reasons and origin."""

TIMES = "times"
"""Name of the member that holds the times of the rows."""

NUMBERS, IDS = "numbers", "ids"
"""Names of the members of a window that identify its rows."""

PLACES, REVISIONS, HAS_FEATURES = "places", "revisions", "has_features"
"""Names of further members of an export (`ExportedRows`)."""

MEMBERS = frozenset({"data", "columns", META, TIMES, NUMBERS, IDS, PLACES, REVISIONS, HAS_FEATURES})

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that multiplying by it is one to one: different numbers of the same request stay different."""

FORMAT = 1
"""Incremented when a reader of the old format would misread the new one."""

CODES = 2**53
"""Codes of categories are whole numbers from 0 to this limit, exclusive."""


def check_output(path: Path) -> None:
    """Refuse a path to which no reference can be written, before any work is done.

    Raises:
        ReferenceDataError: The extension is another one, or there is no such folder.
    """
    if path.suffix.lower() != ".npz":
        raise ReferenceDataError(f"{path}: a reference is written as .npz")
    if not path.parent.is_dir():
        raise ReferenceDataError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise ReferenceDataError(f"{path}: this is a directory, not a file")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically, replacing the old one, whose permissions it gets.

    Raises:
        ReferenceDataError: It cannot be written; the old file stays.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            if path.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # it may not have been made
            part.unlink()
        raise ReferenceDataError(f"{path}: it cannot be written: {error.strerror}") from error


def packed(table: Table, members: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """An NPZ file of a table; the same table gives the same bytes. Texts that no row holds are left out.

    Args:
        table: The table.
        members: Further members of the archive.
    """
    used = set(np.unique(table.values[:, [kind is FeatureKind.CATEGORICAL for kind in table.kinds]]).tolist())
    meta = {
        "format": FORMAT,
        "kinds": list(table.kinds),
        "categories": [[int(code), text] for code, text in table.categories.items() if code in used],
        "left_out": dict(table.left_out),
        "missing_words": sorted(table.missing_words),
        "origin": None if table.origin is None else asdict(table.origin),
        "ordered": table.ordered,
        "task": {output: str(one.task) for output, one in table.tasks.items() if one.task is not None},
        "classes": {output: list(one.classes) for output, one in table.tasks.items() if one.classes},
    }
    buffer = io.BytesIO()
    arrays = {
        "data": table.values,
        "columns": np.array(table.columns, dtype=np.str_),
        META: np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8),
    }
    arrays |= {} if table.times is None else {TIMES: table.times}
    np.savez_compressed(buffer, allow_pickle=False, **arrays, **(members or {}))
    return buffer.getvalue()


def packed_window(
    table: Table, times: NDArray[np.float64], numbers: NDArray[np.int64], ids: NDArray[np.uint64]
) -> bytes:
    """An NPZ file of a running process's window, which can serve as reference.

    Args:
        table: The rows, shape `(n, d)`, finite or NaN, in the order of their arrival.
        times: Shape `(n,)`: when each row passed, in seconds since the epoch.
        numbers: Shape `(n,)`: the number of each row in its stream.
        ids: Shape `(n,)`: the digest of the id of each row's request.
    """
    order = np.argsort(times, kind="stable")
    table = replace(table.take(order), times=times[order], ordered=True)
    return packed(table, {NUMBERS: numbers[order], IDS: ids[order]})


def row_keys(content: bytes, times: NDArray[np.float64]) -> NDArray[np.uint64] | None:
    """A number for each row of a window's file by which it is known again; `None` if the file identifies no rows.

    Number, time and id together: a store that was emptied gives the numbers of old rows to new ones.

    Args:
        content: The file.
        times: The times of its rows.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        if NUMBERS not in archive or IDS not in archive:
            return None
        parts = (archive[NUMBERS].astype(np.int64), archive[IDS].astype(np.uint64), times)
        keys = np.zeros(times.shape, dtype=np.uint64)
        for part in parts:
            keys = (keys ^ part.view(np.uint64)) * _MIX
            keys ^= keys >> np.uint64(32)
        return keys


def add_meta(table: Table, member: NDArray[Any], times: NDArray[Any] | None = None) -> Table:
    """A table with the kinds, categories, reasons, origin and order of the member `driftgauge`.

    Args:
        table: Made of `data` and `columns`.
        member: The array of that name.
        times: The array of the times of the rows, if there is one.

    Raises:
        ReferenceDataError: The member is damaged, of a newer format, or does not fit the matrix.
    """
    path = table.path
    meta = _meta(path, member)
    if meta.get("format") != FORMAT:
        raise ReferenceDataError(
            f"{path}: its format is {meta.get('format')!r}, this driftgauge reads format {FORMAT}: build it again"
        )
    try:
        kinds = tuple(map(FeatureKind, meta["kinds"]))
        categories = {float(code): str(text) for code, text in meta["categories"]}
        left_out = {str(name): str(why) for name, why in meta["left_out"].items()}
        missing_words = frozenset(map(str, meta.get("missing_words", ())))
        origin = None if meta["origin"] is None else _origin(**meta["origin"])
        tasks = _tasks(meta.get("task", {}), meta.get("classes", {}))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    if len(kinds) != len(table.columns) or not _are_codes(table.values, kinds) or not _fits(origin, table):
        raise ReferenceDataError(f"{path}: member {META!r} does not fit the matrix 'data'")
    if times is not None and not _are_times(times, table):
        raise ReferenceDataError(f"{path}: member {TIMES!r} is damaged")
    values = table.values.copy()
    values[:, [kind is FeatureKind.IGNORED for kind in kinds]] = np.nan
    return replace(
        table,
        kinds=kinds,
        values=values,
        categories=categories,
        left_out=left_out,
        origin=origin,
        missing_words=missing_words,
        times=times,
        ordered=times is not None or meta.get("ordered") is True,
        states_order=times is not None or "ordered" in meta,
        tasks=tasks,
    )


def _tasks(task: Mapping[str, str], classes: Mapping[str, Iterable[str]]) -> dict[str, TaskSettings]:
    """What a person has said of outputs with labels."""
    names = dict.fromkeys((*task, *classes))
    return {
        name: TaskSettings(Task(task[name]) if name in task else None, tuple(map(str, classes.get(name, ()))))
        for name in names
    }


def _are_times(times: NDArray[Any], table: Table) -> bool:
    """Whether an array holds a time for each row, in ascending order."""
    if times.dtype != np.float64 or times.shape != table.values.shape[:1]:
        return False
    return bool(np.isfinite(times).all() and (times[1:] >= times[:-1]).all())


def _meta(path: Path, member: NDArray[Any]) -> dict[str, Any]:
    if member.dtype != np.uint8 or member.ndim != 1:
        raise _damaged(path)
    try:
        meta = json.loads(member.tobytes())
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    if not isinstance(meta, dict):
        raise _damaged(path)
    return meta


def _damaged(path: Path) -> ReferenceDataError:
    return ReferenceDataError(f"{path}: member {META!r} is damaged")


def _origin(source: str, sha256: str, rows_seen: int, seed: int, version: str) -> Origin:
    return Origin(str(source), str(sha256), int(rows_seen), int(seed), str(version))


def _are_codes(values: NDArray[np.float64], kinds: Iterable[FeatureKind]) -> bool:
    """Whether every categorical column holds codes."""
    codes = values[:, [kind is FeatureKind.CATEGORICAL for kind in kinds]]
    present = codes[~np.isnan(codes)]
    return bool(((present >= 0) & (present < CODES) & (present == np.floor(present))).all())


def _fits(origin: Origin | None, table: Table) -> bool:
    return origin is None or origin.rows_seen >= table.values.shape[0]
