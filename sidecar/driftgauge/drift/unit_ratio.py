"""Ratios of a window's quantiles to the reference's: how large they are, and how well the rows determine them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVELS = np.arange(1, 100) / 100.0
"""The levels of the quantiles that a conversion must explain."""

ROUNDING = 1e-3
"""By how much a converted value may be off, as a part of itself: factors are often rounded, as 2.205 for 2.2046."""

_DECILES = slice(9, 90, 10)
"""The positions of the deciles among the quantiles."""

_FEWEST_RATIOS = 0.5
"""Share of the quantiles that must differ from 0 for their ratio to mean anything."""

_SPREAD = math.log(1.25)
"""By how much the ratio of a decile may always differ from the factor, in logarithms."""

_SPREAD_OF_FEW_ROWS = math.log(1.5)
"""The most that few rows may add to it."""

_NEAR_KNOWN = 0.02
"""By how much a ratio that is not far from 1 may differ from a known factor, and the most that it may be uncertain.

The known factors are 5 to 20 % apart, and values grow by any number between them.
"""

_FAR_KNOWN = 0.1
"""By how much a ratio that is far from 1 may differ from a known factor."""

_ON_GRID = 0.9
"""Share of the quantiles that must be values of the reference after a conversion that values rounded to a grid show."""

_ON_GRID_BY_CHANCE = 0.5
"""The same after similar conversions, at most: between the values of a long reference there are no gaps."""

_SIMILAR = (0.9683, 0.9871, 0.9937, 1.0067, 1.0137, 1.0311)
"""Factors that differ from 1 by less than known factors do from each other, and are no ratios of small integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Ratios of quantiles.

    Args:
        before: Shape `(99,)`: the reference's quantiles.
        now: Shape `(99,)`: the window's.
        reference: Shape `(m,)`: the reference, sorted ascending.
        rows: Values of the window.
    """

    before: Floats
    now: Floats
    reference: Floats
    rows: int

    @property
    def measured(self) -> float:
        """The median ratio; 1 if more than half of the quantiles are 0, or if it is no number."""
        defined = self._defined
        if np.count_nonzero(defined) < _FEWEST_RATIOS * defined.size:
            return 1.0
        ratio = float(np.median(self.now[defined] / self.before[defined]))
        return ratio if 0 < ratio < math.inf else 1.0

    def are_all(self, factor: float) -> bool:
        """Whether the ratio of each decile is the factor, but for 25 %, or up to 50 % in few rows."""
        defined = self._defined
        if np.count_nonzero(defined) < _FEWEST_RATIOS * defined.size:
            return False
        errors = np.abs(np.log(self.now / self.before) - math.log(factor))[_DECILES]
        allowed = np.clip(2 * self._standard_errors()[_DECILES], _SPREAD, _SPREAD_OF_FEW_ROWS)
        return bool((errors <= allowed)[defined[_DECILES]].all())

    def show(self, factor: float, *, is_near: bool) -> bool:
        """Whether the measured ratio is a known factor rather than one that values may well grow by.

        Args:
            factor: The known factor.
            is_near: Whether it is not far from 1.
        """
        error = abs(math.log(self.measured / factor))
        if not is_near:
            return error <= _FAR_KNOWN
        uncertainty = max(3 * float(self._standard_errors()[LEVELS.size // 2]), ROUNDING)
        if not error <= uncertainty <= _NEAR_KNOWN:
            return False
        usual = _usual_growth(factor)
        return usual == factor or abs(math.log(self.measured / usual)) > uncertainty

    def are_on_grid(self, factor: float) -> bool:
        """Whether the converted quantiles are values of the reference, and those of similar factors are not.

        Rounded values show a factor far better than the rows do: wines have sulfur dioxide in whole milligrams, and of
        these times 2.54, divided by 2.5, few are whole.
        """
        values = self.now[self.now != 0] / factor
        if values.size < _FEWEST_RATIOS * self.now.size or self._share_on_grid(values) < _ON_GRID:
            return False
        return max(self._share_on_grid(values * similar) for similar in _SIMILAR) <= _ON_GRID_BY_CHANCE

    @property
    def _defined(self) -> Bools:
        defined: Bools = (self.before != 0) & (self.now != 0)
        return defined

    def _share_on_grid(self, values: Floats) -> float:
        slack = ROUNDING * np.abs(values)
        low = np.searchsorted(self.reference, values - slack, side="left")
        high = np.searchsorted(self.reference, values + slack, side="right")
        return float(np.mean(high > low))

    def _standard_errors(self) -> Floats:
        """The standard error of the logarithm of each ratio, from the reference's spread around the quantile."""
        ranks = np.sqrt(LEVELS * (1 - LEVELS) * (1 / self.reference.size + 1 / self.rows))
        logs = np.log(np.maximum(np.abs(self.before), np.finfo(np.float64).tiny))
        errors: Floats = np.abs(np.interp(LEVELS + ranks, LEVELS, logs) - np.interp(LEVELS - ranks, LEVELS, logs)) / 2
        return errors


def _usual_growth(factor: float) -> float:
    """The multiple of a half that is nearest to a factor above 1, or the inverse of one."""
    return round(2 * factor) / 2 if factor > 1 else 2 / round(2 / factor)
