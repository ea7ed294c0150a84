"""Arrays that live and end together, in few large pieces of memory instead of thousands of small ones."""

from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

_Element = TypeVar("_Element", bound=np.generic)

PIECE_BYTES: Final = 8 * 2**20
"""A piece is so large that the allocator maps it by itself, and gives it back to the system when it is freed. What is
not used of it is not resident."""

_ALIGNED_BYTES: Final = 64


class ArrayPool:
    """Copies arrays into pieces of memory, one after the other.

    A piece is freed with the last array in it. So thousands of arrays between which others were made and freed leave no
    holes, and need no search for them.
    """

    def __init__(self) -> None:
        self._piece: NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
        self._used = 0

    def keep(self, array: NDArray[_Element]) -> NDArray[_Element]:
        """A copy of an array, C-contiguous."""
        if array.nbytes == 0:
            return array.copy()
        start = -(-self._used // _ALIGNED_BYTES) * _ALIGNED_BYTES
        if start + array.nbytes > self._piece.size:
            self._piece, start = np.empty(max(PIECE_BYTES, array.nbytes), dtype=np.uint8), 0
        self._used = start + array.nbytes
        kept: NDArray[Any] = self._piece[start : self._used].view(array.dtype).reshape(array.shape)
        kept[...] = array
        return kept


class EqualArrays:
    """Keeps one array of many equal ones, such as what all features of one kind have in common."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[int, ...], bytes], NDArray[Any]] = {}

    def one_of(self, array: NDArray[_Element]) -> NDArray[_Element]:
        """The first array that was given with these numbers; it must not be written to."""
        return self._known.setdefault((array.dtype.str, array.shape, array.tobytes()), array)
