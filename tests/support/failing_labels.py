"""A real store of labels whose calls fail as they do over a network: before or after their work."""

import asyncio
from collections.abc import Container, Iterator, Sequence
from enum import Enum

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.labels import (
    LabelLayout,
    LabelStore,
    Match,
    Matured,
    Put,
    ResponseSample,
    Slice,
    StoredLabel,
    WaitingResponse,
)


class LabelFailure(Enum):
    """When a call fails."""

    NEVER = 0
    BEFORE = 1
    AFTER = 2
    BUG = 3
    """With an error that no one expects, before its work."""


class FailingLabels:
    """A store over a network that fails, for the calls that a matcher makes.

    Args:
        store: Does the work.
        failures: When each call fails, in order; calls after the last one do not fail.

    Attributes:
        hung: Calls of these models, once begun, never end until they are cancelled.
    """

    def __init__(self, store: LabelStore, failures: Iterator[LabelFailure]) -> None:
        self._store = store
        self.failures = failures
        self.hung: set[ModelKey] = set()
        self._unseen: set[tuple[str, ModelKey]] = set()

    async def put(
        self, model: ModelKey, layout: LabelLayout, responses: Sequence[WaitingResponse], *, again: bool = False
    ) -> Put:
        """Let responses wait."""
        await self._hang(model)
        return await self._store.put(model, layout, responses, again=again)

    async def slices(self, model: ModelKey) -> list[Slice]:
        """The slices that are not empty."""
        return await self._store.slices(model)

    async def sample(self, model: ModelKey, layout: LabelLayout, start: float, end: float, rows: int) -> ResponseSample:
        """A sample of the rows of responses."""
        return await self._store.sample(model, layout, start, end, rows)

    def retain(self, models: Container[ModelKey]) -> None:
        """Free memory."""
        self._store.retain(models)

    async def layout(self, model: ModelKey) -> LabelLayout | None:
        """The newest layout of a model."""
        await self._hang(model)
        failure = next(self.failures, LabelFailure.NEVER)
        if failure is LabelFailure.BUG:
            raise ZeroDivisionError
        if failure is not LabelFailure.NEVER:
            raise StorageError
        return await self._store.layout(model)

    async def match(
        self, model: ModelKey, layout: LabelLayout, labels: Sequence[StoredLabel], *, again: bool = False
    ) -> list[Match]:
        """Match labels."""
        await self._hang(model)
        failure, again = self._begin("match", model, again=again)
        results = await self._store.match(model, layout, labels, again=again)
        self._end(failure)
        return results

    async def mature(self, model: ModelKey, most: int | None = None, *, again: bool = False) -> Matured:
        """Judge rows that are old enough."""
        await self._hang(model)
        failure, again = self._begin("mature", model, again=again)
        matured = await self._store.mature(model, most, again=again)
        self._end(failure)
        return matured

    async def _hang(self, model: ModelKey) -> None:
        if model in self.hung:
            await asyncio.Event().wait()

    def _begin(self, call: str, model: ModelKey, *, again: bool) -> tuple[LabelFailure, bool]:
        """When this call fails, and whether the store has seen it before."""
        failure = next(self.failures, LabelFailure.NEVER)
        if failure is LabelFailure.BUG:
            raise ZeroDivisionError
        if failure is LabelFailure.BEFORE:
            if not again:
                self._unseen.add((call, model))
            raise StorageError
        seen = (call, model) not in self._unseen
        self._unseen.discard((call, model))
        return failure, again and seen

    @staticmethod
    def _end(failure: LabelFailure) -> None:
        if failure is not LabelFailure.NEVER:
            raise StorageError
