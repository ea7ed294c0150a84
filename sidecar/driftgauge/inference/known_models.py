"""The models that have series and rows of their own.

Names come from the network and become metric labels and Redis keys, so the number of models is limited. Anyone who
can send events can invent names. So each reference file reserves places, and a model that is idle gives up its place.
All revisions of a model share its place, of which a limited number is live: a service with a new revision each day
does not take the places of others.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, final

from driftgauge.inference.payload import COMPONENTS, OVERFLOW, ModelKey, is_overflow, overflow_revision
from driftgauge.inference.revisions import LiveRevisions

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


_Name = tuple[str, ...]
"""A key without its revision."""


class _Places:
    """A limited number of places, and the models that have them, the model that is idle the longest first."""

    __slots__ = ("limit", "models")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.models: OrderedDict[_Name, float] = OrderedDict()

    def touch(self, name: _Name, now: float) -> None:
        """Note a request of any revision of a model."""
        self.models[name] = now
        self.models.move_to_end(name)

    def pop_idle(self, until: float) -> _Name | None:
        """Free the place of the model that is idle the longest, if its last request was not after `until`."""
        oldest = next(iter(self.models), None)
        if oldest is None or self.models[oldest] > until:
            return None
        del self.models[oldest]
        return oldest


class _Model:
    """A model with its live revisions, and the places of which it has one; `None` if it is configured."""

    __slots__ = ("places", "revisions")

    def __init__(self, places: _Places | None) -> None:
        self.places = places
        self.revisions = LiveRevisions()


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
        self.on_refused_revision: Callable[[ModelKey], None] = lambda _: None
        self._other = other
        self._idle = idle
        self._reserved_by = reserved_by
        self._unreserved = _Places(limit)
        self._reserved: dict[tuple[str, str], _Places] = {}
        self._models: dict[_Name, _Model] = {}
        for key in first:
            self.add(key)

    def __iter__(self) -> Iterator[ModelKey]:
        """The known keys: first the configured models, then the others, oldest first."""
        for model in sorted(self._models.values(), key=lambda model: model.places is not None):
            yield from model.revisions

    def __contains__(self, key: object) -> bool:
        """Whether a key is known, or counts the revisions beyond the limit of a model that is known."""
        if not isinstance(key, ModelKey):
            return False
        model = self._models.get(_name(key))
        return model is not None and (key in model.revisions or is_overflow(key))

    def add(self, key: ModelKey) -> None:
        """Make a configured key known, which needs no place."""
        name = _name(key)
        model = self._models.get(name)
        if model is None:
            model = self._models[name] = _Model(None)
        elif model.places is not None:
            del model.places.models[name]
            model.places = None
        model.revisions.configured = key

    def admit(self, key: ModelKey, *, proven: bool = True) -> ModelKey:
        """Note a request of a model. Returns the key itself if it is known or gets a place, else `other`.

        Args:
            key: The model that a request or an event names.
            proven: Whether the model is known to exist (its server responded with success). Only such a key gets a
                place, so that requests for names that do not exist cannot use up the places. If there is none,
                `on_refused` is called.

        Notes:
            A new revision of a known model needs a place among the live revisions of the model. If there is none,
            `on_refused_revision` is called, and the key for the other revisions of this model is returned.
        """
        known = self._touch(key)
        if known is not None:
            return known
        if not proven or is_overflow(key):
            return self._other
        name, now = _name(key), self._idle.clock()
        model = self._models.get(name)
        if model is None:
            model = self._place(key, now)
        if model is None:
            self.on_refused(key)
            return self._other
        if not model.revisions.add(key, now, now - self._idle.replace_seconds):
            self.on_refused_revision(key)
            return overflow_revision(key)
        if model.places is not None:
            model.places.touch(name, now)
        return key

    def restore(self, key: ModelKey) -> bool:
        """Give a free place to a model whose rows outlived a restart. Returns whether it is known now.

        A new model may take its place at once, as if the model were idle: its rows may be those of an invented name.
        The same is true of a revision.
        """
        if is_overflow(key):
            return False
        name, until = _name(key), self._idle.clock() - self._idle.replace_seconds
        model = self._models.get(name)
        if model is not None:
            return model.revisions.restore(key, until)
        for places in (self._places_of_file(key), self._unreserved):
            if places is not None and len(places.models) < places.limit:
                places.touch(name, until)
                places.models.move_to_end(name, last=False)
                model = self._models[name] = _Model(places)
                return model.revisions.restore(key, until)
        return False

    def touch(self, key: ModelKey) -> bool:
        """Note a request of a model. Returns whether the key is known."""
        return self._touch(key) is not None

    def is_reserved(self, key: ModelKey) -> bool:
        """Whether a reference file that is named after a model reserves places for it."""
        name = self._reserved_by(key)
        return name is not None and name[1] == key.inference_service

    def expire(self) -> None:
        """Remove the models and revisions that are idle for too long.

        Models whose reference came after them move to its places.
        """
        until = self._idle.clock() - self._idle.expire_seconds
        for places in (self._unreserved, *self._reserved.values()):
            while (idle := places.pop_idle(until)) is not None:
                del self._models[idle]
        for model in self._models.values():
            model.revisions.expire(until)
        for name, last in list(self._unreserved.models.items()):
            reserved = self._places_of_file(ModelKey(*name))
            if reserved is not None and len(reserved.models) < reserved.limit:
                del self._unreserved.models[name]
                reserved.touch(name, last)
                self._models[name].places = reserved

    def _touch(self, key: ModelKey) -> ModelKey | None:
        """Note a request of a known revision of a model. Returns the key that is kept; `None` if it is not known."""
        name = _name(key)
        model = self._models.get(name)
        if model is None:
            return None
        now = self._idle.clock()
        known = model.revisions.touch(key.revision, now)
        if known is not None and model.places is not None:
            model.places.touch(name, now)
        return known

    def _places_of_file(self, key: ModelKey) -> _Places | None:
        file = self._reserved_by(key) if key.component in COMPONENTS else None
        if file is None:
            return None
        places = self._reserved.get(file)
        if places is None:
            places = self._reserved[file] = _Places(PLACES_OF_A_FILE)
        return places

    def _place(self, key: ModelKey, now: float) -> _Model | None:
        """Give a model a free place, or that of a model that is idle; returns `None` if there is none."""
        name = _name(key)
        for places in (self._places_of_file(key), self._unreserved):
            if places is None or places.limit == 0:
                continue
            if len(places.models) >= places.limit:
                idle = places.pop_idle(now - self._idle.replace_seconds)
                if idle is None:
                    continue
                del self._models[idle]
            places.touch(name, now)
            model = self._models[name] = _Model(places)
            return model
        return None


def _name(key: ModelKey) -> _Name:
    """What all revisions of a model have in common. A slice, since `_replace` takes ten times as long."""
    return key[:-1]
