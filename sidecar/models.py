"""What is known of models: which ones may be named in labels and keys, and what their responses look like.

Both are bounded, since names and bodies come from strangers. This room is pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock

from sidecar.drift.profile import FeatureKind
from sidecar.payload import ModelKey

_MAX_CATEGORIES = 1_000
"""The most texts of categories that are kept of one model: labels are few, and a code stands for the others."""

_OTHER = "(other)"
"""No name in Kubernetes has parentheses, so no InferenceService and no model of the operator's is called so."""


def folded(model: ModelKey) -> ModelKey:
    """The key that stands for all models of this one's InferenceService that have no series of their own."""
    return model._replace(model_name=_OTHER)


OTHER = ModelKey(_OTHER, _OTHER, _OTHER, _OTHER)
"""Stands for every model that has no series of its own, where not even the InferenceService is known."""


def is_folded(model: ModelKey) -> bool:
    """Whether a key stands for many models, whose rows must not mix."""
    return model.model_name == _OTHER


class KnownModels:
    """Admits model keys up to a limit; first come, first served.

    Args:
        limit: How many keys are admitted beyond the first ones, at least 0.
        first: Keys that the operator named; always admitted.
        other: What is answered for all others.
    """

    def __init__(self, limit: int, first: Iterable[ModelKey] = (), other: ModelKey = OTHER) -> None:
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
        if not proven or self._free <= 0 or is_folded(key):
            return self._other
        self._free -= 1
        self._keys[key] = key
        return key


@dataclass(frozen=True, slots=True, eq=False)
class OutputLayout:
    """What the newest responses of a model look like.

    Args:
        columns: Their names, in the order of the rows in the ring.
        kinds: The kind of each column.
        categories: The texts of codes that occurred, the first ones that were met.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    categories: Mapping[float, str]

    @property
    def known(self) -> Mapping[str, FeatureKind]:
        """The kind of each column by its name."""
        return dict(zip(self.columns, self.kinds, strict=True))


class OutputColumns:
    """The layouts of the responses that no reference tells of. May be used from any thread.

    Args:
        limit: How many models are remembered, at least 1; the one that was told of longest ago goes first.
    """

    def __init__(self, limit: int = 1_000) -> None:
        self._limit = limit
        self._layouts: dict[ModelKey, OutputLayout] = {}
        self._lock = Lock()

    def get(self, model: ModelKey) -> OutputLayout | None:
        """The newest layout of a model, `None` before its first response."""
        with self._lock:
            return self._layouts.get(model)

    def tell(self, model: ModelKey, layout: OutputLayout) -> None:
        """Remember a response's layout; categories add up for as long as its columns stay the same."""
        with self._lock:
            before = self._layouts.pop(model, None)
            self._layouts[model] = layout if before is None else _renewed(before, layout)
            if len(self._layouts) > self._limit:
                del self._layouts[next(iter(self._layouts))]


def _renewed(before: OutputLayout, after: OutputLayout) -> OutputLayout:
    if (before.columns, before.kinds) != (after.columns, after.kinds):
        return after
    if after.categories.keys() <= before.categories.keys() or len(before.categories) >= _MAX_CATEGORIES:
        return before
    texts = {**before.categories, **after.categories}
    return replace(before, categories=dict(islice(texts.items(), _MAX_CATEGORIES)))
