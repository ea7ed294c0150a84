"""What is sent: inferences of unequal batches, and labels of them in any order, with what must become of each."""

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_SIZES: Final = (1, 1, 2, 3, 8, 20, 64)
"""Rows of the batches."""

_AGAIN, _CORRECTION, _UNKNOWN, _BEYOND, _UNREADABLE = 0.10, 0.05, 0.02, 0.01, 0.01
"""Shares of labels that come again, with another value, with an id that no inference has, with a row that the batch
lacks, and with no id. The others are the first ones of their rows."""

_WHOLE_SHARE: Final = 0.3
"""Share of the inferences whose first labels come in one JSON object."""

_GRADES: Final = 7

_NO_ID, _UNKNOWN_ID = -2, -1
_ALL_ROWS = -1

_WRONG_ROWS: Final = 5
"""Of so many rows one prediction is wrong."""

_FORMS: Final = 5
_CSV_FORMS: Final = 3
_TIMED: Final = 3
"""Of five labels, three come as CSV and two as JSON, and one of three says when its response passed."""

Integers = NDArray[np.int64]


class Labels(NamedTuple):
    """Labels in the order in which they are sent, one array element each; a whole batch is one element.

    Args:
        inference: Index of the inference; -1 if its id is unknown, -2 if the label has no id.
        row: The row; -1 for all rows of the batch.
        value: The grade of the first row, plus 1 for a correction.
    """

    inference: Integers
    row: Integers
    value: Integers


class Plan:
    """A reproducible plan.

    Args:
        labels: About how many labels are sent.
        seed: Of the random numbers.
    """

    def __init__(self, labels: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        again, correction, unknown, beyond, self.unreadable = (
            int(share * labels) for share in (_AGAIN, _CORRECTION, _UNKNOWN, _BEYOND, _UNREADABLE)
        )
        rows = labels - again - correction - unknown - beyond - self.unreadable
        drawn = self._random.choice(_SIZES, rows)
        self.sizes: Integers = drawn[: int(np.searchsorted(drawn.cumsum(), rows)) + 1]
        self.rows = int(self.sizes.sum())
        self.repeats = again + correction
        self.unknown, self.beyond = unknown, beyond
        self.labels = self._shuffled(again, correction)
        self._start = 0

    @property
    def readable(self) -> int:
        """Labels that are accepted."""
        return self.rows + self.repeats + self.unknown + self.beyond

    def _shuffled(self, again: int, correction: int) -> Labels:
        """All labels in random order."""
        inference = np.repeat(np.arange(len(self.sizes)), self.sizes)
        row = np.arange(self.rows) - np.repeat(self.sizes.cumsum() - self.sizes, self.sizes)
        whole = self._random.random(len(self.sizes)) < _WHOLE_SHARE
        single = ~whole[inference]
        chosen = self._random.integers(0, self.rows, again + correction)
        beyond = self._random.integers(0, len(self.sizes), self.beyond)
        nothing = np.repeat([_UNKNOWN_ID, _NO_ID], [self.unknown, self.unreadable])
        parts = [
            (np.flatnonzero(whole), np.full(int(whole.sum()), _ALL_ROWS), 0),
            (inference[single], row[single], 0),
            (inference[chosen[:again]], row[chosen[:again]], 0),
            (inference[chosen[again:]], row[chosen[again:]], 1),
            (beyond, self.sizes[beyond], 0),
            (nothing, np.arange(len(nothing)), 0),
        ]
        columns = [(of, which, grade(of, np.maximum(which, 0)) + more) for of, which, more in parts]
        all_of, all_rows, all_values = (np.concatenate(column) for column in zip(*columns, strict=True))
        order = self._random.permutation(len(all_of))
        return Labels(all_of[order], all_rows[order], all_values[order])


def grade(inference: Integers, row: Integers) -> Integers:
    """The true grade of rows."""
    return (inference * 5 + row * 3) % _GRADES + 3


def names(inference: int) -> tuple[str, str | None]:
    """The id of the event of an inference, and the id in the body of its response; V1 has none."""
    return f"event-{inference}", f"body-{inference}" if inference % 2 else None


def exchange(inference: int, rows: int) -> tuple[bytes, bytes]:
    """The bodies of a request and its response, of V1 and V2 by turns."""
    every = np.arange(rows)
    grades = (grade(np.full(rows, inference), every) + (every % _WRONG_ROWS == _WRONG_ROWS - 1)).tolist()
    own = names(inference)[1]
    if own is None:
        asked: dict[str, object] = {"instances": [{"alcohol": 9.0 + row % 5} for row in range(rows)]}
        return _json(asked), _json({"predictions": [{"quality": one} for one in grades]})
    tensor = {"name": "alcohol", "datatype": "FP64", "shape": [rows], "data": [9 + row % 5 for row in range(rows)]}
    output = {"name": "quality", "datatype": "INT64", "shape": [rows], "data": grades}
    return _json({"id": own, "inputs": [tensor]}), _json({"id": own, "model_name": "wine", "outputs": [output]})


class Body(NamedTuple):
    """A body of labels.

    Args:
        data: Its bytes.
        media_type: Its type.
    """

    data: bytes
    media_type: str


def bodies(labels: Labels, sizes: Integers, times: NDArray[np.float64]) -> Iterator[Body]:
    """The bodies of some labels: one of CSV, one of JSON lines with every form of a label.

    Args:
        labels: The labels.
        sizes: Rows of each inference.
        times: When each response passed; a third of the labels say so.
    """
    lines, objects = [], []
    for inference, row, value in zip(*(column.tolist() for column in labels), strict=True):
        event, body = names(inference) if inference >= 0 else (f"unknown-{row}", None)
        time = times[inference] if inference >= 0 and inference % _TIMED == 0 else None
        own = body if body is not None and row % 2 else event
        if inference == _NO_ID:
            objects.append({"label": value})
        elif row == _ALL_ROWS:
            objects.append(_whole(inference, own, int(sizes[inference])))
        elif inference % _FORMS < _CSV_FORMS:
            lines.append(f"{own},{row},{value},{'' if time is None else time}")
        else:
            objects.append({"id": own, "row": row, "label": value} | ({} if time is None else {"time": time}))
    if lines:
        yield Body("\n".join(["id,row,label,time", *lines, ""]).encode(), "text/csv")
    if objects:
        yield Body(b"\n".join(map(_json, objects)), "application/jsonl")


def _whole(inference: int, own: str, rows: int) -> dict[str, object]:
    """The labels of all rows of a batch: a list, or the response of V2 as it should have been."""
    grades = grade(np.full(rows, inference), np.arange(rows)).tolist()
    if inference % _FORMS < _CSV_FORMS:
        return {"id": own, "labels": grades}
    return {"id": own, "outputs": [{"name": "quality", "datatype": "INT64", "shape": [rows], "data": grades}]}


def _json(content: object) -> bytes:
    return json.dumps(content).encode()
