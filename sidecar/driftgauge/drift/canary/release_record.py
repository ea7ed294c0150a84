"""All that is known of a canary and its stable revision, and its form in a store."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.canary.compared_rows import ComparedRows
from driftgauge.drift.canary.compared_traffic import SHIFTS, ComparedTraffic, no_traffic
from driftgauge.drift.canary.matched_requests import TILTS
from driftgauge.drift.canary.tilt_evidence import NULLS, TiltEvidence

Floats = NDArray[np.float64]

_FORMAT: Final = 2

ROWS: Final = ("inputs", "predictions", "losses")
"""What is compared row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseRecord:
    """What is known of a release.

    Args:
        began: When it was looked at first, in seconds since the epoch.
        looked: When it was looked at last.
        traffic: Errors and latencies.
        inputs: Rows of requests; `None` before the first ones.
        predictions: Rows of responses.
        losses: Losses of labelled predictions.
        keys: For each of these that is there, what its columns are; others make it begin again.
        numbers: Whether losses are absolute errors of numbers.
        labelled: The numbers of the newest labelled rows that were compared, of the canary and of the stable revision.
    """

    began: float
    looked: float
    traffic: ComparedTraffic = field(default_factory=no_traffic)
    inputs: ComparedRows | None = None
    predictions: ComparedRows | None = None
    losses: ComparedRows | None = None
    keys: dict[str, str] = field(default_factory=dict)
    numbers: bool = False
    labelled: tuple[int, int] = (0, 0)


def pack_release(record: ReleaseRecord) -> bytes:
    """The record as bytes: a line of JSON, then the arrays, little-endian."""
    arrays: list[Floats] = []
    traffic = {one.name: _packed(getattr(record.traffic, one.name), arrays) for one in fields(ComparedTraffic)}
    rows = {}
    for name in ROWS:
        part = getattr(record, name)
        if part is not None:
            rows[name] = {one.name: _packed(getattr(part, one.name), arrays) for one in fields(ComparedRows)}
    head = {"format": _FORMAT, "began": record.began, "looked": record.looked, "traffic": traffic, "rows": rows}
    head |= {
        "keys": record.keys,
        "numbers": record.numbers,
        "labelled": record.labelled,
        "sizes": [one.size for one in arrays],
    }
    body = [np.ascontiguousarray(one, dtype="<f8").tobytes() for one in arrays]
    return b"".join([orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE), *body])


def unpack_release(blob: bytes) -> ReleaseRecord | None:
    """The record that was packed; `None` for anything else, such as one of another build."""
    line, _, body = blob.partition(b"\n")
    try:
        head = orjson.loads(line)
        if head["format"] != _FORMAT:
            return None
        values, arrays, start = np.frombuffer(body, dtype="<f8").astype(np.float64), [], 0
        for size in head["sizes"]:
            arrays.append(values[start : start + int(size)])
            start += int(size)
        if start != values.size:
            return None
        rows = {name: _rows(head["rows"][name], arrays) for name in ROWS if name in head["rows"]}
        return ReleaseRecord(
            float(head["began"]),
            float(head["looked"]),
            _traffic(head["traffic"], arrays),
            rows.get("inputs"),
            rows.get("predictions"),
            rows.get("losses"),
            dict(head["keys"]),
            bool(head["numbers"]),
            _pair(head["labelled"]),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _packed(value: object, arrays: list[Floats]) -> object:
    """A field as JSON, in which arrays are indexes in the list, to which they are added."""
    if isinstance(value, TiltEvidence):
        return {one.name: _packed(getattr(value, one.name), arrays) for one in fields(TiltEvidence)}
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return len(arrays) - 1
    return None if value == -math.inf else value


def _evidence(head: dict[str, Any], arrays: list[Floats]) -> TiltEvidence:
    shape = (-1, TILTS.size)
    likelihoods = arrays[head["likelihoods"]].reshape(shape)
    past, gain = (arrays[head[name]].reshape(NULLS, *likelihoods.shape) for name in ("past", "gain"))
    first, second = map(float, head["peaks"])
    return TiltEvidence(likelihoods, past, gain, int(head["minute"]), (first, second))


def _rows(head: dict[str, Any], arrays: list[Floats]) -> ComparedRows:
    return ComparedRows(
        _evidence(head["evidence"], arrays),
        -math.inf if head["until"] is None else float(head["until"]),
        _pair(head["requests"]),
        _pair(head["rows"]),
        arrays[head["sums"]].reshape(2, -1),
        tuple(tuple(map(float, one)) for one in head["categories"]),
    )


def _traffic(head: dict[str, Any], arrays: list[Floats]) -> ComparedTraffic:
    return ComparedTraffic(
        _evidence(head["errors"], arrays),
        _evidence(head["latency"], arrays),
        arrays[head["shifts"]].reshape(len(SHIFTS), TILTS.size),
        int(head["slot"]),
        _pair(head["requests"]),
        _pair(head["failed"]),
        _pair(head["timed"]),
        float(head["log_ratio"]),
        float(head["weight"]),
        float(head["usual_failed"]),
        float(head["usual_requests"]),
    )


def _pair(value: Any) -> tuple[int, int]:  # noqa: ANN401 - of JSON
    first, second = value
    return int(first), int(second)
