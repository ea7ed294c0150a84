"""The models that have metrics and rows of their own. Their number is limited, since names are untrusted."""

from collections.abc import Iterable, Iterator

from driftgauge.inference.payload import ModelKey

_OVERFLOW = "(other)"
"""No name in Kubernetes has parentheses, so this is no InferenceService and no configured model."""


def overflow_key(model: ModelKey) -> ModelKey:
    """The key for all models of the same InferenceService that have no series of their own."""
    return model._replace(model_name=_OVERFLOW)


OVERFLOW = ModelKey(_OVERFLOW, _OVERFLOW, _OVERFLOW, _OVERFLOW)
"""The key for all models that have no series of their own, whatever their InferenceService."""


def is_overflow(model: ModelKey) -> bool:
    """Whether a key stands for many models, so that its rows cannot be used together."""
    return model.model_name == _OVERFLOW


class KnownModels:
    """Admits model keys up to a limit; first come, first served.

    Args:
        limit: The most keys that are admitted in addition to `first` and `add`, at least 0.
        first: Configured keys, always admitted.
        other: The key that replaces every other one.
    """

    def __init__(self, limit: int, first: Iterable[ModelKey] = (), other: ModelKey = OVERFLOW) -> None:
        self._keys = {key: key for key in first}
        self._free = limit
        self._other = other

    def __iter__(self) -> Iterator[ModelKey]:
        """The admitted keys, oldest first."""
        return iter(self._keys)

    def add(self, key: ModelKey) -> None:
        """Admit a configured key, which does not count towards the limit."""
        self._keys.setdefault(key, key)

    def admit(self, key: ModelKey, *, proven: bool = True) -> ModelKey:
        """Admit a key below the limit. Returns the key itself if it is admitted, else `other`.

        Args:
            key: The model that a request or an event names.
            proven: Whether the model is known to exist (its server responded with success). Only such a key is
                admitted, so that requests for names that do not exist cannot use up the limit.
        """
        known = self._keys.get(key)
        if known is not None:
            return known
        if not proven or self._free <= 0 or is_overflow(key):
            return self._other
        self._free -= 1
        self._keys[key] = key
        return key
