"""The store of half pairs in this process's memory: for one replica."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sidecar.payload import Kind
from sidecar.storage.pairs import Arrival, Half, Met


@dataclass(slots=True)
class _Pair:
    """What is known of one key; a time is kept as its exact text, as in Redis.

    Args:
        changed: Clock reading of the last change, in seconds.
        alone: The half that waits, at most one.
        completed: Both halves of the newest completed pair, or none.
    """

    changed: float
    alone: dict[Kind, str] = field(default_factory=dict)
    completed: dict[Kind, str] = field(default_factory=dict)

    def put(self, kind: Kind, time: str) -> Met:
        """Take in one half and say what it met."""
        if time in (self.alone.get(kind), self.completed.get(kind)):
            return Met(Arrival.DUPLICATE)
        other = Kind.REQUEST if kind is Kind.RESPONSE else Kind.RESPONSE
        if other in self.alone:
            self.completed = {kind: time, other: self.alone.pop(other)}
            return Met(Arrival.COMPLETED, float(self.completed[other]))
        displaced = kind in self.alone
        self.alone[kind] = time
        return Met(Arrival.FIRST, displaced=displaced)


class MemoryPairs:
    """A `PairStore` in memory.

    Args:
        ttl_seconds: A half is remembered for twice as long after its key last changed, so that who
            asks for it after `ttl_seconds` still finds the answer.
        capacity: Keys that are remembered, at least 1; beyond, the one unchanged for longest goes.
        clock: Seconds from any start, never going backwards.
    """

    def __init__(self, ttl_seconds: float, capacity: int, clock: Callable[[], float]) -> None:
        self._ttl_seconds = ttl_seconds
        self._capacity = capacity
        self._clock = clock
        self._pairs: OrderedDict[str, _Pair] = OrderedDict()

    async def put(self, halves: Sequence[Half]) -> list[Met]:
        """Store halves, in order, and say of each what it met."""
        now = self._clock()
        self._expire(now)
        return [self._put(half, now) for half in halves]

    async def unpaired(self, halves: Sequence[Half]) -> int:
        """How many of these halves are still alone or forgotten."""
        self._expire(self._clock())
        return sum(self._is_unpaired(half) for half in halves)

    async def close(self) -> None:
        """Forget all halves."""
        self._pairs.clear()

    def _put(self, half: Half, now: float) -> Met:
        pair = self._pairs.setdefault(half.key, _Pair(now))
        met = pair.put(half.kind, repr(half.time))
        if met.arrival is not Arrival.DUPLICATE:
            pair.changed = now
            self._pairs.move_to_end(half.key)
        while len(self._pairs) > self._capacity:
            self._pairs.popitem(last=False)
        return met

    def _is_unpaired(self, half: Half) -> bool:
        pair = self._pairs.get(half.key)
        return pair is None or pair.alone.get(half.kind) == repr(half.time)

    def _expire(self, now: float) -> None:
        while self._pairs and next(iter(self._pairs.values())).changed + 2 * self._ttl_seconds <= now:
            self._pairs.popitem(last=False)
