"""The models that have series and rows of their own.

Names come from the network and become metric labels and Redis keys, so the number of models is limited. Anyone who
can send events can invent names. So each reference file reserves places, and a model that is idle gives up its place.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, final

from driftgauge.inference.payload import COMPONENTS, OVERFLOW, ModelKey, is_overflow

PLACES_OF_A_FILE: Final = 10
"""Places that one reference file reserves. A file without a namespace serves models in several namespaces."""


@dataclass(frozen=True, slots=True)
class IdleLimits:
    """How long a model may be without requests.

    Args:
        replace_seconds: After this time, a new model may take the place of a model, if no place is free.
        expire_seconds: After this time, a model loses its place.
        clock: Monotonic time in seconds.
    """

    replace_seconds: float
    expire_seconds: float
    clock: Callable[[], float] = time.monotonic


NEVER_IDLE: Final = IdleLimits(float("inf"), float("inf"))

ReservedBy = Callable[[ModelKey], tuple[str, str] | None]
"""The name of the reference file of a model: namespace and InferenceService, both may be empty. `None` without one."""


def _reserve_nothing(_: ModelKey) -> None:
    return None


class _Places:
    """A limited number of places, and the models that have them, the model that is idle the longest first."""

    __slots__ = ("limit", "models")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.models: OrderedDict[ModelKey, float] = OrderedDict()

    def touch(self, key: ModelKey, now: float) -> None:
        """Note a request of a model."""
        self.models[key] = now
        self.models.move_to_end(key)

    def pop_idle(self, until: float) -> ModelKey | None:
        """Free the place of the model that is idle the longest, if its last request was not after `until`."""
        oldest = next(iter(self.models), None)
        if oldest is None or self.models[oldest] > until:
            return None
        del self.models[oldest]
        return oldest


@final
class KnownModels:
    """Gives places to models: those of references first, then first come, first served.

    Args:
        limit: Places of models without a reference, at least 0.
        first: Configured keys, which are always known.
        other: The key that replaces every key without a place.
        idle: When a model that is idle loses its place.
        reserved_by: Finds the reference file of a model. Each file reserves `PLACES_OF_A_FILE` places.
    """

    def __init__(
        self,
        limit: int,
        first: Iterable[ModelKey] = (),
        other: ModelKey = OVERFLOW,
        idle: IdleLimits = NEVER_IDLE,
        reserved_by: ReservedBy = _reserve_nothing,
    ) -> None:
        self.on_refused: Callable[[ModelKey], None] = lambda _: None
        self._other = other
        self._idle = idle
        self._reserved_by = reserved_by
        self._configured = {key: key for key in first}
        self._unreserved = _Places(limit)
        self._reserved: dict[tuple[str, str], _Places] = {}
        self._placed: dict[ModelKey, tuple[ModelKey, _Places]] = {}

    def __iter__(self) -> Iterator[ModelKey]:
        """The known keys: first the configured ones, then the others, oldest first."""
        return chain(self._configured, self._placed)

    def __contains__(self, key: object) -> bool:
        """Whether a key is known."""
        return key in self._configured or key in self._placed

    def add(self, key: ModelKey) -> None:
        """Make a configured key known, which needs no place."""
        if key not in self._configured:
            self._remove(key)
            self._configured[key] = key

    def admit(self, key: ModelKey, *, proven: bool = True) -> ModelKey:
        """Note a request of a model. Returns the key itself if it is known or gets a place, else `other`.

        Args:
            key: The model that a request or an event names.
            proven: Whether the model is known to exist (its server responded with success). Only such a key gets a
                place, so that requests for names that do not exist cannot use up the places. If there is none,
                `on_refused` is called.
        """
        known = self._touch(key)
        if known is not None:
            return known
        if not proven or is_overflow(key):
            return self._other
        if any(self._place(key, places) for places in (self._places_of_file(key), self._unreserved)):
            return key
        self.on_refused(key)
        return self._other

    def restore(self, key: ModelKey) -> bool:
        """Give a free place to a model whose rows outlived a restart. Returns whether it is known now.

        A new model may take its place at once, as if the model were idle: its rows may be those of an invented name.
        """
        if key in self:
            return True
        until = self._idle.clock() - self._idle.replace_seconds
        for places in (self._places_of_file(key), self._unreserved):
            if places is not None and len(places.models) < places.limit and not is_overflow(key):
                places.touch(key, until)
                places.models.move_to_end(key, last=False)
                self._placed[key] = key, places
                return True
        return False

    def touch(self, key: ModelKey) -> bool:
        """Note a request of a model. Returns whether the key is known."""
        return self._touch(key) is not None

    def is_reserved(self, key: ModelKey) -> bool:
        """Whether a reference file that is named after a model reserves places for it."""
        name = self._reserved_by(key)
        return name is not None and name[1] == key.inference_service

    def expire(self) -> None:
        """Remove the models that are idle for too long; move models whose reference came after them to its places."""
        until = self._idle.clock() - self._idle.expire_seconds
        for places in (self._unreserved, *self._reserved.values()):
            while (idle := places.pop_idle(until)) is not None:
                del self._placed[idle]
        for key, last in list(self._unreserved.models.items()):
            reserved = self._places_of_file(key)
            if reserved is not None and len(reserved.models) < reserved.limit:
                del self._unreserved.models[key]
                reserved.touch(key, last)
                self._placed[key] = key, reserved

    def _touch(self, key: ModelKey) -> ModelKey | None:
        """Note a request of a known model. Returns the key that is kept, so that equal keys take memory once."""
        configured = self._configured.get(key)
        if configured is not None:
            return configured
        found = self._placed.get(key)
        if found is None:
            return None
        known, places = found
        places.touch(known, self._idle.clock())
        return known

    def _places_of_file(self, key: ModelKey) -> _Places | None:
        name = self._reserved_by(key) if key.component in COMPONENTS else None
        if name is None:
            return None
        places = self._reserved.get(name)
        if places is None:
            places = self._reserved[name] = _Places(PLACES_OF_A_FILE)
        return places

    def _place(self, key: ModelKey, places: _Places | None) -> bool:
        """Give a model a free place, or that of a model that is idle. Returns whether there was one."""
        if places is None or places.limit == 0:
            return False
        now = self._idle.clock()
        if len(places.models) >= places.limit:
            idle = places.pop_idle(now - self._idle.replace_seconds)
            if idle is None:
                return False
            del self._placed[idle]
        places.touch(key, now)
        self._placed[key] = key, places
        return True

    def _remove(self, key: ModelKey) -> None:
        found = self._placed.pop(key, None)
        if found is not None:
            del found[1].models[key]
