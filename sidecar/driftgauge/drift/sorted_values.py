"""The values of a column of a reference, in as few bytes as give every one of them back exactly.

Most columns have few digits: 12.345 is 12,345 thousandths. Such values are kept as whole numbers of 16 or 32 bits, and
those of a model that computes in single precision as 32-bit floats. Only columns that need all digits of a double keep
eight bytes for each value.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST_DECIMALS: Final = 9

_TRIED_VALUES: Final = 32
"""Values that are tried first: those of a column of all digits refuse a number of decimals at once."""

_EXACT: Final = 2.0**53
"""Whole numbers up to here are doubles, so that a quotient with a power of ten is the double next to the decimal."""


@dataclass(frozen=True, slots=True, eq=False)
class SortedValues:
    """Values in ascending order, immutable.

    Args:
        kept: Shape `(m,)`: the values as 64-bit or 32-bit floats, or what is counted from `least`, as whole numbers of
            16 or 32 bits without sign.
        least: Of whole numbers the first one.
        scale: Of whole numbers the power of ten that they are divided by; 0 for floats.
    """

    kept: NDArray[np.float64 | np.float32 | np.uint16 | np.uint32]
    least: float = 0.0
    scale: float = 0.0

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Keep values.

        Args:
            values: Shape `(m,)`, float64, finite, sorted ascending; not copied if all of their digits are needed.
        """
        found = cls._as_decimals(values) if values.size else None
        if found is None:
            with np.errstate(over="ignore", under="ignore"):
                single = values.astype(np.float32)
            found = cls(single if _are_equal(single.astype(np.float64), values) else values.view())
        found.kept.flags.writeable = False
        return found

    @property
    def size(self) -> int:
        """How many there are: m."""
        return self.kept.size

    def all(self) -> Floats:
        """The values: shape `(m,)`, float64, read-only. They are computed at each call unless they are kept so."""
        if self.kept.dtype == np.float64:
            return self.kept  # type: ignore[return-value] # its type was just looked at
        values = self._decoded(self.kept)
        values.flags.writeable = False
        return values

    def ends(self) -> tuple[float, float]:
        """The least and the greatest value, of at least one."""
        least, greatest = self._decoded(self.kept[[0, -1]]).tolist()
        return least, greatest

    def _decoded(self, kept: NDArray[Any]) -> Floats:
        values = kept.astype(np.float64)
        if self.scale:
            values += self.least
            values /= self.scale
        return values

    @classmethod
    def _as_decimals(cls, values: Floats) -> Self | None:
        """The values as whole numbers; `None` if they have too many decimals or too wide a range."""
        tried = values[:: -(-values.size // _TRIED_VALUES)]
        greatest = max(abs(float(values[0])), abs(float(values[-1])))
        for decimals in range(_MOST_DECIMALS + 1):
            scale = 10.0**decimals
            if greatest * scale >= _EXACT:
                return None
            if _are_equal(np.rint(tried * scale) / scale, tried):
                whole = np.rint(values * scale) + 0.0  # -0, which no whole number is, becomes 0
                if _are_equal(whole / scale, values):
                    return cls._of_whole(whole, scale)
        return None

    @classmethod
    def _of_whole(cls, whole: Floats, scale: float) -> Self | None:
        least = float(whole[0])
        span = float(whole[-1]) - least
        kind = np.uint16 if span <= np.iinfo(np.uint16).max else np.uint32
        return None if span > np.iinfo(kind).max else cls((whole - least).astype(kind), least, scale)


def _are_equal(some: Floats, others: Floats) -> bool:
    """Whether two arrays are of the same bits: those of -0 and 0 are not."""
    return np.array_equal(some.view(np.int64), np.ascontiguousarray(others).view(np.int64))
