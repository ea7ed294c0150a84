"""Halves of inferences in the memory of this process, for a deployment of one replica."""

from collections.abc import Callable, Sequence
from typing import Final, final

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.fair_table import FairTable
from driftgauge.storage.pairs import Arrival, Half, PutResult

_FIRST: Final = PutResult(Arrival.FIRST)
_DUPLICATE: Final = PutResult(Arrival.DUPLICATE)

_NO_HALF: Final = "   "
"""A key without halves.

The halves of a key are a text of four parts: the time of the half that waits, its kind, and the times of the request
and of the response of the newest completed pair. Any part may be empty; a time is its exact decimal, as in Redis. There
may be 100,000 such texts: each takes less memory than an object, and the garbage collector does not visit it.
"""


def _put_half(halves: str, kind: Kind, time: str) -> tuple[str, PutResult]:
    """The halves of a key with one more, and what it was."""
    alone, kind_alone, request, response = halves.split(" ")
    is_request, is_opposite = kind is Kind.REQUEST, bool(alone) and kind_alone != kind
    if time == (request if is_request else response) or (time == alone and not is_opposite):
        return halves, _DUPLICATE
    if is_opposite:
        both = f"  {time} {alone}" if is_request else f"  {alone} {time}"
        return both, PutResult(Arrival.COMPLETED, float(alone))
    result = PutResult(Arrival.FIRST, float(alone), replaced=True) if alone else _FIRST
    return f"{time} {kind} {request} {response}", result


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
        self._pairs: FairTable[ModelKey | None, str, str] = FairTable(capacity, 2 * ttl_seconds)
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
        before = self._pairs.get(model, key, now) or _NO_HALF
        halves, result = _put_half(before, kind, text)
        if result.arrival is Arrival.DUPLICATE:
            return result
        self._pairs.put(model, key, halves, now)
        if result.arrival is Arrival.COMPLETED:
            self._close((key, Kind.REQUEST if kind is Kind.RESPONSE else Kind.RESPONSE, before[: before.index(" ")]))
            return result
        if result.replaced:
            self._close((key, kind, before[: before.index(" ")]))
        id_ = key, kind, text
        self._open[id_] = self._open.get(id_, 0) + 1
        return result

    def _remove(self, half: Half, now: float) -> bool:
        text = repr(half.time)
        was_open = self._close((half.key, half.kind, text))
        halves = self._pairs.get(half.model, half.key, now) if was_open else None
        if halves is not None and halves.startswith(f"{text} {half.kind} "):
            _, _, request, response = halves.split(" ")
            self._pairs.replace(half.model, half.key, f"  {request} {response}")
        return was_open

    def _close(self, id_: tuple[str, Kind, str]) -> bool:
        """Note that a half is not open any more; returns whether it was."""
        number = self._open.get(id_, 0)
        if number > 1:  # its key was displaced or had expired, and it was put again
            self._open[id_] = number - 1
        elif number:
            del self._open[id_]
        return number > 0
