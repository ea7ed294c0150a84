"""Whether a window is its reference in another unit: times a number, or with one added.

This room is pure: numpy in, text out.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.quantiles import LEVELS, deciles

LEAST_RATIO = 1.5
"""A ratio nearer to 1 is taken for drift: miles are 1.6 kilometres, and prices rise by a tenth."""

LEAST_OFFSET = 3.0
"""An offset of fewer spreads, from the first decile to the ninth, is taken for drift: Kelvin is some 10 of them off."""

_ALIKE = 0.05
"""Shares by which deciles may miss their places in the reference, and still be called the same distribution."""

_NOISE = 1.25
"""The same in units of 1 / sqrt(n), for short windows: 2.5 standard deviations of a median's place."""

_TOLERANCE = 1e-9
"""Rounding of a value that was converted, in parts of the greatest decile: 3 may come back as 2.9999999999999996."""

_FEWEST = 5
"""Deciles that must differ from 0, of nine, for a ratio to be told."""

_INNER = np.array([float(level) for level in LEVELS[1:-1]])


def unit_change(reference: NDArray[np.float64], window: NDArray[np.float64]) -> str | None:
    """What was done to every decile, if one number tells it; `None` if not, or if that number is unremarkable.

    Args:
        reference: Shape `(m,)`, m at least 1, finite, sorted ascending.
        window: Shape `(n,)`, n at least 1, likewise.

    Notes:
        Each conversion is taken back, and the deciles are looked up in the reference again. Of two that fit the
        better one counts: a Gaussian that moved by many deviations has another ratio at every decile.
    """
    before, now = (np.array(deciles(values)[1:-1]) for values in (reference, window))
    if before[0] == before[-1] or now[0] == now[-1]:
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows fits nothing
        offset, ratio = float(np.median(now - before)), _ratio(before, now)
        spreads = abs(offset) / float(before[-1] - before[0])
        slack = _TOLERANCE * float(np.abs(before).max())
        shifted, scaled, as_is = (_misfit(reference, one, slack) for one in (now - offset, now / ratio, now))
    allowed = min(max(_ALIKE, _NOISE / math.sqrt(window.size)), as_is / 2)
    if shifted <= min(allowed, scaled) and spreads > LEAST_OFFSET:
        return f"every decile is about {written(abs(offset))} {'above' if offset > 0 else 'below'} the reference's"
    if scaled <= allowed and scaled < shifted and abs(math.log(ratio)) > math.log(LEAST_RATIO):
        return f"every decile is about {written(ratio)} times the reference's"
    return None


def written(value: float) -> str:
    """A number with three digits that count."""
    return f"{float(f'{value:.3g}'):g}"


def _ratio(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """The middle ratio of deciles; 1 unless both sides lie on the same side of a natural zero."""
    both = np.concatenate([before, now])
    known = (before != 0) & (now != 0)
    if (both.min() < 0 < both.max()) or np.count_nonzero(known) < _FEWEST:
        return 1.0
    ratio = float(np.median(now[known] / before[known]))
    return ratio if 0 < ratio < math.inf else 1.0


def _misfit(reference: NDArray[np.float64], values: NDArray[np.float64], slack: float) -> float:
    """How far the places of a window's deciles in the reference are from where they should be, in [0, 1]."""
    low = np.searchsorted(reference, values - slack, side="left") / reference.size
    high = np.searchsorted(reference, values + slack, side="right") / reference.size
    return float(np.maximum(np.maximum(low - _INNER, _INNER - high), 0.0).max())
