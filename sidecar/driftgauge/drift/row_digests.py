"""Digests of rows: whether two rows have equal bits is known from them, without either row in memory."""

import numpy as np
from numpy.typing import NDArray

_PIECE_VALUES = 2**14
"""Values that are mixed at once: a processor's cache holds them."""

_SHIFTS_AND_FACTORS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))

_LAST_SHIFT = np.uint64(31)


class RowDigests:
    """Makes digests of rows of `d` columns.

    Args:
        columns: d.

    Notes:
        Each value is mixed with a random number of its column, so that all of its bits depend on all of the value's,
        and the digest is the sum, modulo 2^64. Two different rows have the same digest with a chance of 2^-64, and
        no client can make such rows, since the random numbers are drawn in each process.

    Source:
        G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, for the mix.
    """

    def __init__(self, columns: int) -> None:
        self._of_column = np.random.default_rng().integers(0, 2**64, columns, dtype=np.uint64)

    def of(self, rows: NDArray[np.float64]) -> NDArray[np.uint64]:
        """The digest of each row: shape `(n,)`.

        Args:
            rows: Shape `(n, d)`, any values; NaN has the digest of its bits.
        """
        digests = np.empty(rows.shape[0], dtype=np.uint64)
        step = max(1, _PIECE_VALUES // max(1, rows.shape[1]))
        for first in range(0, rows.shape[0], step):
            piece = slice(first, first + step)
            digests[piece] = self._mix(rows[piece]).sum(axis=1, dtype=np.uint64)
        return digests

    def _mix(self, rows: NDArray[np.float64]) -> NDArray[np.uint64]:
        mixed: NDArray[np.uint64] = rows.view(np.uint64) + self._of_column
        shifted = np.empty_like(mixed)
        for shift, factor in _SHIFTS_AND_FACTORS:
            np.right_shift(mixed, shift, out=shifted)
            mixed ^= shifted
            mixed *= factor
        np.right_shift(mixed, _LAST_SHIFT, out=shifted)
        mixed ^= shifted
        return mixed
