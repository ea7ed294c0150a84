"""How many independent rows a window is worth: rows of one request are alike, and so are neighbours in time.

This room is pure: numpy in, numbers out.
"""

import numpy as np
from numpy.typing import NDArray

MAX_LAGS = 128
"""Requests that may lie between two that still resemble each other, as far as it is looked at; even."""

FEW_REQUESTS = 20
"""With fewer the factor is not told from them: rows of one request count as one."""

SEGMENTS = 8
"""Parts of a window that are looked at one by one, so that a change of level between two of them is no dependence."""

LEFT_OUT = 2
"""Of the eight, the parts that show the most dependence: a change within them would be taken for it."""

LOST = 6
"""What centring in segments, and leaving out two, takes from the sum: so many times its own reach within a segment.
Measured on AR(1) with 0.3 to 0.9, where it makes up for all but a twentieth (tests/unit/drift/test_dependence.py)."""

MOST_RAISED = 3
"""A sum is raised to this multiple at most."""

_BLOCK = 16
"""Scores that are looked at together: all of their numbers fit into a processor's cache."""


def dependence_factors(scores: NDArray[np.float64], requests: NDArray[np.int64]) -> NDArray[np.float64]:
    """By how much the variance of a mean over the rows exceeds that of as many independent rows.

    Args:
        scores: Shape `(n, k)`, float64, finite, n at least 1; k scores of each row, in the order of time.
        requests: Shape `(n,)`: equal for rows of one request, ascending.

    Returns:
        Shape `(k,)`, at least 1: rows / effective rows. 1 for a constant score.

    Notes:
        The sums of the requests' scores, centred in each segment of the window, make series whose autocovariances
        are pooled over the segments but the two most dependent ones, and summed pair by pair as long as the pairs
        are positive and fall, which is where noise begins in a reversible chain; what the segments take from the
        sum is made up for, and one standard error is added.
        O(n log n). Changes that take longer than a segment are no dependence: they are what is looked for.

    Source:
        C. J. Geyer, "Practical Markov Chain Monte Carlo", Statistical Science 7(4), 1992, section 3.3.
        L. Kish, "Survey Sampling", 1965, section 5.4, for rows of one request.
    """
    starts = np.flatnonzero(np.diff(requests, prepend=requests[0] - 1))
    blocks = [scores[:, first : first + _BLOCK] for first in range(0, scores.shape[1], _BLOCK)]
    return np.concatenate([_factors(block, starts) for block in blocks])


def _factors(scores: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """The factors of scores of requests that start at these rows."""
    varies = (scores != scores[0]).any(axis=0)  # exactly: the variance of a constant is not always 0 in floats
    count = starts.size
    if count < FEW_REQUESTS:
        sizes = np.diff(starts, append=scores.shape[0])
        return np.where(varies, np.square(sizes).sum() / scores.shape[0], 1.0)
    covariances, variances = _by_segment(scores, starts)
    kept = _kept(covariances, variances)
    variance = (variances * kept).sum(axis=0)
    pooled = (covariances * kept[:, np.newaxis]).sum(axis=0)
    found = _initial_monotone(pooled) / np.where(variance > 0, variance, 1.0)
    reach = LOST * found * count / scores.shape[0] / (count // covariances.shape[0])
    factors = found / (1 - np.minimum(reach, 1 - 1 / MOST_RAISED)) * (1 + np.sqrt(2 / count))
    return np.where(varies, np.maximum(factors, 1.0), 1.0)


def _by_segment(
    scores: NDArray[np.float64], starts: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The autocovariances `(segments, lags, k)` of the requests' sums and the sums of squares `(segments, k)`."""
    segments = min(SEGMENTS, starts.size // FEW_REQUESTS)
    length = starts.size // segments
    used = starts[starts.size - segments * length :]
    rows, starts = scores[used[0] :], used - used[0]
    borders = starts[::length]
    sizes = np.diff(borders, append=rows.shape[0])
    means = np.add.reduceat(rows, borders, axis=0) / sizes[:, np.newaxis]
    centred = rows - np.repeat(means, sizes, axis=0)
    sums = centred if starts.size == rows.shape[0] else np.add.reduceat(centred, starts, axis=0)
    return _autocovariances(sums.reshape(segments, length, -1)), np.add.reduceat(np.square(centred), borders, axis=0)


def _kept(covariances: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which segments count, for each score: shape `(segments, k)`; where there are few, all do."""
    segments = variances.shape[0]
    left_out = LEFT_OUT if segments == SEGMENTS else 0
    shown = _initial_monotone(np.moveaxis(covariances, 0, 1)) / np.where(variances > 0, variances, 1.0)
    kept: NDArray[np.bool_] = shown.argsort(axis=0).argsort(axis=0) < segments - left_out
    return kept


def _autocovariances(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sums of products of series with themselves at each lag: `(s, count, k)` to `(s, lags, k)`, lags even."""
    count = series.shape[1]
    lags = min(MAX_LAGS, count - count % 2)
    size = _quick_size(count + lags)
    # each series by itself in memory, and complex: what numpy would do of both on its way takes four times as long
    spectrum = np.fft.rfft(np.ascontiguousarray(series.swapaxes(1, 2)), size)
    power: NDArray[np.float64] = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.ascontiguousarray(np.fft.irfft(power.astype(np.complex128), size)[:, :, :lags].swapaxes(1, 2))


def _quick_size(least: int) -> int:
    """The smallest length of at least so many that is quick to transform: 1, 3, 5, 9, 15 or 25 times a power of two."""
    return min(odd << max(0, (-(-least // odd) - 1).bit_length()) for odd in (1, 3, 5, 9, 15, 25))


def _initial_monotone(covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The long-run variance: pairs of lags added as long as they are positive, none larger than the one before."""
    pairs = covariances[0::2] + covariances[1::2]
    kept = np.logical_and.accumulate(pairs > 0, axis=0)
    falling = np.minimum.accumulate(np.where(kept, pairs, 0.0), axis=0)
    variance: NDArray[np.float64] = 2 * falling.sum(axis=0) - covariances[0]
    return variance
