"""A feature's histogram: few bins, the same for reference and window, over all rows, missing values included."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import Bin

FEW_VALUES = 12
"""A numeric column with at most this many distinct values has a bin for each."""

SHOWN_CATEGORIES = 20
"""Categories with a bin of their own, the most frequent ones first."""

_DECILES = 10

_RESERVED_LABELS = frozenset({"rare", "unseen", "missing"})
"""Labels of the bins that are not one category."""

_LEAST_WITH_EXPONENT = 1e16
"""Integers from here on are written with an exponent: 1e308 would be a label of 309 digits."""


class Histogram:
    """The bins of one feature, with the reference's shares.

    Args:
        profile: The feature's reference, not `IGNORED`.
    """

    def __init__(self, profile: Profile) -> None:
        self._bins = _CategoryBins(profile) if profile.kind is FeatureKind.CATEGORICAL else _NumericBins(profile)
        missing = ("missing", None, profile.missing / profile.rows)
        self._labels, self._uppers, self._shares = zip(*self._bins.of_reference(profile), missing, strict=True)

    def bins(self, window: NDArray[np.float64], missing: int) -> tuple[Bin, ...]:
        """The bins with the shares of reference and window.

        Args:
            window: Shape `(n,)`: the values that are present, sorted ascending.
            missing: Rows of the window without a value.

        Returns:
            Numbers: `below` the reference's range, its deciles `0` to `9` or its values if they are few, `above` it.
            Categories: the frequent ones by their text, `rare`, `unseen`. Then `missing`. The shares of each side sum
            to 1, or are all 0 for a window without rows.
        """
        rows = max(1, window.size + missing)
        shares = [*self._bins.shares(window, rows), missing / rows]
        return tuple(
            Bin(label=label, upper=upper, reference=before, window=now)
            for label, upper, before, now in zip(self._labels, self._uppers, self._shares, shares, strict=True)
        )


_ReferenceBin = tuple[str, float | None, float]
"""Label, greatest value, the reference's share."""


class _NumericBins:
    """Intervals of numbers."""

    def __init__(self, profile: Profile) -> None:
        values = profile.values
        self._uppers, self._own_labels = _uppers_and_labels(values)
        self._edges = np.concatenate([[math.nextafter(values[0], -math.inf)], self._uppers])

    def of_reference(self, profile: Profile) -> Iterator[_ReferenceBin]:
        labels = ("below", *self._own_labels, "above")
        uppers = (*self._edges.tolist(), None)
        return zip(labels, uppers, self.shares(profile.values, profile.rows), strict=True)

    def shares(self, values: NDArray[np.float64], rows: int) -> list[float]:
        """The shares up to the first edge, between each two edges, and above the last."""
        ends = [0, *np.searchsorted(values, self._edges, side="right").tolist(), values.size]
        return [(end - start) / rows for start, end in pairwise(ends)]


class _CategoryBins:
    """Categories: each frequent one, all others that the reference knows, and those that it does not."""

    def __init__(self, profile: Profile) -> None:
        self._cells = profile.cells
        self._own = profile.cells.codes[:SHOWN_CATEGORIES].tolist()
        self._rare = slice(len(self._own), -1)
        self._has_rare = bool(profile.cells.shares[self._rare].any())

    def of_reference(self, profile: Profile) -> Iterator[_ReferenceBin]:
        labels = (*_category_labels(self._own, profile), *(["rare"] if self._has_rare else []), "unseen")
        shares = self._joined(profile.cells.shares * (profile.size / profile.rows))
        return ((label, None, share) for label, share in zip(labels, shares, strict=True))

    def shares(self, values: NDArray[np.float64], rows: int) -> list[float]:
        return self._joined(self._cells.count(values) / rows)

    def _joined(self, shares: NDArray[np.float64]) -> list[float]:
        rare = [float(shares[self._rare].sum())] if self._has_rare else []
        return [*shares[: len(self._own)].tolist(), *rare, float(shares[-1])]


def _uppers_and_labels(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], Sequence[str]]:
    """The greatest value of each bin within the reference's range, and the labels of these bins."""
    few = _few_values(values)
    if few is not None:
        return few, [_number_label(value) for value in few.tolist()]
    ranks = [-(-values.size * step // _DECILES) for step in range(1, _DECILES + 1)]
    # A value so frequent that it is several deciles has one bin, labelled by the first of them.
    uppers, first = np.unique(values[[rank - 1 for rank in ranks]], return_index=True)
    return uppers, [str(decile) for decile in first.tolist()]


def _few_values(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The distinct values, or `None` if there are many: at most `FEW_VALUES` binary searches, however many values."""
    distinct: list[float] = []
    index = 0
    while index < values.size:
        if len(distinct) == FEW_VALUES:
            return None
        distinct.append(float(values[index]))
        index = int(np.searchsorted(values, values[index], side="right"))
    return np.array(distinct)


def _category_labels(codes: Sequence[float], profile: Profile) -> list[str]:
    """The texts of codes, no two alike; `#` and the code where there is no text."""
    texts = [profile.categories.get(code) for code in codes]
    return [f"#{code:.0f}" if text is None else _quoted(text) for code, text in zip(codes, texts, strict=True)]


def _quoted(text: str) -> str:
    """The text, in quotes if it could be taken for one of the product's own labels or for a quoted text."""
    return repr(text) if text in _RESERVED_LABELS or text.startswith(("#", "'", '"')) else text


def _number_label(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _LEAST_WITH_EXPONENT else repr(value)
