"""Changes of unit: whether one conversion explains what happened to the whole distribution."""

import math
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.unit_conversions import KNOWN, Conversion, scaled, words_of_scale
from driftgauge.drift.unit_ratio import LEVELS, ROUNDING, Ratios

Floats = NDArray[np.float64]

_MIDDLE = slice(24, 75)
"""The middle half of them: the median of a window that is converted back lies there, or the conversion is another."""

_ALIKE = 0.05
"""Gap of shares by which quantiles may always miss their ranks in the reference in a match."""

_NOISE = 1.36
"""The same for short samples, in units of the root of 1/m + 1/n: the 95 % point of Kolmogorov's distribution."""

_ALIKE_WHEN_NEAR = 0.06
"""The most for a ratio that is not far from 1. White wines have 0.59 times the chlorides of red ones, and 2.5 times the
free sulfur dioxide, and the shapes differ little: only a good match distinguishes a unit from that."""

_APART = 0.9
"""Gap of shares from which on two samples hardly overlap."""

_ZERO = 1e-9
"""By how much a converted value may be off near 0, as a part of the greatest quantile."""

_FEWEST_VALUES = 20
"""Values of a window below which its quantiles say too little of a conversion."""

_FEWEST_VALUES_WHEN_NEAR = 300
"""The same for a ratio that is not far from 1."""


def unit_change(reference: Floats, window: Floats) -> str | None:
    """A clause on the conversion that explains the whole distribution; `None` if there is none.

    Args:
        reference: Shape `(m,)`, m at least 1, finite, sorted ascending.
        window: Shape `(n,)`, n at least 1, finite, sorted ascending.

    Notes:
        A conversion is undone, and the window's percentiles are looked up in the reference: it explains the change if
        they then have the ranks of percentiles, up to noise. The ranks of a skewed feature say little of its values, so
        a ratio must also be that of every decile (`Ratios.are_all`), unless rounded values show it.

        Values often grow by half, or double, without another unit, but hardly ever by more than 10 at every rank. So
        any ratio counts from 10 on. A ratio below counts if it is that of a known unit, and if the window is long
        enough, or the values are rounded, so that it is no other (`Ratios.show`, `Ratios.are_on_grid`).
    """
    if window.size < _FEWEST_VALUES:
        return None
    before, now = _quantiles(reference), _quantiles(window)
    if before[0] == before[-1] or now[0] == now[-1]:
        return None
    with np.errstate(all="ignore"):  # what overflows or has no logarithm fits nothing
        return _best_fit(reference, before, now, window.size)


def _best_fit(reference: Floats, before: Floats, now: Floats, rows: int) -> str | None:
    """The words of the conversion that explains the quantiles best; a known one comes before a measured one."""
    zero = _ZERO * float(np.abs(before).max())
    as_is = _misfit(reference, now, zero)
    noise = max(_ALIKE, _NOISE * math.sqrt(1 / reference.size + 1 / rows))
    allowed = min(noise, as_is / 2)
    ratios = Ratios(before, now, reference, rows)
    for conversions in _plausible(ratios, are_apart=as_is >= _APART):
        fits = [(_misfit(reference, one.undo(now), zero), one) for one in conversions]
        found = [
            (misfit, words)
            for misfit, one in fits
            if misfit <= (min(allowed, _ALIKE_WHEN_NEAR) if one.is_near else allowed)
            and (words := _words(one, ratios)) is not None
        ]
        if found:
            return min(found, key=itemgetter(0))[1]
    return None


def _words(one: Conversion, ratios: Ratios) -> str | None:
    """The words of a conversion that explains the ranks; `None` if it does not explain the values."""
    if one.ratio is None or ratios.are_on_grid(one.ratio):
        return one.words
    is_shown = ratios.are_all(one.ratio) and ratios.show(one.ratio, is_near=one.is_near)
    return words_of_scale(ratios.measured, one.units) if is_shown else None


def _plausible(ratios: Ratios, *, are_apart: bool) -> tuple[list[Conversion], list[Conversion]]:
    """The known conversions that bring the median back to the reference's middle half, and one that is measured."""
    before, now = ratios.before, ratios.now
    median, low, high = now[now.size // 2], before[_MIDDLE.start], before[_MIDDLE.stop - 1]
    # For values of both signs a small ratio is only another spread.
    one_sign = min(before[0], now[0]) >= 0 or max(before[-1], now[-1]) <= 0

    def is_possible(one: Conversion) -> bool:
        if one.ratio is None:
            return are_apart
        return (one_sign and ratios.rows >= _FEWEST_VALUES_WHEN_NEAR) if one.is_near else True

    known = [one for one in KNOWN if is_possible(one) and low <= one.undo(median) <= high]
    measured = scaled(ratios.measured)
    return known, [measured] if one_sign and not measured.is_near else []


def _quantiles(values: Floats) -> Floats:
    quantiles: Floats = values[np.rint(LEVELS * (values.size - 1)).astype(np.intp)]
    return quantiles


def _misfit(reference: Floats, values: Floats, zero: float) -> float:
    """How far the ranks of a window's quantiles in the reference are from where they should be, as a share in [0, 1].

    A quantile may be tied with many values of the reference; any of their ranks is right for it.
    """
    if not np.isfinite(values).all():
        return 1.0
    slack = np.maximum(ROUNDING * np.abs(values), zero)
    low = np.searchsorted(reference, values - slack, side="left") / reference.size
    high = np.searchsorted(reference, values + slack, side="right") / reference.size
    return float(np.maximum(np.maximum(low - LEVELS, LEVELS - high), 0.0).max())
