"""The columns of a model's responses: their newest layout where the reference has no predictions, and class scores.

Class scores, such as the probabilities of a classifier, give two more columns: the chosen class and the confidence.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import ModelKey

_MAX_CATEGORIES = 1_000
"""Most texts of categories that are kept of one model. The other categories are shown by their codes."""


_MAX_WIDTH_CHANGES = 3
"""How often the width of an output may change, for example with a new version of the model, before it is left out."""

_MAX_OUTPUTS = 1_000
"""Most outputs of one model whose widths are kept, since their names come from the network."""

WIDTH_CHANGES: Final = "its width changes from response to response"
ROWS_DIFFER: Final = "it has another number of rows than the other outputs of its response"
NOT_SCALAR: Final = "it holds objects, or lists of different lengths"
"""Why an output is not tested; follows its name."""


@dataclass(frozen=True, slots=True, eq=False)
class OutputLayout:
    """The columns of the newest responses of a model.

    Args:
        columns: The names, in the order of the values in the ring.
        kinds: The kind of each column.
        categories: The texts of codes, those that occurred first.
        widths: The values per row of each output of the response that has columns.
        left_out: Why other outputs of the response have none.
    """

    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    categories: Mapping[float, str]
    widths: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> Mapping[str, FeatureKind]:
        """The kind of each column by its name."""
        return dict(zip(self.columns, self.kinds, strict=True))


@dataclass(slots=True)
class _ModelOutputs:
    """What is known of the outputs of one model.

    Args:
        layout: The newest layout; `None` if the newest response has none.
        widths: The newest width of each output, and how often it has changed.
        unstable: Outputs that are left out of every response.
        reported: Outputs that were reported as not tested.
    """

    layout: OutputLayout | None = None
    widths: dict[str, tuple[int, int]] = field(default_factory=dict)
    unstable: frozenset[str] = frozenset()
    reported: set[str] = field(default_factory=set)


Untested = Callable[[ModelKey, str, str], None]
"""Is called once for each output of a model that is not tested, with its name and the cause."""


def _ignore(model: ModelKey, output: str, cause: str) -> None:
    """Report nothing."""


class OutputColumns:
    """The layouts of responses without predictions in a reference. May be used from any thread.

    Args:
        limit: Most models, at least 1. Beyond it, the model that was recorded longest ago is removed.
        on_untested: Reports outputs that are not tested.
    """

    def __init__(self, limit: int = 1_000, on_untested: Untested = _ignore) -> None:
        self._limit = limit
        self._on_untested = on_untested
        self._models: dict[ModelKey, _ModelOutputs] = {}
        self._lock = Lock()

    def get(self, model: ModelKey) -> OutputLayout | None:
        """The newest layout of a model, `None` before its first response."""
        with self._lock:
            known = self._models.get(model)
            return None if known is None else known.layout

    def unstable(self, model: ModelKey) -> frozenset[str]:
        """The outputs of a model that have no fixed width or number of rows, so that they have no columns."""
        with self._lock:
            known = self._models.get(model)
            return frozenset() if known is None else known.unstable

    def record(self, model: ModelKey, layout: OutputLayout) -> None:
        """Record the layout of a response. Categories accumulate while the columns stay the same.

        An output whose width has changed too often, or whose rows are not those of the other outputs, is unstable from
        now on. Otherwise each such response would begin a window of its own.
        """
        with self._lock:
            known = self._models.pop(model, None) or _ModelOutputs()
            self._models[model] = known
            known.layout = layout if known.layout is None else _merge(known.layout, layout)
            untested = dict(layout.left_out)
            unstable = {name for name, cause in untested.items() if cause == ROWS_DIFFER}
            for name, width in layout.widths.items():
                if _count_changes(known.widths, name, width) > _MAX_WIDTH_CHANGES:
                    untested[name] = WIDTH_CHANGES
                    unstable.add(name)
                    known.layout = None
            known.unstable |= frozenset(list(unstable)[:_MAX_OUTPUTS])
            new = [name for name in untested if name not in known.reported and len(known.reported) < _MAX_OUTPUTS]
            known.reported.update(new)
            if len(self._models) > self._limit:
                del self._models[next(iter(self._models))]
        for name in new:
            self._on_untested(model, name, untested[name])

    def retain(self, models: Container[ModelKey]) -> None:
        """Remove what is known of models that are not in `models`."""
        with self._lock:
            for model in [model for model in self._models if model not in models]:
                del self._models[model]


def _count_changes(widths: dict[str, tuple[int, int]], name: str, width: int) -> int:
    """Record the width of an output. Returns how often it has changed."""
    before, changes = widths.get(name, (width, 0))
    changes += before != width
    if name in widths or len(widths) < _MAX_OUTPUTS:
        widths[name] = width, changes
    return changes


def _merge(before: OutputLayout, after: OutputLayout) -> OutputLayout:
    if (before.columns, before.kinds) != (after.columns, after.kinds):
        return after
    if after.categories.keys() <= before.categories.keys() or len(before.categories) >= _MAX_CATEGORIES:
        return before
    texts = {**before.categories, **after.categories}
    return replace(before, categories=dict(islice(texts.items(), _MAX_CATEGORIES)))


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
