"""The survival function of the one-sample Kolmogorov-Smirnov statistic, in numpy.

The methods and the ranges in which they are used are those of `scipy.stats.kstwo.sf` (Simard and L'Ecuyer 2011), and so
are the numbers: over the whole range of D and N = 1 .. 200,000 the largest difference seen is 2e-14, and 2e-10 in the
one range where another method is used (N >= 5000 and p > 0.9999). It exists for speed and memory: `scipy.stats` takes
50 MB more than `scipy.special`, and its tail costs O(N) per value (75 ms at N = 200,000) where a sum of 255 terms gives
the same digits. `scipy.special.kolmogorov` is no replacement: it is the limit for N to infinity.

Source:
    R. Simard, P. L'Ecuyer, "Computing the Two-Sided Kolmogorov-Smirnov Distribution", Journal of
    Statistical Software 39(11), 2011, https://doi.org/10.18637/jss.v039.i11
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALL_N = 140
"""Up to here every value is exact (Simard and L'Ecuyer, section 3; scipy has the same bound)."""

SMALL_N_TAIL = 4.0
"""N D^2 from which twice the one-sided probability is used, for N up to `SMALL_N` (as in scipy)."""

TAIL = 2.2
"""N D^2 from which twice the one-sided probability is used, for N above `SMALL_N` (as in scipy)."""

UNDERFLOW = 370.0
"""N D^2 from which, for N above `SMALL_N` and D below 1/2, p is 0.0 (as in scipy)."""

BODY = 1.4
"""N D^1.5 up to which the exact matrix is used for N above `SMALL_N` (as in scipy)."""

BODY_N = 5000
"""N from which the expansion is used instead of the matrix: it is within 2e-10 of it below `BODY`, and far cheaper."""

ALL_TERMS_N = 1024
"""N up to which all terms of the tail's sum are computed."""

TERMS = 256
"""Steps of the trapezoid rule that replaces the tail's sum above `ALL_TERMS_N`.

The terms are values of a smooth function that falls to zero with all its derivatives at both ends, for which the rule's
error falls exponentially: as exp(-2 sqrt(pi TERMS N D^2)) for small N D^2, and it is below 1e-20.
"""

STIRLING_FROM = 16.0
"""From here on the error of five terms of Stirling's series is below 2e-16."""


def survival(n: int, statistics: Floats) -> Floats:
    """Probability that the statistic of `n` values reaches D, for each D.

    Args:
        n: Sample size N; 0 gives 1.0 everywhere (no evidence at all).
        statistics: Shape `(k,)`, float64, each D in [0, 1].

    Returns:
        Shape `(k,)`, float64, in [0, 1]; each depends on its own D only, to the last bit.

    Notes:
        It falls as D grows, except that for N above 140 it jumps up, as `kstwo.sf` does, where one method ends: by up
        to 5e-8 at N D^2 = 2.2 (p = 0.0246), by up to 3e-6 at N D^1.5 = 1.4 (p > 0.9).
    """
    result = np.ones(statistics.shape)
    if n == 0:
        return result
    result[statistics >= 1.0] = 0.0
    squared = n * statistics * statistics
    inside = (2.0 * n * statistics > 1.0) & (statistics < 1.0)
    tail = inside & ((2.0 * statistics >= 1.0) | (squared >= (SMALL_N_TAIL if n <= SMALL_N else TAIL)))
    exact = inside & ~tail & ((n <= SMALL_N) | ((n < BODY_N) & (n * statistics**1.5 <= BODY)))
    expansion = inside & ~tail & ~exact
    if n > SMALL_N:
        gone = tail & (squared >= UNDERFLOW) & (2.0 * statistics < 1.0)
        tail &= ~gone
        result[gone] = 0.0
    result[tail] = 2.0 * one_sided(n, statistics[tail])
    result[expansion] = 1.0 - pelz_good(n, statistics[expansion])
    result[exact] = [1.0 - durbin(n, float(statistic)) for statistic in statistics[exact]]
    return np.clip(result, 0.0, 1.0)


def one_sided(n: int, statistics: Floats) -> Floats:
    """Probability that the one-sided statistic of `n` values reaches D.

    Args:
        n: Sample size, at least 1.
        statistics: Shape `(k,)`, float64, each D in (0, 1); above `ALL_TERMS_N` with N D^2 at least `TAIL`.

    Notes:
        The sum over j of D C(n, j) (D + j/n)^(j-1) (1 - D - j/n)^(n-j), in logarithms. A binomial
        probability of j/n is factored out, which leaves little cancellation: the relative error is about 1e-16 n D.

    Source:
        Z. W. Birnbaum, F. H. Tingey, "One-sided confidence contours for probability distribution
        functions", Annals of Mathematical Statistics 22(4), 1951, equation 3.0.
    """
    step = 1.0 if n <= ALL_TERMS_N else n / TERMS
    j = np.arange(1.0, n / step) * step
    parts = [_terms(n, j, part) for part in _blocks(statistics, j.size)]
    total: Floats = np.exp(n * np.log1p(-statistics)) + statistics * step * np.concatenate(parts)
    return total


def _blocks(statistics: Floats, width: int) -> list[Floats]:
    """The statistics in parts whose matrix of terms has at most 1 MB."""
    rows = max(1, 2**17 // max(1, width))
    return [statistics[start : start + rows] for start in range(0, max(1, statistics.size), rows)]


def _terms(n: int, j: Floats, statistics: Floats) -> Floats:
    """The sum over j of the terms, each without its factor D."""
    share = j / n
    x = statistics[:, np.newaxis]
    taken = np.minimum(x / (1.0 - share), 1.0)
    with np.errstate(divide="ignore"):  # log(0) = -inf where D + j/n reaches 1: the term is 0
        log_term = j * np.log1p(x / share) + (n - j) * np.log1p(-taken)
    log_term += _log_binomial_at_mean(n, j) - np.log(x + share)
    total: Floats = np.exp(log_term).sum(axis=1)
    return total


def _log_binomial_at_mean(n: int, j: Floats) -> Floats:
    """Logarithm of the probability of j successes in n trials of chance j/n, for j between 0 and n."""
    errors = stirling_error(np.array([float(n)])) - stirling_error(j) - stirling_error(n - j)
    return errors + 0.5 * np.log(n / (2.0 * math.pi * j * (n - j)))


def stirling_error(k: Floats) -> Floats:
    """The error of Stirling's formula: log k! - log(sqrt(2 pi k) (k/e)^k), for k above 0.

    Source:
        NIST Digital Library of Mathematical Functions, equation 5.11.1, https://dlmf.nist.gov/5.11.E1
        (five terms from `STIRLING_FROM` on, the logarithm of the gamma function before).
    """
    inverse = 1.0 / k
    square = inverse * inverse
    tail = 1 / 1260 - square * (1 / 1680 - square / 1188)
    result = inverse * (1 / 12 - square * (1 / 360 - square * tail))
    for index in np.flatnonzero(k < STIRLING_FROM):
        small = float(k[index])
        stirling = (small + 0.5) * math.log(small) - small + 0.5 * math.log(2.0 * math.pi)
        result[index] = math.lgamma(small + 1.0) - stirling
    return result


def durbin(n: int, statistic: float) -> float:
    """Probability that the statistic of `n` values stays below D, exact: a matrix to the power n.

    Args:
        n: Sample size, at least 1.
        statistic: D in (0, 1).

    Notes:
        The matrix has 2 ceil(n D) - 1 rows; the cost is its cube times log n. It is divided by e,
        which keeps its powers within range: n! / n^n times e^n is sqrt(2 pi n) and Stirling's error.

    Source:
        G. Marsaglia, W. W. Tsang, J. Wang, "Evaluating Kolmogorov's Distribution", Journal of
        Statistical Software 8(18), 2003, https://doi.org/10.18637/jss.v008.i18
    """
    middle = math.ceil(n * statistic)
    matrix = _durbin_matrix(middle, middle - n * statistic)
    power = np.linalg.matrix_power(matrix / math.e, n)[middle - 1, middle - 1]
    scale = math.sqrt(2.0 * math.pi * n) * math.exp(float(stirling_error(np.array([float(n)]))[0]))
    return float(power) * scale


def _durbin_matrix(middle: int, h: float) -> Floats:
    """The matrix H of Marsaglia, Tsang and Wang for n D = middle - h."""
    size = 2 * middle - 1
    order = np.arange(1, size + 1)
    inverse_factorials = np.cumprod(1.0 / order)
    distance = order[:, np.newaxis] - order[np.newaxis, :]
    matrix: Floats = np.where(distance >= -1, np.append(1.0, inverse_factorials)[np.abs(distance + 1)], 0.0)
    edge = (1.0 - h**order) * inverse_factorials
    edge[-1] = (1.0 - 2.0 * h**size + max(2.0 * h - 1.0, 0.0) ** size) * inverse_factorials[-1]
    matrix[:, 0] = edge
    matrix[-1, :] = edge[::-1]
    return matrix


def pelz_good(n: int, statistics: Floats) -> Floats:
    """Probability that the statistic of `n` values stays below D, by an expansion in 1/sqrt(n) of four terms.

    Args:
        n: Sample size, above `SMALL_N`.
        statistics: Shape `(k,)`, float64, each D in (0, 1) with N D^2 below `TAIL`.

    Source:
        W. Pelz, I. J. Good, "Approximating the Lower Tail-Areas of the Kolmogorov-Smirnov One-Sample
        Statistic", Journal of the Royal Statistical Society B 38(2), 1976; the formulas as in Simard
        and L'Ecuyer, section 2.3. Eight terms of each sum: the ninth is below 1e-60 at N D^2 = 2.2.
    """
    z = math.sqrt(n) * statistics[:, np.newaxis]
    k = np.arange(1.0, 9.0)
    a = np.square(math.pi * (k - 0.5))
    b = np.square(math.pi * k)
    odd = np.exp(-a / (2 * z**2))
    even = np.exp(-b / (2 * z**2)) * b
    k0 = odd / z
    k1 = (a - z**2) * odd / (6 * z**4)
    k2 = (6 * z**6 + 2 * z**4 + (2 * z**4 - 5 * z**2) * a + (1 - 2 * z**2) * a**2) * odd / (72 * z**7)
    k2 = k2 - even / (36 * z**3)
    k3 = _pelz_good_third(z, a) * odd / (6480 * z**10) + (3 * z**2 - b) * even / (216 * z**6)
    terms: Floats = (k0 + k1 / n**0.5 + k2 / n + k3 / n**1.5).sum(axis=1)
    return math.sqrt(2 * math.pi) * terms


def _pelz_good_third(z: Floats, a: Floats) -> Floats:
    """The polynomial of the expansion's last term."""
    constant = -30 * z**6 - 90 * z**8
    linear = 135 * z**4 - 96 * z**6
    square = 212 * z**4 - 60 * z**2
    return constant + linear * a + square * a**2 + (5 - 30 * z**2) * a**3
