"""A real pair store whose calls fail as they do over a network: before, in the middle of, or after their work."""

from collections.abc import Iterator, Sequence
from enum import Enum

from driftgauge.errors import StorageError
from driftgauge.storage.pairs import Arrival, Half, PairStore, PutResult


class Failure(Enum):
    """When a call fails."""

    NEVER = 0
    BEFORE = 1
    HALF_WAY = 2
    AFTER = 3


class FailingPairs:
    """A store over a network that fails.

    Args:
        store: Does the work.
        failures: When each call fails, in order; calls after the last one do not fail.
        error: What a failed call raises.
    """

    def __init__(
        self, store: PairStore, failures: Iterator[Failure], error: Exception | type[Exception] = StorageError
    ) -> None:
        self._store = store
        self._failures = failures
        self._error = error
        self._unseen = False
        self._unknown = 0
        self.results: list[PutResult] = []

    @property
    def duplicates(self) -> int:
        """How many halves were duplicates, of those whose result arrived."""
        return sum(result.arrival is Arrival.DUPLICATE for result in self.results)

    @property
    def completed(self) -> int:
        """How many pairs were completed, of those whose result arrived."""
        return sum(result.arrival is Arrival.COMPLETED for result in self.results)

    def recover(self) -> None:
        """Fail no more."""
        self._failures = iter(())

    async def put(self, halves: Sequence[Half], *, again: bool = False) -> list[PutResult]:
        """Put all halves, or some, or none."""
        failure, again = self._begin(again=again)
        results = await self._store.put(self._reached(halves, failure), again=again)
        self._end(failure)
        self.results.extend(results)
        return results

    async def remove(self, halves: Sequence[Half], *, again: bool = False) -> int:
        """Remove all halves, or some, or none."""
        failure, again = self._begin(again=again)
        self._unknown = await self._store.remove(self._reached(halves, failure), again=again)
        self._end(failure)
        number, self._unknown = self._unknown, 0
        return number

    def forget(self, halves: Sequence[Half]) -> int:
        """Forget halves, which needs no network; those whose removal failed afterwards are open as far as is known."""
        unknown, self._unknown = self._unknown, 0
        return unknown + self._store.forget(halves)

    def _begin(self, *, again: bool) -> tuple[Failure, bool]:
        """When this call fails, and whether the store has seen it before."""
        failure = next(self._failures, Failure.NEVER)
        if failure is Failure.BEFORE:
            self._unseen = self._unseen or not again
            raise self._error
        again, self._unseen = again and not self._unseen, False
        return failure, again

    def _end(self, failure: Failure) -> None:
        if failure is not Failure.NEVER:
            raise self._error

    @staticmethod
    def _reached(halves: Sequence[Half], failure: Failure) -> Sequence[Half]:
        """The halves that reach the store before the call fails."""
        return halves[: len(halves) // 2] if failure is Failure.HALF_WAY else halves
