"""Weights of rows by request: rows of one request resemble each other, and must not count as independent ones.

With k rows in a request, of one variance, and any two of them of correlation rho, the mean of their scores varies as
that of k / (1 + (k - 1) rho) independent rows. So each row has the weight 1 / (1 + (k - 1) rho): that of generalised
least squares for exchangeable rows. With rho = 0 it is 1, with rho = 1 a request counts as one row. The variance and
the correlation are taken to be the same for requests of all sizes.

The correlation of each score is estimated from the requests of several rows that were fed, and an upper bound of it is
used; it is 1 while nothing is known. The estimate of a request is the mean product of two of its rows, less the product
of the means of this request and the one before it. The latter takes the level out: without it a change of the level,
which is to be found, would look like correlation and hide itself.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEMORY_REQUESTS = 2_000
"""Requests of several rows over which the sums reach back: each further request takes 1/2000 of the weight of all."""

STANDARD_ERRORS = 2
"""Standard errors from the estimate to the upper bound."""

PRIOR_REQUESTS = 2
"""The bound is drawn to 1 as by so many requests of wholly equal rows."""

_ROUNDING = 1e-10

SUMS = 7
"""Lines of the running sums: requests, a, q, a^2, a q, q^2, and the mean score of the newest request, where a is a
request's estimate of the covariance of its rows, and q that of their variance."""


def no_sums(scores: int) -> Floats:
    """The running sums before the first request: shape `(SUMS, scores)`."""
    sums = np.zeros((SUMS, scores))
    sums[-1] = np.nan
    return sums


def add_requests(sums: Floats, totals: Floats, squares: Floats, lengths: NDArray[np.int64]) -> Floats:
    """The running sums with further requests.

    Args:
        sums: Shape `(SUMS, s)`.
        totals: Shape `(r, s)`, r at least 1: the sum of each score over the rows of each request, in order.
        squares: Shape `(r, s)`: the sum of the squared scores.
        lengths: Shape `(r,)`, at least 2: the rows of each request.
    """
    rows = lengths[:, np.newaxis]
    means = totals / rows
    level = means * np.vstack([sums[-1:], means[:-1]])
    power = squares / rows
    covariance = _rounded((totals**2 - squares) / (rows * (rows - 1)) - level, power)
    variance = _rounded(power - level, power)
    known = slice(int(np.isnan(sums[-1]).any()), None)  # the very first request has none before it
    a, q = covariance[known], variance[known]
    decay = 1 - 1 / MEMORY_REQUESTS
    shares = decay ** np.arange(a.shape[0] - 1, -1, -1.0)
    added = [shares @ one for one in (np.ones_like(a), a, q, a * a, a * q, q * q)]
    return np.vstack([sums[:-1] * decay ** a.shape[0] + added, means[-1:]])


def _rounded(difference: Floats, power: Floats) -> Floats:
    """A difference of mean squares, or 0 where it is their rounding error: a constant score must have no variance."""
    return np.where(np.abs(difference) > _ROUNDING * power, difference, 0.0)


def correlation_bounds(sums: Floats) -> Floats:
    """An upper bound of the correlation of two rows of one request, for each score: shape `(s,)`, in (0, 1].

    Notes:
        The estimate is the ratio of two means over requests, with the standard error of such a ratio. A score that
        hardly ever differs from its mean, such as that of rare values, is known from the few requests in which it does;
        their number is at most (sum q)^2 / sum q^2. A score that never varied has the bound 1.
    """
    requests, a, q, aa, aq, qq, _ = sums
    known = (requests > 1) & (q > 0)
    safe = np.where(known, q, 1.0)
    ratio = np.where(known, a, 0.0) / safe
    residual = np.maximum(aa - 2 * ratio * aq + ratio**2 * qq, 0.0)
    small_sample = requests / np.where(known, requests - 1, 1.0)
    bound = np.clip(ratio + STANDARD_ERRORS * np.sqrt(residual * small_sample) / safe, 0.0, 1.0)
    informative = np.minimum(requests, q**2 / np.where(qq > 0, qq, 1.0))
    pulled = (informative * bound + PRIOR_REQUESTS) / (informative + PRIOR_REQUESTS)
    return np.where(known, pulled, 1.0)


def row_weights(lengths: NDArray[np.int64], bounds: Floats) -> Floats:
    """The weight of a row of each request for each score: shape `(r, s)`, in (0, 1]; 1 for a request of one row."""
    weights: Floats = 1.0 / (1.0 + (lengths[:, np.newaxis] - 1) * bounds)
    return weights
