"""The columns of a model's responses: their newest layout where the reference has no predictions, and class scores.

Class scores, such as the probabilities of a classifier, give two more columns: the chosen class and the confidence.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

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

    def retain(self, models: Container[ModelKey]) -> None:
        """Remove the layouts of models that are not in `models`."""
        with self._lock:
            for model in [model for model in self._layouts if model not in models]:
                del self._layouts[model]


def _merge(before: OutputLayout, after: OutputLayout) -> OutputLayout:
    if (before.columns, before.kinds) != (after.columns, after.kinds):
        return after
    if after.categories.keys() <= before.categories.keys() or len(before.categories) >= _MAX_CATEGORIES:
        return before
    texts = {**before.categories, **after.categories}
    return replace(before, categories=dict(islice(texts.items(), _MAX_CATEGORIES)))


CONFIDENCE: Final = "_confidence"
"""Suffix of the column of the largest score."""

CLASS: Final = "_class"
"""Suffix of the column of the index of the class with the largest score."""

_SUM_TOLERANCE: Final = 1e-3
"""Scores that are rounded to three digits, or are half floats, sum to 1 within about this tolerance."""


def are_scores(values: NDArray[np.float64]) -> bool | None:
    """Whether all rows without missing values are class scores; `None` if every row has a missing value.

    Args:
        values: Shape `(n, k)`, finite or NaN.
    """
    if values.shape[1] == 1:
        return False
    complete = ~np.isnan(values).any(axis=1)
    return bool(_are_scores(values)[complete].all()) if complete.any() else None


def are_scores_of_each(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether all rows are class scores, for each of several tables in one array.

    Args:
        values: Shape `(n, k)`, without missing values.
        counts: Shape `(m,)`, each at least 1, of sum n: the number of rows of each table.
    """
    if values.shape[1] == 1:
        return np.zeros(counts.size, dtype=np.bool_)
    starts = np.cumsum(counts) - counts
    every: NDArray[np.bool_] = np.logical_and.reduceat(_are_scores(values), starts)
    return every


def decisions(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest score of each row, and the index of its class.

    Args:
        values: Shape `(n, k)` with k >= 2, any floats; NaN is missing.

    Returns:
        Shape `(n, 2)`; of equal scores, the index of the first. NaN in rows that are no class scores.
    """
    found = np.full((len(values), 2), np.nan)
    good = _are_scores(values)
    found[good, 0] = values[good].max(axis=1)
    found[good, 1] = values[good].argmax(axis=1)
    return found


def _are_scores(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the values of each row are in [0, 1] and sum to 1; false if one is missing."""
    inside = ((values >= 0) & (values <= 1)).all(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):  # there may be infinities, which `check_finite` refuses
        sums: NDArray[np.bool_] = np.abs(values.sum(axis=1) - 1) <= _SUM_TOLERANCE
    return inside & sums
