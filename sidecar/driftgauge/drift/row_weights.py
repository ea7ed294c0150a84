"""The weight of each row of a window, where requests of several rows make it differ from 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.request_correlation import row_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RowWeights:
    """The weights of a window's rows, for each of `d` features.

    Args:
        values: Shape `(d, n)`, in (0, 1]: for the distribution of the values.
        missing: Shape `(d, n)`, in (0, 1]: for the share of missing values.
    """

    values: Floats
    missing: Floats

    def of(self, features: Sequence[int]) -> "RowWeights":
        """The weights for some of the features, ascending, each once."""
        if len(features) == self.values.shape[0]:
            return self
        return RowWeights(self.values[features], self.missing[features])


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
    values, missing = (np.ascontiguousarray(row_weights(lengths, bounds).T) for bounds in correlations)
    return RowWeights(values, missing)
