"""One slice of the responses that wait for labels, in memory."""

import heapq
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from driftgauge.storage.label_slices import counted_bytes, score
from driftgauge.storage.labels import LabelLayout, Slice, WaitingResponse


class RowState(IntEnum):
    """Of one output of one row: whether it has a label, and whether that is judged."""

    NONE = 0
    LABELLED = 1
    JUDGED = 2


class RowLabel(NamedTuple):
    """The label of one output of one row."""

    state: RowState
    value: float


_STATES: Final = tuple(RowState)
_NO_LABEL: Final = RowLabel(RowState.NONE, 0.0)

_VALUE_BYTES: Final = 8

_LABEL: Final = struct.Struct("<Bd")
"""The state and the value of a label: less than `ROW_BYTES` for all outputs of a row."""


@final
class Waiting:
    """A response that waits: some 300 bytes in all if it has one row, and 90 more once that has a label.

    Args:
        response: It is copied.
        layout: That of its rows.

    Attributes:
        digest: The id by which it is kept.
        aliases: The digests of its further ids.
        time: When it passed, in seconds since the epoch.
        layout: As given.
    """

    __slots__ = ("_columns", "_data", "_labels", "aliases", "digest", "layout", "time")

    def __init__(self, response: WaitingResponse, layout: LabelLayout) -> None:
        self.digest, self.aliases = response.ids[0], response.ids[1:]
        self.time, self.layout = response.time, layout
        self._columns = response.rows.shape[1]
        self._data = response.rows.astype(np.float64, order="C", copy=False).tobytes()
        self._labels: bytearray | None = None  # as `_LABEL`, by row and output, from the first label on

    @property
    def rows(self) -> NDArray[np.float64]:
        """Its predictions, shape `(n, k)`; they cannot be written to."""
        return np.frombuffer(self._data).reshape(-1, self._columns)

    def row(self, number: int) -> NDArray[np.float64]:
        """One of its rows."""
        return np.frombuffer(self._data, count=self._columns, offset=_VALUE_BYTES * self._columns * number)

    @property
    def row_count(self) -> int:
        """How many rows it has."""
        rows: int = len(self._data) // (_VALUE_BYTES * self._columns)
        return rows

    @property
    def labelled_rows(self) -> int:
        """How many rows have a label of at least one output."""
        if self._labels is None:
            return 0
        states = np.frombuffer(self._labels, np.uint8).reshape(self.row_count, -1, _LABEL.size)[:, :, 0]
        return int(np.count_nonzero(states.any(axis=1)))

    def is_same(self, response: WaitingResponse, layout: LabelLayout) -> bool:
        """Whether it is this very response."""
        return (
            self.layout.schema == layout.schema
            and (self.digest, *self.aliases) == response.ids
            and self.time == response.time
            and self.rows.shape == response.rows.shape
            and self._data == response.rows.astype(np.float64, order="C", copy=False).tobytes()
        )

    def is_labelled(self, row: int) -> bool:
        """Whether a row has a label of at least one output."""
        if self._labels is None:
            return False
        first = self._place(row, 0)
        return any(self._labels[first : first + _LABEL.size * len(self.layout.outputs) : _LABEL.size])

    def label(self, row: int, output: int) -> RowLabel:
        """The label of an output of a row; its value is meaningless if there is none."""
        if self._labels is None:
            return _NO_LABEL
        state, value = _LABEL.unpack_from(self._labels, self._place(row, output))
        return RowLabel(_STATES[state], value)

    def set_label(self, row: int, output: int, label: RowLabel) -> None:
        """Set the label of an output of a row."""
        if self._labels is None:
            self._labels = bytearray(_LABEL.size * self.row_count * len(self.layout.outputs))
        _LABEL.pack_into(self._labels, self._place(row, output), label.state, label.value)

    def _place(self, row: int, output: int) -> int:
        return _LABEL.size * (row * len(self.layout.outputs) + output)


class Unit(NamedTuple):
    """A label that is judged, which is one row of outcomes."""

    waiting: Waiting
    row: int
    output: int
    value: float


@dataclass(slots=True)
class MemorySlice:
    """The responses with the smallest digests, and what is counted of all.

    Args:
        responses: By the first digest.
        threshold: The smallest score of those that had to leave, from which on none is kept; `None` if none had to.
        left_out: Responses that were left out.
        rows: Rows of those that are kept.
        labelled_rows: Of these, how many have a label.
        bytes: What the responses that are kept count.
    """

    responses: dict[int, Waiting] = field(default_factory=dict)
    threshold: int | None = None
    left_out: int = 0
    rows: int = 0
    labelled_rows: int = 0
    bytes: int = 0
    _aliases: dict[int, int] = field(default_factory=dict)
    _heap: list[int] | None = None  # of negative digests, from the time on when the slice is full

    def is_beyond(self, digest: int) -> bool:
        """Whether responses of this digest are not kept."""
        return self.threshold is not None and score(digest) >= self.threshold

    def has(self, response: WaitingResponse, layout: LabelLayout) -> bool:
        """Whether this very response waits already."""
        known = self.responses.get(response.ids[0])
        return known is not None and known.is_same(response, layout)

    @property
    def has_aliases(self) -> bool:
        """Whether a response has further ids."""
        return bool(self._aliases)

    def find(self, digest: int) -> Waiting | None:
        """The response with this id, the newest one if it is the first id of one and a further id of another."""
        own, other = self.responses.get(digest), self.responses.get(self._aliases.get(digest, -1))
        return other if own is None or (other is not None and other.time > own.time) else own

    def add(self, response: WaitingResponse, layout: LabelLayout) -> None:
        """Keep a copy of a response whose digest is not among those that wait."""
        digest = response.ids[0]
        self.responses[digest] = Waiting(response, layout)
        self._aliases |= dict.fromkeys(response.ids[1:], digest)
        if self._heap is not None:
            heapq.heappush(self._heap, -digest)
        self.rows += len(response.rows)
        self.bytes += counted_bytes(response)

    def drop(self, digest: int) -> Waiting:
        """Remove a response."""
        waiting = self.responses.pop(digest)
        for alias in waiting.aliases:
            if self._aliases.get(alias) == digest:
                del self._aliases[alias]
        self.rows -= waiting.row_count
        self.labelled_rows -= waiting.labelled_rows
        self.bytes -= counted_bytes(WaitingResponse((digest, *waiting.aliases), waiting.time, waiting.rows))
        # Digests that were removed stay in the heap for a while.
        if self._heap is not None and len(self._heap) > 2 * len(self.responses) + 16:
            self._heap = None
        return waiting

    def largest(self) -> int:
        """The largest digest of those that wait, at least one."""
        if self._heap is None:
            self._heap = [-one for one in self.responses]
            heapq.heapify(self._heap)
        while -self._heap[0] not in self.responses:
            heapq.heappop(self._heap)
        return -self._heap[0]

    def counts(self, start: float, end: float) -> Slice:
        """What is known of the slice."""
        return Slice(start, end, len(self.responses), self.left_out, self.rows, self.labelled_rows)


def outcome_rows(units: Sequence[Unit]) -> NDArray[np.float64]:
    """The rows of outcomes of some labels: predictions, then the labels of all outputs, of which each row has one."""
    layout = units[0].waiting.layout
    width = len(layout.predictions)
    rows = np.full((len(units), width + len(layout.outputs)), np.nan)
    for index, unit in enumerate(units):
        rows[index, :width] = unit.waiting.row(unit.row)
        rows[index, width + unit.output] = unit.value
    return rows
