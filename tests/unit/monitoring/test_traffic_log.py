"""The form in which a revision's traffic is in the store."""

import orjson
import pytest

from driftgauge.drift.canary.traffic_counts import LATENCY_BOUNDS, TrafficSlot
from driftgauge.monitoring.traffic_log import KEPT_SLOTS, TrafficLog, pack_log, unpack_log

SLOT = TrafficSlot(7, 10, 2, ((3, 4), (5, 6)))


def test_additions_of_two_writers_are_summed_slot_by_slot() -> None:
    """Slots are in order, whoever came first; the numbers of the additions are remembered."""
    log = TrafficLog().with_addition("a", 1, [SLOT]).with_addition("b", 4, [TrafficSlot(6, 1, 0), SLOT])

    assert log.slots == (TrafficSlot(6, 1, 0), TrafficSlot(7, 20, 4, ((3, 8), (5, 12))))
    assert log.additions == {"a": 1, "b": 4}


def test_a_log_is_bounded_in_slots_and_writers() -> None:
    """The newest stay: an hour of slots, and the writers that added last."""
    log = TrafficLog().with_addition("a", 1, [TrafficSlot(slot, 1, 0) for slot in range(KEPT_SLOTS + 5)])
    for number in range(250):
        log = log.with_addition(f"w{number}", 1, [])
    log = log.with_addition("w60", 2, []).with_addition("late", 1, [])

    assert (5, KEPT_SLOTS) == (log.slots[0].slot, len(log.slots))
    assert len(log.additions) == 200
    assert ("w60", 2) in log.additions.items()
    assert "a" not in log.additions
    assert "w50" not in log.additions


def test_a_log_is_read_as_it_was_written() -> None:
    """With its latencies and writers."""
    log = TrafficLog().with_addition("a", 3, [SLOT, TrafficSlot(8, 1, 1)])

    assert unpack_log(pack_log(log)) == log


@pytest.mark.parametrize(
    "slot",
    [
        [1, -1, 0, []],
        [1, 2**31, 0, []],
        [1, 1.5, 0, []],
        [1, 1, "0", []],
        [1, 1, 0, [[-1, 1]]],
        [1, 1, 0, [[len(LATENCY_BOUNDS) + 1, 1]]],
        [1, 1, 0, [[1, -1]]],
        [1, 1, 0, [1]],
        ["x", 1, 0, []],
        [1, 1],
        None,
    ],
)
def test_a_slot_that_is_none_makes_the_log_empty(slot: object) -> None:
    """Counts of another build, or of anyone who can write to the store."""
    good = [1, 1, 0, []]

    assert unpack_log(orjson.dumps({"slots": [good], "additions": {}})).slots == (TrafficSlot(1, 1, 0),)
    assert unpack_log(orjson.dumps({"slots": [good, slot], "additions": {}})) == TrafficLog()


@pytest.mark.parametrize(
    "blob", [b"", b"{", b"[]", b"{}", b'{"slots": []}', b'{"slots": [], "additions": []}', b"\xff"]
)
def test_other_bytes_are_an_empty_log(blob: bytes) -> None:
    """A comparison begins again rather than fails."""
    assert unpack_log(blob) == TrafficLog()
