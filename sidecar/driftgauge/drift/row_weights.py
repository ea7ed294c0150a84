"""The weight of each row of a window, where requests of several rows make it differ from 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.request_correlation import row_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RowWeights:
    """The weights of a window's rows, for each of `d` features. Rows whose requests are of one length have equal ones.

    Args:
        lengths: Shape `(n,)`: for each row, the index of the length of its request.
        of_values: Shape `(u, d)`, in (0, 1]: for each length, the weight in the distribution of the values.
        of_missing: Shape `(u, d)`, in (0, 1]: the weight in the share of missing values.
    """

    lengths: NDArray[np.intp]
    of_values: Floats
    of_missing: Floats

    def values(self, features: Sequence[int]) -> Floats:
        """The weights of the rows in the distribution of the values of some features: shape `(f, n)`."""
        return np.ascontiguousarray(self.of_values.T[features]).take(self.lengths, axis=1)

    def missing(self, features: Sequence[int]) -> Floats:
        """The weights of the rows in the shares of missing values of some features: shape `(f, n)`."""
        return np.ascontiguousarray(self.of_missing.T[features]).take(self.lengths, axis=1)

    @property
    def value_sums(self) -> Floats:
        """The sum of the weights in the distribution of each feature's values: shape `(d,)`."""
        sums: Floats = np.bincount(self.lengths, minlength=self.of_values.shape[0]) @ self.of_values
        return sums


def request_lengths(requests: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows of a window the request of each row has: shape `(n,)`.

    Args:
        requests: Shape `(n,)`: equal for rows of one request, ascending.
    """
    starts = np.flatnonzero(np.diff(requests, prepend=requests[:1] - 1))
    lengths = np.diff(starts, append=requests.size)
    return np.repeat(lengths, lengths)


def weights_of(lengths: NDArray[np.int64], correlations: tuple[Floats, Floats]) -> RowWeights:
    """The weights of the rows of requests of so many rows.

    Args:
        lengths: Shape `(n,)`: the rows of each row's request.
        correlations: Two of shape `(d,)`: the correlation within requests, of the values and of missing ones.
    """
    different, places = np.unique(lengths, return_inverse=True)
    return RowWeights(places, *(row_weights(different, bounds) for bounds in correlations))
