"""Changes of unit: whether one number, added or multiplied, explains what happened to every decile."""

import math

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.statistics.effects import LEVELS, deciles

LEAST_RATIO = 1.5
"""A ratio nearer to 1 counts as drift: a mile is 1.6 kilometres, and prices rise by a tenth."""

LEAST_OFFSET = 3.0
"""A smaller offset, in units of the distance from the first decile to the ninth, counts as drift. Kelvin and Celsius
temperatures differ by some 10 of these."""

_ALIKE = 0.05
"""Gap of shares by which deciles may miss their ranks in the reference in a match."""

_NOISE = 1.25
"""The same for short windows, in units of 1 / sqrt(n): 2.5 standard deviations of a median's rank."""

_ROUNDING = 1e-9
"""Rounding error of a converted value, as a part of the greatest decile: 3 may come back as 2.9999999999999996."""

_FEWEST_RATIOS = 5
"""Deciles that must differ from 0, of nine, for a ratio to mean anything."""

_FEWEST_VALUES = 20
"""Values of a window below which its deciles say too little of a conversion."""

_INNER_LEVELS = np.array([float(level) for level in LEVELS[1:-1]])


def unit_change(reference: NDArray[np.float64], window: NDArray[np.float64]) -> str | None:
    """A clause on the number that was added to every decile, or multiplied; `None` if there is no remarkable one.

    Args:
        reference: Shape `(m,)`, m at least 1, finite, sorted ascending.
        window: Shape `(n,)`, n at least 1, finite, sorted ascending.

    Notes:
        Both conversions are undone, and the deciles are looked up in the reference again: a conversion explains the
        change if they then have the ranks of deciles. If both fit, the better one counts: a Gaussian that moved by many
        deviations has nearly the same ratio at every decile, but exactly the same offset.
    """
    if window.size < _FEWEST_VALUES:
        return None
    before, now = (np.array(deciles(values)[1:-1]) for values in (reference, window))
    if before[0] == before[-1] or now[0] == now[-1]:
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows fits nothing
        offset, ratio = float(np.median(now - before)), _ratio(before, now)
        spreads = abs(offset) / float(before[-1] - before[0])
        slack = _ROUNDING * float(np.abs(before).max())
        shifted, scaled, as_is = (_misfit(reference, one, slack) for one in (now - offset, now / ratio, now))
    allowed = min(max(_ALIKE, _NOISE / math.sqrt(window.size)), as_is / 2)
    if shifted <= min(allowed, scaled) and spreads > LEAST_OFFSET:
        side = "above" if offset > 0 else "below"
        return f"every decile is about {three_digits(abs(offset))} {side} the reference's"
    if scaled <= allowed and scaled < shifted and abs(math.log(ratio)) > math.log(LEAST_RATIO):
        return f"every decile is about {three_digits(ratio)} times the reference's"
    return None


def three_digits(value: float) -> str:
    """A number with three significant digits."""
    return f"{float(f'{value:.3g}'):g}"


def _ratio(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """The median ratio of deciles; 1 unless all deciles of both sides have one sign."""
    both = np.concatenate([before, now])
    defined = (before != 0) & (now != 0)
    if (both.min() < 0 < both.max()) or np.count_nonzero(defined) < _FEWEST_RATIOS:
        return 1.0
    ratio = float(np.median(now[defined] / before[defined]))
    return ratio if 0 < ratio < math.inf else 1.0


def _misfit(reference: NDArray[np.float64], values: NDArray[np.float64], slack: float) -> float:
    """How far the ranks of a window's deciles in the reference are from where they should be, as a share in [0, 1].

    A decile may be tied with many values of the reference; any of their ranks is right for it.
    """
    low = np.searchsorted(reference, values - slack, side="left") / reference.size
    high = np.searchsorted(reference, values + slack, side="right") / reference.size
    return float(np.maximum(np.maximum(low - _INNER_LEVELS, _INNER_LEVELS - high), 0.0).max())
