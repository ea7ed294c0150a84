"""The form in which the traffic of a revision is in the store: the counts of the newest slots, and who has added to it.

A replica adds what it has counted since its last addition. If the store does not confirm an addition, the replica reads
the log again: the number of its newest addition shows whether it was made, so that nothing counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from driftgauge.drift.canary.traffic_counts import LATENCY_BOUNDS, TrafficSlot, merged

KEPT_SLOTS: Final = 360
"""Slots that are kept: those of an hour."""

_MOST_WRITERS: Final = 200
"""Writers that are remembered, the newest ones."""


@dataclass(frozen=True, slots=True)
class TrafficLog:
    """The traffic of one revision.

    Args:
        slots: In order.
        additions: Writer -> the number of its newest addition, the writer with the newest one last.
    """

    slots: tuple[TrafficSlot, ...] = ()
    additions: dict[str, int] = field(default_factory=dict)

    def with_addition(self, writer: str, number: int, new: Sequence[TrafficSlot]) -> "TrafficLog":
        """The log with what a writer has counted."""
        slots = {one.slot: one for one in self.slots}
        for one in new:
            slots[one.slot] = merged(slots[one.slot], one) if one.slot in slots else one
        newest = [slots[slot] for slot in sorted(slots)][-KEPT_SLOTS:]
        additions = {name: count for name, count in self.additions.items() if name != writer} | {writer: number}
        return TrafficLog(tuple(newest), dict(list(additions.items())[-_MOST_WRITERS:]))


def pack_log(log: TrafficLog) -> bytes:
    """The log as JSON."""
    slots = [[one.slot, one.requests, one.errors, one.latencies] for one in log.slots]
    return orjson.dumps({"slots": slots, "additions": log.additions})


def unpack_log(blob: bytes) -> TrafficLog:
    """The log that was packed; an empty one for anything else."""
    try:
        head = orjson.loads(blob)
        slots = [
            TrafficSlot(
                int(slot),
                _count(requests),
                _count(errors),
                tuple((_bucket(bucket), _count(count)) for bucket, count in latencies),
            )
            for slot, requests, errors, latencies in head["slots"][-KEPT_SLOTS:]
        ]
        return TrafficLog(tuple(slots), {str(name): int(number) for name, number in head["additions"].items()})
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return TrafficLog()


def _count(value: object) -> int:
    """A number of requests in one slot.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int) or not 0 <= value < 2**31:
        raise ValueError(f"{value!r} is no number of requests")
    return value


def _bucket(value: object) -> int:
    """The index of a bucket.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int) or not 0 <= value <= len(LATENCY_BOUNDS):
        raise ValueError(f"{value!r} is no bucket")
    return value
