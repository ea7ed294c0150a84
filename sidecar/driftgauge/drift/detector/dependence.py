"""Dependence of rows: how many independent rows a window is worth.

Rows of one request are alike, and so are neighbours in time. The mean over n such rows varies as the mean over n /
factor independent rows does, and everything that counts rows counts effective ones.
"""

import numpy as np
from numpy.typing import NDArray

MAX_LAGS = 128
"""Lags of the autocovariances, in requests; even."""

FEW_REQUESTS = 20
"""With fewer requests nothing is estimated: the rows of one request count as one."""

SEGMENTS = 8
"""Parts of a window, each centred by its own mean: a change of level between two of them must not look like
dependence."""

LEFT_OUT = 2
"""Of the eight segments, the two that show the most dependence are left out: a change within one would look like it."""

LOST = 6
"""Correction for centring in segments and leaving out two, which make the factor too small. The part of it that is lost
is this times the factor in requests, divided by the requests of a segment. Measured on AR(1) with correlations of 0.3
to 0.9, where the corrected factor is within 5 % of the true one (tests/unit/drift/detector/test_dependence.py)."""

MOST_RAISED = 3
"""The correction multiplies a factor by at most this."""

_BLOCK = 16
"""Scores per numpy call: all of their numbers fit into a processor's cache."""


def dependence_factors(
    scores: NDArray[np.float64], requests: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The variance of a mean over the rows, divided by that of as many independent rows.

    Args:
        scores: Shape `(n, k)`, float64, finite, n at least 1: k scores of each row, oldest row first.
        requests: Shape `(n,)`: equal for rows of one request, ascending.
        weights: Shape `(n, k)`, above 0: the weight of each row for each score, by which the correlation within
            requests is allowed for already. `None`: all are 1, and the factor allows for it.

    Returns:
        Shape `(k,)`, at least 1: rows / effective rows, or the sum of the weights / effective rows. 1 for a constant
        score.

    Notes:
        1. The rows' scores are centred in each of eight segments of the window, and summed over each request, weighted.
        2. The autocovariances of these sums are added over the segments, except for the two most dependent ones.
        3. Their long-run variance, divided by the sum of the squared scores, is the factor.
        4. It is corrected for what steps 1 and 2 take from it, and one standard error is added.

        Changes that take longer than a segment are no dependence: they are the drift that is looked for. O(n log n).

    Source:
        C. J. Geyer, "Practical Markov Chain Monte Carlo", Statistical Science 7(4), 1992, section 3.3.
        L. Kish, "Survey Sampling", 1965, section 5.4, for rows of one request.
    """
    starts = np.flatnonzero(np.diff(requests, prepend=requests[0] - 1))
    blocks = [slice(first, first + _BLOCK) for first in range(0, scores.shape[1], _BLOCK)]
    return np.concatenate(
        [_factors(scores[:, block], starts, None if weights is None else weights[:, block]) for block in blocks]
    )


def _factors(
    scores: NDArray[np.float64], starts: NDArray[np.intp], weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """The factors of scores whose requests start at these rows."""
    varies = (scores != scores[0]).any(axis=0)  # compared exactly: the variance of a constant may not be 0 in floats
    count = starts.size
    if count < FEW_REQUESTS and weights is not None:
        return np.ones(scores.shape[1])  # requests are taken to be independent of each other, as below
    if count < FEW_REQUESTS:
        # With the b rows of each request wholly alike, n rows are worth n^2 / sum(b^2) independent ones (Kish).
        sizes = np.diff(starts, append=scores.shape[0])
        return np.where(varies, np.square(sizes).sum() / scores.shape[0], 1.0)
    covariances, variances = _by_segment(scores, starts, weights)
    used = _used_segments(covariances, variances)
    variance = (variances * used).sum(axis=0)
    pooled = (covariances * used[:, np.newaxis]).sum(axis=0)
    estimate = _long_run_variance(pooled) / np.where(variance > 0, variance, 1.0)
    # Centring makes the autocovariances of a segment sum to 0 over all lags, so that those of the first lags are too
    # small, the more so the longer the memory is compared with the segment. `estimate * count / rows` is the memory in
    # requests, `count // segments` the length of a segment in requests.
    rows = scores.shape[0] if weights is None else weights.sum(axis=0)
    lost = LOST * estimate * count / rows / (count // covariances.shape[0])
    factors = estimate / (1 - np.minimum(lost, 1 - 1 / MOST_RAISED)) * (1 + np.sqrt(2 / count))
    return np.where(varies, np.maximum(factors, 1.0), 1.0)


def _by_segment(
    scores: NDArray[np.float64], starts: NDArray[np.intp], weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The autocovariances `(segments, lags, k)` of the requests' sums, and the sums of squares `(segments, k)`.

    All segments have the same number of requests; the oldest requests are left out if a few are too many.
    """
    segments = min(SEGMENTS, starts.size // FEW_REQUESTS)
    length = starts.size // segments
    used = starts[starts.size - segments * length :]
    rows, starts = scores[used[0] :], used - used[0]
    borders = starts[::length]
    sizes = np.diff(borders, append=rows.shape[0])
    if weights is None:
        means = np.add.reduceat(rows, borders, axis=0) / sizes[:, np.newaxis]
        centred = weighted = rows - np.repeat(means, sizes, axis=0)
    else:
        used_weights = weights[used[0] :]
        totals = np.add.reduceat(used_weights * rows, borders, axis=0)
        means = totals / np.add.reduceat(used_weights, borders, axis=0)
        centred = rows - np.repeat(means, sizes, axis=0)
        weighted = used_weights * centred
    sums = weighted if starts.size == rows.shape[0] else np.add.reduceat(weighted, starts, axis=0)
    variances = np.add.reduceat(weighted * centred, borders, axis=0)
    return _autocovariances(sums.reshape(segments, length, -1)), variances


def _used_segments(covariances: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which segments are used for each score: shape `(segments, k)`; all of them if there are fewer than eight."""
    segments = variances.shape[0]
    left_out = LEFT_OUT if segments == SEGMENTS else 0
    dependence = _long_run_variance(np.moveaxis(covariances, 0, 1)) / np.where(variances > 0, variances, 1.0)
    rank = dependence.argsort(axis=0).argsort(axis=0)
    used: NDArray[np.bool_] = rank < segments - left_out
    return used


def _autocovariances(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sums of products of series with themselves at each lag: `(s, count, k)` to `(s, lags, k)`, lags even.

    By the Fourier transform, padded with zeros so that the ends of a series do not meet.
    """
    count = series.shape[1]
    lags = min(MAX_LAGS, count - count % 2)
    size = _fft_size(count + lags)
    # Contiguous series and complex input: numpy would convert both by itself, but that takes four times as long.
    spectrum = np.fft.rfft(np.ascontiguousarray(series.swapaxes(1, 2)), size)
    power: NDArray[np.float64] = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.ascontiguousarray(np.fft.irfft(power.astype(np.complex128), size)[:, :, :lags].swapaxes(1, 2))


def _fft_size(least: int) -> int:
    """The smallest length from `least` on that is quick to transform: 1, 3, 5, 9, 15 or 25 times a power of two."""
    return min(odd << max(0, (-(-least // odd) - 1).bit_length()) for odd in (1, 3, 5, 9, 15, 25))


def _long_run_variance(covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance at lag 0 and twice the autocovariances at all other lags, by Geyer's initial monotone sequence.

    The true sum needs all lags, but most estimates at high lags are noise, whose sum does not vanish. In a reversible
    Markov chain the sums of pairs of neighbouring lags, (0, 1), (2, 3), ..., are positive and fall. So the first pair
    that is not positive shows where noise begins, and a pair that is larger than the one before it shows noise, and is
    lowered to that one. Example: pairs of 5, 2, 3, 0.5, -0.1, 0.4 count as 5, 2, 2, 0.5, 0, 0, the sum is 9.5, and the
    long-run variance 2 * 9.5 - (lag 0), since lag 0 counts once.
    """
    pairs = covariances[0::2] + covariances[1::2]
    is_signal = np.logical_and.accumulate(pairs > 0, axis=0)
    falling = np.minimum.accumulate(np.where(is_signal, pairs, 0.0), axis=0)
    variance: NDArray[np.float64] = 2 * falling.sum(axis=0) - covariances[0]
    return variance
