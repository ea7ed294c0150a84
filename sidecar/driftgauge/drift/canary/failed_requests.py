"""The likelihood of how many of the failed requests of two revisions were the canary's.

While both revisions respond alike and routing is random, the failed requests of some seconds are a sample without
replacement of the requests of these seconds, whatever made them fail and however many failed together. With a ratio of
the odds, that of the canary's failed requests has Fisher's noncentral hypergeometric distribution, which is computed
here exactly: the test of Fisher for one table, Cochran's, Mantel's and Haenszel's for many.

Source:
    Breslow, Day, "Statistical methods in cancer research I", International Agency for Research on Cancer (1980), ch. 4.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from driftgauge.drift.canary.matched_requests import TILTS

Floats = NDArray[np.float64]

_MOST_VALUES = 500_000
"""Numbers that are computed at once, of 8 bytes each."""


def failure_likelihoods(canary: tuple[int, int], stable: tuple[int, int]) -> Floats:
    """The log of the likelihood of each tilt, the log of a ratio of odds, less that of tilt 0.

    Args:
        canary: Requests of the canary that failed, and all of them.
        stable: The same of the stable revision.

    Returns:
        Shape `(1, len(TILTS))`. Zeros if there is one way alone that the failed requests can be divided.
    """
    failed = canary[0] + stable[0]
    least, most = max(0, failed - stable[1]), min(failed, canary[1])
    if least == most:
        return np.zeros((1, TILTS.size))
    own = np.arange(least, most + 1, dtype=np.float64)
    ways = _log_choices(canary[1], own) + _log_choices(stable[1], failed - own)
    weights = ways - logsumexp(ways)
    parts = np.array_split(TILTS, 1 + own.size * TILTS.size // _MOST_VALUES)
    # Less the observed number, so that the exponents are small.
    norms = [logsumexp(weights[:, np.newaxis] + np.outer(own - canary[0], part), axis=0) for part in parts]
    return -np.concatenate(norms)[np.newaxis]


def _log_choices(number: int, chosen: Floats) -> Floats:
    """The log of the number of ways to choose so many of a number."""
    found: Floats = gammaln(number + 1.0) - gammaln(chosen + 1.0) - gammaln(number - chosen + 1.0)
    return found
