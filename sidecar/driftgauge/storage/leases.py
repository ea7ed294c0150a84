"""The lease of each model: which replica evaluates it. A protocol; its adapters are `MemoryLeases` and `RedisLeases`.

A replica evaluates a model while it holds the model's lease. One holding, from the acquisition to the loss, is a term;
its token names the replica and the term, and fences writes: whoever saves a detector state or a result names its token,
and the store refuses it unless the lease still has this token.
"""

import logging
import time
from collections.abc import Callable, Container, Sequence
from typing import NamedTuple, Protocol

from driftgauge.inference.payload import ModelKey

_log = logging.getLogger(__name__)

_SAME_SECONDS = 0.5
"""Clocks that differ by less count as the same. A network of NTP clients is within milliseconds."""

_WRONG_SECONDS = 60
"""A difference of clocks that is worth a line in the log."""


class StoreClock:
    """The time of the store, which all replicas share; without a store that has a clock, that of this process.

    The clocks of two replicas may be an hour apart. What replicas compare, or show of each other, is in this time.

    Args:
        local: Returns the time of this process in seconds since the epoch.
    """

    def __init__(self, local: Callable[[], float] = time.time) -> None:
        self._local = local
        self._offset = 0.0
        self._has_logged = False

    def __call__(self) -> float:
        """The time in seconds since the epoch."""
        return self._local() + self._offset

    def adjust(self, store_time: float) -> None:
        """Adjust the clock to the time of the store, which was just read; small differences change nothing."""
        offset = store_time - self._local()
        if abs(offset) < _SAME_SECONDS:
            offset = 0.0
        if abs(offset - self._offset) > _SAME_SECONDS or offset == 0.0:
            self._offset = offset
        self._log_difference()

    def _log_difference(self) -> None:
        """Log a clock that is far off once, until it is right again: the times of rows are those of this process."""
        is_wrong = abs(self._offset) > _WRONG_SECONDS
        if is_wrong and not self._has_logged:
            ahead = "behind" if self._offset > 0 else "ahead of"
            text = "the clock of this process is %.0f s %s that of Redis: one of them is wrong, see the times of rows"
            _log.warning(text, abs(self._offset), ahead)
        self._has_logged = is_wrong


class Wish(NamedTuple):
    """That a replica wants to evaluate a model that another one evaluates.

    Args:
        replica: Who wishes.
        reference: Digest of its reference if it is newer than that of the holder; empty if it wants its share of work.
    """

    replica: str
    reference: str = ""


class Lease(NamedTuple):
    """What the store has of a model's lease.

    Args:
        token: The token of the current term; empty if no replica holds the lease.
        wish: The newest wish, if it has not expired.
        notice: What the holder has published last, as bytes; empty if there is none.
    """

    token: str = ""
    wish: Wish | None = None
    notice: bytes = b""

    @property
    def holder(self) -> str:
        """The replica that holds the lease; empty if no replica does."""
        return self.token.partition("/")[0]


class LeaseStore(Protocol):
    """Keeps one lease for each model. All methods raise only `StorageError`."""

    @property
    def is_divided(self) -> bool:
        """Whether the leases of models are in several places, of which some may be away while others reply."""

    async def group(self, models: Sequence[ModelKey]) -> list[list[ModelKey]]:
        """The models whose leases are in one place, for each place: they can be read, or cannot, together."""

    async def look(self, models: Sequence[ModelKey]) -> list[Lease]:
        """Read the leases of these models, in order."""

    async def acquire(self, model: ModelKey, token: str) -> bool:
        """Begin a term, if no replica holds the lease. Returns whether it has begun.

        After a `StorageError` it may have begun: `look` shows its token.
        """

    async def extend(self, model: ModelKey, token: str) -> bool:
        """Let a term last as long as if it had begun now. Returns False if it has ended."""

    async def release(self, model: ModelKey, token: str) -> None:
        """End a term. One that has ended already is no error."""

    async def end_endless(self, model: ModelKey) -> None:
        """End a term that would never end by itself. Its holder has published nothing for long."""

    async def wish(self, model: ModelKey, wish: Wish) -> None:
        """Replace the wish of a model. It expires."""

    def retain(self, models: Container[ModelKey]) -> None:
        """Free the memory of this process for models that are not in `models`. Never blocks, never raises."""


class MemoryLeases:
    """A `LeaseStore` for a process that shares no store: whoever acquires a lease holds it until its release."""

    def __init__(self) -> None:
        self._tokens: dict[ModelKey, str] = {}

    @property
    def is_divided(self) -> bool:
        """They are all in this process."""
        return False

    async def group(self, models: Sequence[ModelKey]) -> list[list[ModelKey]]:
        """All of them."""
        return [list(models)]

    async def look(self, models: Sequence[ModelKey]) -> list[Lease]:
        """The leases of these models."""
        return [Lease(self._tokens.get(model, "")) for model in models]

    async def acquire(self, model: ModelKey, token: str) -> bool:
        """Begin a term, if no replica holds the lease."""
        return self._tokens.setdefault(model, token) == token

    async def extend(self, model: ModelKey, token: str) -> bool:
        """Whether the term has not ended."""
        return self._tokens.get(model) == token

    async def release(self, model: ModelKey, token: str) -> None:
        """End a term."""
        if self._tokens.get(model) == token:
            del self._tokens[model]

    async def end_endless(self, model: ModelKey) -> None:
        """Do nothing: this process is the holder."""

    async def wish(self, model: ModelKey, wish: Wish) -> None:
        """Do nothing: no other process sees it."""

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the leases of models that are not in `models`."""
        for model in [model for model in self._tokens if model not in models]:
            del self._tokens[model]
