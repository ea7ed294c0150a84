"""The models whose labels are taken: those that the process knows, and those of other processes in the same store."""

import asyncio
import math
from collections.abc import Callable, Container, Iterator
from itertools import islice
from typing import Final, final

from driftgauge.errors import StorageError
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import ModelKey, is_overflow, printable
from driftgauge.storage.ring import RingBuffer

ASK_SECONDS: Final = 10.0
"""Least time between two questions to the store for the models that it has rows of: it looks at all its keys."""

_ASK_KNOWN_SECONDS: Final = 60.0
"""The same while all labels are of responses that are found: a new revision may be known to another replica."""

_CACHED_SECONDS: Final = 1.0
_CACHED_TARGETS: Final = 1_000

MAX_OTHERS: Final = 1_000
"""Most models of other processes whose labels are counted here."""


@final
class LabelModels:
    """Finds the models that the names of a request mean.

    Names that neither the process nor the store knows are refused, so that untrusted names start no series.

    Args:
        known: The models that the process knows.
        ring: Has rows of the models of all processes that share it.
        clock: Monotonic time in seconds.
        on_found: Called with each model of another process that is found.
        are_missing: Whether labels wait whose response no known model has: that of a new revision may be elsewhere.
    """

    def __init__(
        self,
        known: KnownModels,
        ring: RingBuffer,
        clock: Callable[[], float],
        on_found: Callable[[ModelKey], None] = lambda _: None,
        are_missing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._known = known
        self._ring = ring
        self._clock = clock
        self._on_found = on_found
        self._are_missing = are_missing
        self._asking = asyncio.Lock()
        self._asked = -math.inf
        self._stored: tuple[ModelKey, ...] = ()
        self._stored_models: frozenset[ModelKey] = frozenset()
        self._others: dict[ModelKey, None] = {}
        self._cache: dict[LabelTarget, tuple[tuple[ModelKey, ...], float]] = {}

    def __iter__(self) -> Iterator[ModelKey]:
        """All models whose labels may have come."""
        yield from (model for model in self._known if not is_overflow(model))
        yield from list(self._others)

    def __contains__(self, model: object) -> bool:
        """Whether labels of a model are counted."""
        return model in self._known or model in self._others

    async def find(self, target: LabelTarget) -> tuple[ModelKey, ...]:
        """The models that a target fits, those that had inferences first; empty if no one knows such a model.

        Raises:
            StorageError: The process knows none, and the store did not reply.
        """
        now = self._clock()
        cached, until = self._cache.get(target, ((), -math.inf))
        if now < until:
            return cached
        found = target.candidates(self._known)
        try:
            is_new = self._stored_models.isdisjoint(found) or self._are_missing()
            await self._ask(ASK_SECONDS if is_new else _ASK_KNOWN_SECONDS)
        except StorageError:
            if not found:
                raise
        found = self.candidates(target)
        if found:
            if len(self._cache) >= _CACHED_TARGETS:
                self._cache.clear()
            self._cache[target] = found, now + _CACHED_SECONDS
        return found

    def candidates(self, target: LabelTarget) -> tuple[ModelKey, ...]:
        """The models that a target fits, as `find` returns them, without a question to the store."""
        found = target.candidates(self._known)
        others = [model for model in target.candidates(self._stored) if model not in self._known]
        found += tuple(model for model in others if self._add_other(model))
        # A configured model may never have had an inference: what is of no model in particular is counted for others.
        return tuple(sorted(found, key=lambda model: model not in self._stored_models))

    def namesakes(self, target: LabelTarget) -> list[ModelKey]:
        """The models of the same InferenceService's name that the process or the store knows; none is looked up."""
        every = dict.fromkeys((*self._known, *self._stored))
        return [one for one in every if one.inference_service == target.inference_service and not is_overflow(one)]

    @property
    def fallback(self) -> ModelKey | None:
        """The model that labels of no known model are counted for: one that had inferences, if any did."""
        return min(self, key=lambda model: model not in self._stored_models, default=None)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget models of other processes that the process itself knows now. Never blocks, never raises."""
        for model in [model for model in self._others if model in models]:
            del self._others[model]

    async def _ask(self, seconds: float) -> None:
        """Ask the store for its models, unless that was done within some seconds."""
        async with self._asking:
            now = self._clock()
            if now - self._asked < seconds:
                return
            self._asked = now  # also if it fails: a store that is slow is not asked more often
            models = {stream.model for stream in await self._ring.streams()}
            self._stored = tuple(sorted(model for model in models if all(name == printable(name) for name in model)))
            self._stored_models = frozenset(models)
            for model in [model for model in self._others if model not in models]:
                del self._others[model]

    def _add_other(self, model: ModelKey) -> bool:
        """Count labels of a model of another process here. Returns whether there is a place for it."""
        if model not in self._others:
            for oldest in list(islice(self._others, max(0, len(self._others) + 1 - MAX_OTHERS))):
                del self._others[oldest]
            self._others[model] = None
            self._on_found(model)
        return True
