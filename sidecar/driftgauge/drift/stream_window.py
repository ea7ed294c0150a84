"""The newest rows of a stream, and which of them are new."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.ledger import CountedRows, RowOrigins, advanced


@dataclass(frozen=True, slots=True, eq=False)
class StreamWindow:
    """The newest rows of a stream.

    Args:
        values: Shape `(n, d)`, float64, oldest first; NaN is a missing value. Not written to while it is evaluated.
        numbers: Shape `(n,)`: the number of each row in its stream, from 1, ascending.
        requests: Shape `(n,)`: equal for rows of one request, ascending.
        times: Shape `(n,)`: when the request of each row passed, in seconds since the epoch; `None` if unknown.
        ids: Shape `(n,)`, uint64: a digest of the id of each row's request; `None` if unknown.
        origins: Who appended each row; `None` for the rows of one writer, whose positions are `numbers`.
    """

    values: NDArray[np.float64]
    numbers: NDArray[np.int64]
    requests: NDArray[np.int64]
    times: NDArray[np.float64] | None = None
    ids: NDArray[np.uint64] | None = None
    origins: RowOrigins | None = None

    def only(self, rows: NDArray[np.bool_]) -> "StreamWindow":
        """Some of the rows, without their origins: shape `(n,)`, whether each one is among them."""
        times = None if self.times is None else self.times[rows]
        ids = None if self.ids is None else self.ids[rows]
        return StreamWindow(self.values[rows], self.numbers[rows], self.requests[rows], times, ids)


@dataclass(frozen=True, slots=True, eq=False)
class NewRowsOfWindow:
    """The rows that an evaluation feeds, and those that it counts.

    Args:
        feed: Shape `(n,)`: which rows of the window are fed.
        fed: Rows that are fed and were never counted before.
        skipped: Rows that were never counted before and are never fed.
        hour_unknown: Rows of the window that were never counted before and are left out because of their hour.
        ledger: The new ledger; `None` if it is the old one.
    """

    feed: NDArray[np.bool_]
    fed: int
    skipped: int
    hour_unknown: int
    ledger: CountedRows | None


def find_new_rows(
    window: StreamWindow, hour_known: NDArray[np.bool_], state: DetectorState, min_rows: int
) -> NewRowsOfWindow:
    """Find the rows of a window that the detector has not seen, and count all that were appended since.

    Windows overlap, and each row must count once: the new rows are those above their writer's count in the ledger.

    Args:
        window: The newest rows.
        hour_known: Shape `(n,)`: whether the reference has rows of the hour of each row.
        state: The detector's state. A detector without rows waits for `min_rows` rows: they are neither fed nor counted
            until then, while what was appended before the oldest of them counts as skipped. It is fed all of a window.
        min_rows: The rows that a verdict needs.
    """
    origins = window.origins or RowOrigins.of_one_writer(window.numbers)
    counted = origins.counted(state.ledger)
    new = origins.positions > counted[origins.writers]
    if state.rows == 0 and new.size < min_rows:
        feed, left_out, ends = np.zeros(new.size, dtype=np.bool_), 0, origins.ends_before(new)
    else:
        feed = hour_known & (_of_new_requests(window.requests, new) | (state.rows == 0))
        left_out, ends = int((new & ~hour_known).sum()), origins.ends()
    unseen = int(np.maximum(ends - counted, 0).sum())
    fed = int((feed & new).sum())
    known = all(writer in state.ledger for writer in origins.totals)
    ledger = None if known and not unseen else advanced(state.ledger, origins, ends)
    return NewRowsOfWindow(feed, fed, max(0, unseen - fed - left_out), left_out, ledger)


def _of_new_requests(requests: NDArray[np.int64], new: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows are of requests that have new rows only.

    A store appends and returns whole requests (only of a request that is longer than the window it returns the newest
    rows). But it may have lost rows, whose positions their writer gives to others when it never heard that they were
    appended. Each request must count once, so that the rest of one that was counted in part is skipped.
    """
    if new.all() or not new.any():
        return new
    return new & ~np.isin(requests, requests[~new])
