"""A feature's histogram: few bars, with the same bounds on both sides, over all rows, missing ones included.

This room is pure: numpy in, values out.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.profile import FeatureKind, Profile
from sidecar.drift.result import Bin

FEW_VALUES = 12
"""A numeric column with at most so many distinct values has a bar for each."""

SHOWN_CATEGORIES = 20
"""Categories with a bar of their own, the most frequent ones first."""

_DECILES = 10

_OURS = frozenset({"rare", "unseen", "missing"})
"""Bars of categories that are no category."""

_PLAIN_BELOW = 1e16
"""Whole numbers from here on are written with an exponent, or 1e308 would be a name of 309 digits."""


def histogram(profile: Profile, window: NDArray[np.float64], missing: int) -> tuple[Bin, ...]:
    """The bars of one feature.

    Args:
        profile: Its reference.
        window: Shape `(n,)`: the values that are present, sorted ascending.
        missing: Rows of the window that lack it.

    Returns:
        Numbers: `below` what the reference has, its deciles `0` to `9` or its values where they are few, `above`;
        categories: the frequent ones by their text, `rare`, `unseen`; and `missing`. Shares of each side sum to 1,
        or are all 0 for a window without rows.
    """
    if profile.kind is FeatureKind.CATEGORICAL:
        return tuple(_of_categories(profile, window, missing))
    return tuple(_of_numbers(profile, window, missing))


def _of_numbers(profile: Profile, window: NDArray[np.float64], missing: int) -> Iterator[Bin]:
    values = profile.values
    uppers, labels = _bounds(values)
    edges = np.concatenate([[math.nextafter(values[0], -math.inf)], uppers])
    reference = _between(values, edges)
    found = _between(window, edges)
    names = ("below", *labels, "above")
    ends = (float(edges[0]), *uppers.tolist(), None)
    rows, window_rows = profile.rows, max(1, window.size + missing)
    for name, upper, before, now in zip(names, ends, reference.tolist(), found.tolist(), strict=True):
        yield Bin(label=name, upper=upper, reference=before / rows, window=now / window_rows)
    yield _missing(profile, missing, window_rows)


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


def _between(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values lie up to the first edge, between each and the next, and above the last."""
    places = np.searchsorted(values, edges, side="right")
    return np.diff(places, prepend=0, append=values.size)


def _of_categories(profile: Profile, window: NDArray[np.float64], missing: int) -> Iterator[Bin]:
    cells = profile.cells
    shares = cells.shares * (profile.values.size / profile.rows)
    window_rows = max(1, window.size + missing)
    found = cells.count(window) / window_rows
    own = cells.codes[:SHOWN_CATEGORIES].tolist()
    for place, name in enumerate(_names(own, profile)):
        yield Bin(label=name, upper=None, reference=float(shares[place]), window=float(found[place]))
    rare = slice(len(own), -1)
    if shares[rare].any():
        yield Bin(label="rare", upper=None, reference=float(shares[rare].sum()), window=float(found[rare].sum()))
    yield Bin(label="unseen", upper=None, reference=0.0, window=float(found[-1]))
    yield _missing(profile, missing, window_rows)


def _names(codes: Sequence[float], profile: Profile) -> list[str]:
    """The texts of codes, no two alike; in quotes where one would be taken for a name of ours, or for a quoted one."""
    texts = [profile.categories.get(code) for code in codes]
    return [f"#{code:.0f}" if text is None else _told(text) for code, text in zip(codes, texts, strict=True)]


def _told(text: str) -> str:
    return repr(text) if text in _OURS or text.startswith(("#", "'", '"')) else text


def _missing(profile: Profile, missing: int, window_rows: int) -> Bin:
    return Bin(label="missing", upper=None, reference=profile.missing / profile.rows, window=missing / window_rows)


def _written(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _PLAIN_BELOW else repr(value)
