"""One slice of the responses that wait for labels, in memory: columns, so that a response is no object of its own."""

import struct
from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from driftgauge.storage.label_slices import counted_bytes, score
from driftgauge.storage.labels import LabelLayout, Slice, StoredLabel, WaitingResponse
from driftgauge.storage.memory_sample import SliceCopy


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


class Unit(NamedTuple):
    """A label that is judged, which is one row of outcomes.

    Args:
        layout: That of the response.
        digest: The first id of the response.
        time: When it passed, in seconds since the epoch.
        row: The row of the response.
        predictions: The values of the row, as bytes of float64.
        output: Index of the output.
        value: The label.
    """

    layout: LabelLayout
    digest: int
    time: float
    row: int
    predictions: bytes
    output: int
    value: float


@final
class MemorySlice:
    """The responses with the smallest digests, and what is counted of all.

    A response has a *place*, an index into the columns, for as long as it waits: some 210 bytes in all if it has one
    row and one output, with its label. None of it is an object that the garbage collector follows.

    Attributes:
        threshold: The smallest score of those that had to leave, from which on none is kept; `None` if none had to.
        left_out: Responses that were left out.
        rows: Rows of those that are kept.
        labelled_rows: Of these, how many have a label.
        bytes: What the responses that are kept count.
    """

    def __init__(self) -> None:
        self.threshold: int | None = None
        self.left_out = self.rows = self.labelled_rows = self.bytes = 0
        self._places: dict[int, int] = {}
        self._aliases: dict[int, int] = {}  # the first digest of each further one
        self._further: dict[int, tuple[int, ...]] = {}  # by place
        self._free: list[int] = []
        self._known_layouts: dict[str, int] = {}  # by schema
        self._used_layouts: list[LabelLayout] = []
        self._digests = array("Q")
        self._times = array("d")
        self._layouts = array("I")
        self._values: list[bytes] = []
        self._states = array("B")  # of responses with one row and one output, and their labels
        self._label_values = array("d")
        self._labels: dict[int, bytearray] = {}  # of all others, by place: as `_LABEL`, by row and output
        self._order: array[int] | None = None  # the digests by size, from the time on when the slice is full

    def __len__(self) -> int:
        """How many responses are kept."""
        return len(self._places)

    def is_beyond(self, digest: int) -> bool:
        """Whether responses of this digest are not kept."""
        return self.threshold is not None and score(digest) >= self.threshold

    def has(self, response: WaitingResponse, layout: LabelLayout) -> bool:
        """Whether this very response waits already."""
        place = self._places.get(response.ids[0])
        return (
            place is not None
            and self.layout(place).schema == layout.schema
            and self._further.get(place, ()) == response.ids[1:]
            and self._times[place] == response.time
            and self._values[place] == _bytes_of(response)
        )

    @property
    def has_aliases(self) -> bool:
        """Whether a response has further ids."""
        return bool(self._aliases)

    def find(self, digest: int) -> int | None:
        """The place of the response with this id, the newest one if one has it first and another further on."""
        own = self._places.get(digest)
        if not self._aliases or digest not in self._aliases:
            return own
        other = self._places.get(self._aliases[digest])
        return other if own is None or (other is not None and self._times[other] > self._times[own]) else own

    def keeps(self, digest: int) -> bool:
        """Whether a response with this first digest waits."""
        return digest in self._places

    def place(self, digest: int) -> int:
        """The place of the response with this first digest, which waits."""
        return self._places[digest]

    def add(self, response: WaitingResponse, layout: LabelLayout) -> None:
        """Keep a copy of a response whose digest is not among those that wait."""
        digest = response.ids[0]
        known = self._known_layouts.setdefault(layout.schema, len(self._used_layouts))
        if known == len(self._used_layouts):
            self._used_layouts.append(layout)
        place = self._add_place(digest, response.time, known, _bytes_of(response))
        self._places[digest] = place
        if len(response.ids) > 1:
            self._further[place] = response.ids[1:]
            self._aliases |= dict.fromkeys(response.ids[1:], digest)
        if self._order is not None:
            insort(self._order, digest)
        self.rows += len(response.rows)
        self.bytes += counted_bytes(len(response.ids), len(response.rows), response.rows.nbytes)

    def drop(self, digest: int) -> float:
        """Remove a response. Returns its time."""
        place = self._places.pop(digest)
        further = self._further.pop(place, ())
        for alias in further:
            if self._aliases.get(alias) == digest:
                del self._aliases[alias]
        rows = self.row_count(place)
        self.rows -= rows
        self.labelled_rows -= self._labelled_rows(place)
        self.bytes -= counted_bytes(1 + len(further), rows, len(self._values[place]))
        if self._order is not None:
            del self._order[bisect_left(self._order, digest)]
        self._values[place], self._states[place] = b"", RowState.NONE
        self._labels.pop(place, None)
        self._free.append(place)
        return self._times[place]

    def largest(self) -> int:
        """The largest digest of those that wait, at least one."""
        if self._order is None:
            self._order = array("Q", np.sort(np.fromiter(self._places, np.uint64, len(self._places))).tobytes())
        return self._order[-1]

    def counts(self, start: float, end: float) -> Slice:
        """What is known of the slice."""
        return Slice(start, end, len(self._places), self.left_out, self.rows, self.labelled_rows)

    def layout(self, place: int) -> LabelLayout:
        """The layout of a response."""
        return self._used_layouts[self._layouts[place]]

    def time(self, place: int) -> float:
        """When a response passed, in seconds since the epoch."""
        return self._times[place]

    def digest(self, place: int) -> int:
        """The first id of a response."""
        return self._digests[place]

    def row_count(self, place: int) -> int:
        """How many rows a response has."""
        return len(self._values[place]) // (_VALUE_BYTES * len(self.layout(place).predictions))

    def take_label(self, place: int, label: StoredLabel, state: RowState) -> RowLabel | None:
        """Take the label of an output of a row, with its state, unless there is one. Returns that one.

        Args:
            place: That of the response.
            label: Of a row and an output that the response has.
            state: What the label is from now on.
        """
        outputs, rows = len(self.layout(place).outputs), self.row_count(place)
        if rows * outputs == 1:
            if self._states[place]:
                return RowLabel(_STATES[self._states[place]], self._label_values[place])
            self._states[place], self._label_values[place] = state, label.value
            self.labelled_rows += 1
            return None
        labels = self._labels.get(place)
        if labels is None:
            labels = self._labels[place] = bytearray(_LABEL.size * rows * outputs)
        row = _LABEL.size * label.row * outputs
        at = row + _LABEL.size * label.output
        if labels[at]:
            known, value = _LABEL.unpack_from(labels, at)
            return RowLabel(_STATES[known], value)
        self.labelled_rows += outputs == 1 or not any(labels[row : row + _LABEL.size * outputs : _LABEL.size])
        _LABEL.pack_into(labels, at, state, label.value)
        return None

    def label(self, place: int, row: int, output: int) -> RowLabel:
        """The label of an output of a row; its value is meaningless if there is none."""
        labels = self._labels.get(place)
        if labels is None:
            state = self._states[place]
            return RowLabel(_STATES[state], self._label_values[place]) if state else _NO_LABEL
        state, value = _LABEL.unpack_from(labels, _LABEL.size * (row * len(self.layout(place).outputs) + output))
        return RowLabel(_STATES[state], value)

    def set_label(self, place: int, row: int, output: int, label: RowLabel) -> None:
        """Set the label of an output of a row, which has one."""
        labels = self._labels.get(place)
        if labels is None:
            self._states[place], self._label_values[place] = label.state, label.value
            return
        outputs = len(self.layout(place).outputs)
        _LABEL.pack_into(labels, _LABEL.size * (row * outputs + output), label.state, label.value)

    def unit(self, place: int, row: int, output: int, value: float) -> Unit:
        """A label of an output of a row, as one that is judged."""
        layout = self.layout(place)
        size = _VALUE_BYTES * len(layout.predictions)
        predictions = self._values[place][size * row : size * (row + 1)]
        return Unit(layout, self._digests[place], self._times[place], row, predictions, output, value)

    def copy(self, schema: str) -> SliceCopy:
        """A copy of what a sample needs; takes 0.1 ms for 20,000 responses.

        Args:
            schema: That of the wanted layout.
        """
        times = np.array(self._times)
        times[self._free] = np.nan
        fit = np.array(self._layouts, np.int64) == self._known_layouts.get(schema, -1)
        return SliceCopy(np.array(self._digests, np.uint64), times, fit, self._values[:])

    def _add_place(self, digest: int, time: float, layout: int, values: bytes) -> int:
        """Take a free place, or add one."""
        if self._free:
            place = self._free.pop()
            self._digests[place], self._times[place], self._layouts[place] = digest, time, layout
            self._values[place] = values
            return place
        self._digests.append(digest)
        self._times.append(time)
        self._layouts.append(layout)
        self._values.append(values)
        self._states.append(RowState.NONE)
        self._label_values.append(0.0)
        return len(self._values) - 1

    def _labelled_rows(self, place: int) -> int:
        """How many rows of a response have a label of at least one output."""
        labels = self._labels.get(place)
        if labels is None:
            return int(self._states[place] != RowState.NONE)
        states = np.frombuffer(labels, np.uint8).reshape(self.row_count(place), -1, _LABEL.size)[:, :, 0]
        return int(np.count_nonzero(states.any(axis=1)))


def outcome_rows(units: Sequence[Unit]) -> NDArray[np.float64]:
    """The rows of outcomes of some labels: predictions, then the labels of all outputs, of which each row has one."""
    layout = units[0].layout
    width = len(layout.predictions)
    rows = np.full((len(units), width + len(layout.outputs)), np.nan)
    rows[:, :width] = np.frombuffer(b"".join(unit.predictions for unit in units)).reshape(len(units), width)
    rows[np.arange(len(units)), [width + unit.output for unit in units]] = [unit.value for unit in units]
    return rows


def _bytes_of(response: WaitingResponse) -> bytes:
    return response.rows.astype(np.float64, order="C", copy=False).tobytes()
