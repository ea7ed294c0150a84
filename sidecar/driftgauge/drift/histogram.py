"""A feature's histogram: few bars, with the same bounds on both sides, over all rows, missing ones included.

This room is pure: numpy in, values out.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import Bin

FEW_VALUES = 12
"""A numeric column with at most so many distinct values has a bar for each."""

SHOWN_CATEGORIES = 20
"""Categories with a bar of their own, the most frequent ones first."""

_DECILES = 10

_OURS = frozenset({"rare", "unseen", "missing"})
"""Bars of categories that are no category."""

_PLAIN_BELOW = 1e16
"""Whole numbers from here on are written with an exponent, or 1e308 would be a name of 309 digits."""


class Histogram:
    """The bars of one feature; what the reference says of them is made once.

    Args:
        profile: Its reference, not `IGNORED`.
    """

    def __init__(self, profile: Profile) -> None:
        self._counted = _Categories(profile) if profile.kind is FeatureKind.CATEGORICAL else _Numbers(profile)
        missing = ("missing", None, profile.missing / profile.rows)
        self._labels, self._uppers, self._shares = zip(*self._counted.bars(profile), missing, strict=True)

    def bars(self, window: NDArray[np.float64], missing: int) -> tuple[Bin, ...]:
        """The bars of a window.

        Args:
            window: Shape `(n,)`: the values that are present, sorted ascending.
            missing: Rows of the window that lack the feature.

        Returns:
            Numbers: `below` what the reference has, its deciles `0` to `9` or its values where they are few, `above`;
            categories: the frequent ones by their text, `rare`, `unseen`; and `missing`. Shares of each side sum to
            1, or are all 0 for a window without rows.
        """
        rows = max(1, window.size + missing)
        found = [*self._counted.shares(window, rows), missing / rows]
        return tuple(
            Bin(label=label, upper=upper, reference=before, window=now)
            for label, upper, before, now in zip(self._labels, self._uppers, self._shares, found, strict=True)
        )


_Bar = tuple[str, float | None, float]
"""Label, greatest value, the reference's share."""


class _Numbers:
    """Bars that values are counted in by their order."""

    def __init__(self, profile: Profile) -> None:
        self._uppers, self._names = _bounds(profile.values)
        self._edges = np.concatenate([[math.nextafter(profile.values[0], -math.inf)], self._uppers])

    def bars(self, profile: Profile) -> Iterator[_Bar]:
        labels = ("below", *self._names, "above")
        uppers = (*self._edges.tolist(), None)
        return zip(labels, uppers, self.shares(profile.values, profile.rows), strict=True)

    def shares(self, values: NDArray[np.float64], rows: int) -> list[float]:
        """Up to the first edge, between each and the next, and above the last."""
        ends = [0, *np.searchsorted(values, self._edges, side="right").tolist(), values.size]
        return [(end - start) / rows for start, end in pairwise(ends)]


class _Categories:
    """Bars of codes: the first cells, all others that the reference knows together, and those that it does not."""

    def __init__(self, profile: Profile) -> None:
        self._cells = profile.cells
        self._own = profile.cells.codes[:SHOWN_CATEGORIES].tolist()
        self._rare = slice(len(self._own), -1)
        self._has_rare = bool(profile.cells.shares[self._rare].any())

    def bars(self, profile: Profile) -> Iterator[_Bar]:
        labels = (*_names(self._own, profile), *(["rare"] if self._has_rare else []), "unseen")
        shares = self._joined(profile.cells.shares * (profile.values.size / profile.rows))
        return ((label, None, share) for label, share in zip(labels, shares, strict=True))

    def shares(self, values: NDArray[np.float64], rows: int) -> list[float]:
        return self._joined(self._cells.count(values) / rows)

    def _joined(self, shares: NDArray[np.float64]) -> list[float]:
        rare = [float(shares[self._rare].sum())] if self._has_rare else []
        return [*shares[: len(self._own)].tolist(), *rare, float(shares[-1])]


def _bounds(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], Sequence[str]]:
    """The greatest value of each bar between the reference's ends, and the bars' names."""
    few = _few_values(values)
    if few is not None:
        return few, [_written(value) for value in few.tolist()]
    ranks = [-(-values.size * step // _DECILES) for step in range(1, _DECILES + 1)]
    uppers, first = np.unique(values[[rank - 1 for rank in ranks]], return_index=True)
    return uppers, [str(place) for place in first.tolist()]


def _few_values(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The distinct values, if there are few: each is looked up behind the one before, so that many cost little."""
    found: list[float] = []
    place = 0
    while place < values.size:
        if len(found) == FEW_VALUES:
            return None
        found.append(float(values[place]))
        place = int(np.searchsorted(values, values[place], side="right"))
    return np.array(found)


def _names(codes: Sequence[float], profile: Profile) -> list[str]:
    """The texts of codes, no two alike; in quotes where one would be taken for a name of ours, or for a quoted one."""
    texts = [profile.categories.get(code) for code in codes]
    return [f"#{code:.0f}" if text is None else _described(text) for code, text in zip(codes, texts, strict=True)]


def _described(text: str) -> str:
    return repr(text) if text in _OURS or text.startswith(("#", "'", '"')) else text


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _PLAIN_BELOW else repr(value)
