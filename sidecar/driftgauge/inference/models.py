"""What is known of models: which ones may be named in labels and keys, and what their responses look like.

Both are bounded, since names and bodies come from strangers. This room is pure.
"""

from collections.abc import Iterable, Iterator

from driftgauge.inference.payload import ModelKey

_OVERFLOW = "(other)"
"""No name in Kubernetes has parentheses, so no InferenceService and no model of the operator's is called so."""


def overflow_key(model: ModelKey) -> ModelKey:
    """The key that stands for all models of this one's InferenceService that have no series of their own."""
    return model._replace(model_name=_OVERFLOW)


OVERFLOW = ModelKey(_OVERFLOW, _OVERFLOW, _OVERFLOW, _OVERFLOW)
"""Stands for every model that has no series of its own, where not even the InferenceService is known."""


def is_overflow(model: ModelKey) -> bool:
    """Whether a key stands for many models, whose rows must not mix."""
    return model.model_name == _OVERFLOW


class KnownModels:
    """Admits model keys up to a limit; first come, first served.

    Args:
        limit: How many keys are admitted beyond the first ones, at least 0.
        first: Keys that the operator named; always admitted.
        other: What is answered for all others.
    """

    def __init__(self, limit: int, first: Iterable[ModelKey] = (), other: ModelKey = OVERFLOW) -> None:
        self._keys = {key: key for key in first}
        self._free = limit
        self._other = other

    def __iter__(self) -> Iterator[ModelKey]:
        """The admitted keys, oldest first."""
        return iter(self._keys)

    def add(self, key: ModelKey) -> None:
        """Admit a key that the operator named; it takes none of the places."""
        self._keys.setdefault(key, key)

    def admit(self, key: ModelKey, *, proven: bool = True) -> ModelKey:
        """The key itself if it is known or there is room, else `other`.

        Args:
            key: The model that a request or an event names.
            proven: Whether the model is known to exist (its server answered well); only then does a
                new key take one of the places, so that requests for names that do not exist cannot fill them.
        """
        known = self._keys.get(key)
        if known is not None:
            return known
        if not proven or self._free <= 0 or is_overflow(key):
            return self._other
        self._free -= 1
        self._keys[key] = key
        return key
