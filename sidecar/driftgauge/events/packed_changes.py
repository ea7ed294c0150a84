"""The form of the changes of a model in a store: a line with name and version, then JSON. A store is untrusted."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from pydantic import ConfigDict, TypeAdapter

from driftgauge.events.model_changes import (
    EVENT_TYPES,
    MAX_KNOWN,
    MAX_PENDING,
    ChangeLimits,
    Known,
    ModelChanges,
    PendingEvent,
)
from driftgauge.events.verdicts import VerdictKey
from driftgauge.inference.payload import ModelKey

_HEAD: Final = b"driftgauge-events 1\n"

_MAX_BYTES: Final = 4 * 1024 * 1024
"""Longest form: twice what as many events as may wait can have."""

_LATEST_TIME: Final = 2.0**37
"""Beyond every time that a clock has: the year 6325."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """What is saved.

    Args:
        known: What is known of each series, with its key.
        pending: The events that wait.
    """

    known: tuple[tuple[VerdictKey, Known], ...]
    pending: tuple[PendingEvent, ...]


def pack_changes(changes: ModelChanges) -> bytes:
    """The changes as bytes."""
    return _HEAD + _adapter().dump_json((_Packed(known=tuple(changes.known.items()), pending=tuple(changes.pending)),))


def unpack_changes(model: ModelKey, limits: ChangeLimits, blob: bytes) -> ModelChanges:
    """Read what `pack_changes` returned.

    Raises:
        ValueError: It is of another version of driftgauge, damaged, or something else.
    """
    if not blob.startswith(_HEAD) or len(blob) > _MAX_BYTES:
        raise ValueError("these are no changes of driftgauge")
    packed = _adapter().validate_json(blob[len(_HEAD) :])[0]
    if len(packed.known) > MAX_KNOWN or len(packed.pending) > MAX_PENDING:
        raise ValueError("more changes than are kept")
    if not all(one.type in EVENT_TYPES for one in packed.pending):
        raise ValueError("an event of another type")
    if not all(math.isfinite(one) and 0 <= one < _LATEST_TIME for one in _times(packed)):
        raise ValueError("no clock has such a time")
    return ModelChanges(model, limits, dict(packed.known), packed.pending)


def _times(packed: _Packed) -> Iterable[float]:
    for _, known in packed.known:
        yield from (known.since, known.announced_due, known.newest_due)
    for event in packed.pending:
        yield from (event.time, event.due)


@cache
def _adapter() -> TypeAdapter[tuple[_Packed]]:
    return TypeAdapter(tuple[_Packed], config=ConfigDict(ser_json_inf_nan="constants"))
