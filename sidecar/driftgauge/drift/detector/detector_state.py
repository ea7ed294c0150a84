"""The detector's memory of a stream, and its form in a store."""

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.ledger import CountedRows

Floats = NDArray[np.float64]

_NUMBERS = ("key", "number", "rows", "time", "began", "requests", "ledger")
"""The fields that are no arrays."""

_MOST_ROWS = 2**53
"""Counts beyond are those of no stream: a row each microsecond for 285 years."""

_TYPES = {
    "log_evidence": "<f4",
    "correlation": "<f4",
    "spans": "<f4",
    "rhythm": "<f4",
    "risen_at": "<i8",
    "leader": "<i8",
}
"""How arrays are stored, where it is not as float64."""

_AXES = {"log_evidence": 2, "recovery": 2, "raised": 2, "correlation": 2, "spans": 3, "rhythm": 2}
"""The number of axes of arrays, where it is not 1."""

_OTHER_LINES = frozenset({"correlation", "spans", "rhythm"})
"""The arrays whose first axis is not that of features, or may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectorState:
    """All that the detector remembers of the past rows.

    Args:
        key: Identifies the reference and the bets; of a state with another key only the ledger can be used.
        number: The number of the newest row that was fed; 0 before the first. The detector counts the rows that it is
            fed, whatever numbers a store gives them.
        rows: Rows fed since the last start.
        time: When rows were last fed, seconds since the epoch; 0 before the first.
        began: When rows were first fed, seconds since the epoch; 0 before the first.
        requests: Requests that `spans` has, those of the reference included.
        log_evidence: Shape `(d, b)`: the log of the evidence of each bet of each feature, in seconds; minus infinity
            at the start.
        since: Shape `(d,)`: when the feature's alarm began, seconds since the epoch; NaN without alarm.
        risen_at: Shape `(d,)`, int64: the number of the newest row when the evidence was last low.
        leader: Shape `(d,)`, int64: the bet that had the most evidence when the alarm began.
        alarm_factor: Shape `(d,)`: the factor of that bet's score then; infinity if it had been known for a day.
        half_gain: Shape `(d,)`: half of what it gained on average of a row since the evidence rose.
        recovery: Shape `(d, 4)`: the log of the bets against a lasting change; 0 without alarm.
        raised: Shape `(d, 2)`: 1 where a window's test alarmed at the last look and has not recovered: of the values,
            and of missing ones.
        bounded_since: Shape `(d,)`: since when the dependence of the values has a bound, seconds since the epoch; NaN
            if it has none.
        alike_since: Shape `(d,)`: when it lost its bound, after a day with one; NaN if it did not.
        correlation: Shape `(SUMS, s)`: running sums of the correlation within requests, for the scores of all features.
        spans: Shape `(SUMS, SPANS, f)`, float32: running sums of dependence, for all measured scores.
        rhythm: Shape `(d, NUMBERS)`, float32: running sums of the values by hour; shape `(0, NUMBERS)` where the
            reference has times.
        ledger: How many rows of each writer of the stream are counted; none in a state of an earlier build.
    """

    key: str
    number: int
    rows: int
    time: float
    began: float
    requests: int
    log_evidence: Floats
    since: Floats
    risen_at: NDArray[np.int64]
    leader: NDArray[np.int64]
    alarm_factor: Floats
    half_gain: Floats
    recovery: Floats
    raised: Floats
    bounded_since: Floats
    alike_since: Floats
    correlation: Floats
    spans: NDArray[np.float32]
    rhythm: NDArray[np.float32]
    ledger: CountedRows = field(default_factory=dict)

    @property
    def latched(self) -> NDArray[np.bool_]:
        """Which features alarm: shape `(d,)`."""
        return ~np.isnan(self.since)


ARRAYS = tuple(one.name for one in fields(DetectorState) if one.name not in _NUMBERS)
"""The fields that are arrays, in the order in which they are stored."""


def pack(state: DetectorState, before: bytes = b"") -> bytes:
    """The state as bytes: what is to stand before it, a line of JSON, then the arrays, little-endian."""
    arrays = [getattr(state, name) for name in ARRAYS]
    head = {name: getattr(state, name) for name in _NUMBERS} | {"shapes": [array.shape for array in arrays]}
    parts = [
        np.ascontiguousarray(array, dtype=_TYPES.get(name, "<f8")).data
        for name, array in zip(ARRAYS, arrays, strict=True)
    ]
    first = orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)
    return b"".join([before, first, *parts])  # the arrays are copied once


def unpack(blob: bytes) -> DetectorState | None:
    """The state that was packed; `None` for anything else."""
    head, _, body = blob.partition(b"\n")
    try:
        facts = orjson.loads(head)
        shapes = [tuple(int(size) for size in shape) for shape in facts["shapes"]]
        arrays = _split(body, shapes)
        return DetectorState(
            key=str(facts["key"]),
            number=_count(facts["number"]),
            rows=_count(facts["rows"]),
            time=_time(facts["time"]),
            began=_time(facts["began"]),
            requests=_count(facts["requests"]),
            ledger={str(writer): _count(rows) for writer, rows in facts.get("ledger", {}).items()},
            **arrays,
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _count(value: object) -> int:
    """A number of rows.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int) or not 0 <= value <= _MOST_ROWS:
        raise ValueError(f"{value!r} is no number of rows")
    return value


def _time(value: object) -> float:
    """A time in seconds since the epoch.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no time")
    return float(value)


def _split(body: bytes, shapes: list[tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """The arrays of these shapes, one after the other.

    Raises:
        ValueError: The bytes are not as many as the shapes have, or a shape is not that of its array.
    """
    arrays, start = {}, 0
    for name, shape in zip(ARRAYS, shapes, strict=True):
        if len(shape) != _AXES.get(name, 1) or (name not in _OTHER_LINES and shape[0] != shapes[0][0]):
            raise ValueError(f"{name} has the shape {shape}")
        kind = np.dtype(_TYPES.get(name, "<f8"))
        size = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(body, dtype=kind, count=size, offset=start).reshape(shape)
        start += size * kind.itemsize
        arrays[name] = array.astype(
            np.float32 if name in {"spans", "rhythm"} else np.float64 if kind.kind == "f" else np.int64
        )
    if start != len(body):
        raise ValueError(f"{len(body)} bytes of arrays, {start} expected")
    return arrays
