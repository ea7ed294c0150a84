"""A table in memory that is bounded in number and in time, and fair to the groups of its entries."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar, final

G = TypeVar("G", bound=Hashable)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

EXPIRED_A_CALL: Final = 512
"""Most entries that expire in one call: 1 ms."""


@final
class FairTable(Generic[G, K, V]):
    """Entries of several groups. When the table is full, the group with the most entries loses its oldest one.

    Example: a flood of events of one model displaces entries of that model, and not those of others.

    Args:
        capacity: Most entries of all groups together, at least 1.
        ttl_seconds: How long an entry is kept after it was put.
    """

    __slots__ = ("_capacity", "_groups", "_size", "_ttl_seconds")

    def __init__(self, capacity: int, ttl_seconds: float) -> None:
        self._capacity = capacity
        self._ttl_seconds = ttl_seconds
        self._groups: dict[G, OrderedDict[K, tuple[V, float]]] = {}
        self._size = 0

    def __len__(self) -> int:
        """The number of entries, including expired ones that were not removed yet."""
        return self._size

    def get(self, group: G, key: K, now: float) -> V | None:
        """The value of an entry; `None` if there is none, or if it has expired."""
        entries = self._groups.get(group)
        found = None if entries is None else entries.get(key)
        return found[0] if found is not None and found[1] > now else None

    def put(self, group: G, key: K, value: V, now: float) -> tuple[G, K, V] | None:
        """Add an entry, or replace it and restart its time. Returns the entry that had to go for it, if any."""
        entries = self._groups.get(group)
        if entries is None:
            entries = self._groups[group] = OrderedDict()
        if key in entries:
            entries.move_to_end(key)
        else:
            self._size += 1
        entries[key] = value, now + self._ttl_seconds
        return self._pop_oldest(self._largest(group)) if self._size > self._capacity else None

    def replace(self, group: G, key: K, value: V) -> None:
        """Replace the value of an entry, which keeps its place and its time; do nothing if there is none."""
        entries = self._groups.get(group)
        found = None if entries is None else entries.get(key)
        if entries is not None and found is not None:
            entries[key] = value, found[1]

    def pop(self, group: G, key: K) -> V | None:
        """Remove an entry. Returns its value; `None` if there is none."""
        entries = self._groups.get(group)
        found = None if entries is None else entries.pop(key, None)
        if entries is None or found is None:
            return None
        self._count_removal(group, entries)
        return found[0]

    def pop_expired(self, now: float, limit: int = EXPIRED_A_CALL) -> list[tuple[G, K, V]]:
        """Remove entries that have expired, at most `limit`. Returns them, the oldest of each group first."""
        expired: list[tuple[G, K, V]] = []
        for group, entries in list(self._groups.items()):
            while entries and len(expired) < limit and next(iter(entries.values()))[1] <= now:
                expired.append(self._pop_oldest(group))
        return expired

    def _largest(self, group: G) -> G:
        """A group that has more entries than its share: this one if that is true of it, else the largest one."""
        size = len(self._groups[group])
        if size > 1 and size * len(self._groups) >= self._capacity:
            return group
        return max(self._groups, key=lambda one: len(self._groups[one]))

    def _pop_oldest(self, group: G) -> tuple[G, K, V]:
        entries = self._groups[group]
        key, (value, _) = entries.popitem(last=False)
        self._count_removal(group, entries)
        return group, key, value

    def _count_removal(self, group: G, entries: OrderedDict[K, tuple[V, float]]) -> None:
        self._size -= 1
        if not entries:
            del self._groups[group]
