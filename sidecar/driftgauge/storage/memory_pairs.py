"""Halves of inferences in the memory of this process, for a deployment of one replica."""

from collections.abc import Callable, Sequence
from typing import Final, final

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.fair_table import FairTable
from driftgauge.storage.pairs import Arrival, Half, PutResult

_FIRST: Final = PutResult(Arrival.FIRST)
_DUPLICATE: Final = PutResult(Arrival.DUPLICATE)


@final
class _Pair:
    """The halves of one key. A time is kept as its exact decimal, as in Redis; an empty one is none.

    Attributes:
        alone: The time of the half that waits.
        alone_kind: Its kind.
        request: Time of the request of the newest completed pair.
        response: Time of its response.
    """

    __slots__ = ("alone", "alone_kind", "request", "response")

    def __init__(self) -> None:
        self.alone = ""
        self.alone_kind = Kind.REQUEST
        self.request = ""
        self.response = ""

    def put(self, kind: Kind, time: str) -> PutResult:
        """Add one half."""
        is_request, alone = kind is Kind.REQUEST, self.alone
        is_opposite = bool(alone) and self.alone_kind is not kind
        if time == (self.request if is_request else self.response) or (time == alone and not is_opposite):
            return _DUPLICATE
        if is_opposite:
            self.request, self.response = (time, alone) if is_request else (alone, time)
            self.alone = ""
            return PutResult(Arrival.COMPLETED, float(alone))
        self.alone, self.alone_kind = time, kind
        return PutResult(Arrival.FIRST, float(alone), replaced=True) if alone else _FIRST


@final
class MemoryPairs:
    """A `PairStore` in memory. Replicas that share one share the halves that are open.

    Args:
        ttl_seconds: A key expires after twice this time without a change, so that the other half still finds it after
            `ttl_seconds`.
        capacity: The most keys that are kept, at least 1. Beyond it, the model with the most keys loses the one that is
            unchanged for the longest time.
        clock: Monotonic time in seconds.
    """

    def __init__(self, ttl_seconds: float, capacity: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pairs: FairTable[ModelKey | None, str, _Pair] = FairTable(capacity, 2 * ttl_seconds)
        self._open: dict[tuple[str, Kind, str], int] = {}
        self._results: list[PutResult] = []
        self._counts: list[bool] = []

    async def put(self, halves: Sequence[Half], *, again: bool = False) -> list[PutResult]:
        """Store halves, in order."""
        now = self._clock()
        self._pairs.pop_expired(now)
        done = self._results if again else []
        self._results = [*done, *[self._put(half, now) for half in halves[len(done) :]]]
        return self._results

    async def remove(self, halves: Sequence[Half], *, again: bool = False) -> int:
        """Remove halves; returns how many of them were open."""
        now = self._clock()
        done = self._counts if again else []
        self._counts = [*done, *[self._remove(half, now) for half in halves[len(done) :]]]
        return sum(self._counts)

    def forget(self, halves: Sequence[Half]) -> int:
        """Forget halves; returns how many of them were open."""
        return sum([self._close((half.key, half.kind, repr(half.time))) for half in halves])

    def _put(self, half: Half, now: float) -> PutResult:
        key, kind, time, model = half
        text = repr(time)
        pair = self._pairs.get(model, key, now) or _Pair()
        waited = pair.alone
        result = pair.put(kind, text)
        if result.arrival is Arrival.DUPLICATE:
            return result
        self._pairs.put(model, key, pair, now)
        if result.arrival is Arrival.COMPLETED:
            self._close((key, Kind.REQUEST if kind is Kind.RESPONSE else Kind.RESPONSE, waited))
            return result
        if result.replaced:
            self._close((key, kind, waited))
        id_ = key, kind, text
        self._open[id_] = self._open.get(id_, 0) + 1
        return result

    def _remove(self, half: Half, now: float) -> bool:
        text = repr(half.time)
        was_open = self._close((half.key, half.kind, text))
        pair = self._pairs.get(half.model, half.key, now) if was_open else None
        if pair is not None and pair.alone == text and pair.alone_kind is half.kind:
            pair.alone = ""
        return was_open

    def _close(self, id_: tuple[str, Kind, str]) -> bool:
        """Note that a half is not open any more; returns whether it was."""
        number = self._open.get(id_, 0)
        if number > 1:  # its key was displaced or had expired, and it was put again
            self._open[id_] = number - 1
        elif number:
            del self._open[id_]
        return number > 0
