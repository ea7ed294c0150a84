"""The columns of the newest responses of each model whose reference has no predictions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import ModelKey

_MAX_CATEGORIES = 1_000
"""Most texts of categories that are kept of one model. The other categories are shown by their codes."""


@dataclass(frozen=True, slots=True, eq=False)
class OutputLayout:
    """The columns of the newest responses of a model.

    Args:
        columns: The names, in the order of the values in the ring.
        kinds: The kind of each column.
        categories: The texts of codes, those that occurred first.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    categories: Mapping[float, str]

    @property
    def known(self) -> Mapping[str, FeatureKind]:
        """The kind of each column by its name."""
        return dict(zip(self.columns, self.kinds, strict=True))


class OutputColumns:
    """The layouts of responses without predictions in a reference. May be used from any thread.

    Args:
        limit: Most models, at least 1. Beyond it, the model that was recorded longest ago is removed.
    """

    def __init__(self, limit: int = 1_000) -> None:
        self._limit = limit
        self._layouts: dict[ModelKey, OutputLayout] = {}
        self._lock = Lock()

    def get(self, model: ModelKey) -> OutputLayout | None:
        """The newest layout of a model, `None` before its first response."""
        with self._lock:
            return self._layouts.get(model)

    def record(self, model: ModelKey, layout: OutputLayout) -> None:
        """Record the layout of a response. Categories accumulate while the columns stay the same."""
        with self._lock:
            before = self._layouts.pop(model, None)
            self._layouts[model] = layout if before is None else _merge(before, layout)
            if len(self._layouts) > self._limit:
                del self._layouts[next(iter(self._layouts))]


def _merge(before: OutputLayout, after: OutputLayout) -> OutputLayout:
    if (before.columns, before.kinds) != (after.columns, after.kinds):
        return after
    if after.categories.keys() <= before.categories.keys() or len(before.categories) >= _MAX_CATEGORIES:
        return before
    texts = {**before.categories, **after.categories}
    return replace(before, categories=dict(islice(texts.items(), _MAX_CATEGORIES)))
