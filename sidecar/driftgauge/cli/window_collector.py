"""Joins the windows of a running process that are fetched one after the other into one dataset in the order of time."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.file_limits import DEFAULT_VALUES
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.driftgauge_npz import row_keys
from driftgauge.reference.table import Table, sorted_by_time

_REMEMBERED_ROWS = 1_000_000
"""Rows that are known again: many windows, for a store that shows older rows once more after a failure."""

_LONGEST_WAIT_SECONDS = 60.0
_SHORTEST_WAIT_SECONDS = 1.0
_WINDOWS_OVERLAP = 3
"""A window is fetched three times while its rows are replaced once, so that rows are missed in bursts only."""


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """The new rows of one window, neighbours in time.

    Args:
        number: Of the window that brought them, counted from 0.
        values: Shape `(n, d)`, float64.
        times: Shape `(n,)`, float64, ascending.
    """

    number: int
    values: NDArray[np.float64]
    times: NDArray[np.float64]


class WindowCollector:
    """Collects the rows of many windows, each row once, in bounded memory.

    Where there are too many rows, every second run of new rows is left out, then every second of the rest, and so on:
    each run stays whole, since it shows how much neighbours resemble each other, and every hour keeps its share.

    Args:
        path: Named in errors.
        max_values: Most values and times that are kept.

    Attributes:
        rows_seen: Rows of all windows, each counted once.
        kept_share: 1 if all of them are kept, k if every k-th run of new rows is.
        has_missed_rows: A window had no row of the windows before it, so that rows passed between them.
    """

    def __init__(self, path: Path, *, max_values: int = DEFAULT_VALUES) -> None:
        self._path = path
        self._max_values = max_values
        self._runs: list[_Run] = []
        self._known = np.empty(0, dtype=np.uint64)
        self._windows = 0
        self._first: Table | None = None
        self._categories: dict[float, str] = {}
        self.rows_seen = 0
        self.kept_share = 1
        self.has_missed_rows = False

    def add(self, content: bytes) -> float:
        """Add the rows of a window that are new.

        Args:
            content: The window's file.

        Returns:
            Seconds until the next window should be fetched.

        Raises:
            ReferenceDataError: It is no window's file, it does not identify its rows, or its columns are others than
                those of the windows before.
        """
        window = parse_table(self._path, content)
        keys = None if window.times is None else row_keys(content, window.times)
        if keys is None or window.times is None:
            raise ReferenceDataError(f"{self._path}: the process is an older driftgauge, which serves one window only")
        if self._first is not None and _form(window) != _form(self._first):
            raise ReferenceDataError(f"{self._path}: the columns of the window have changed: the reference is another")
        self._first = self._first or replace(window, values=window.values[:0], times=None, digest="")
        self._categories.update(window.categories)
        is_new = ~np.isin(keys, self._known)
        self.has_missed_rows |= bool(self._known.size and is_new.all())
        self._known = np.concatenate([self._known, keys[is_new]])[-_REMEMBERED_ROWS:]
        self._add_run(window.values[is_new], window.times[is_new])
        span_seconds = float(window.times[-1] - window.times[0])
        return float(np.clip(span_seconds / _WINDOWS_OVERLAP, _SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS))

    def table(self) -> Table:
        """The rows so far, in the order of time.

        Raises:
            ReferenceDataError: No window has been added.
        """
        if self._first is None:
            raise ReferenceDataError(f"{self._path}: there are no rows")
        values = np.concatenate([run.values for run in self._runs])
        times = np.concatenate([run.times for run in self._runs])
        return sorted_by_time(replace(self._first, values=values, categories=self._categories), times)

    def _add_run(self, values: NDArray[np.float64], times: NDArray[np.float64]) -> None:
        number, self._windows = self._windows, self._windows + 1
        self.rows_seen += times.size
        if number % self.kept_share == 0 and times.size:
            self._runs.append(_Run(number, values, times))
        while len(self._runs) > 1 and sum(run.values.size + run.times.size for run in self._runs) > self._max_values:
            self.kept_share *= 2
            self._runs = [run for run in self._runs if run.number % self.kept_share == 0]


def _form(table: Table) -> tuple[object, ...]:
    """What must be equal for rows to be of one dataset."""
    return table.columns, table.kinds, table.missing_words
