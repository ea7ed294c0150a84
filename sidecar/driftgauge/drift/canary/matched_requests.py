"""Matches requests of two revisions: the likelihood of who responded to which, given the scores of a group's requests.

Requests are routed at random. While both revisions respond alike, each request of a group of one canary request and
some stable ones is the canary's with the same chance, whatever their scores, whatever the hour, and however much
requests resemble each other. With a tilt t, a request of score z is the canary's with a chance in proportion to
exp(t z): conditional logistic regression. So the ratio of the two likelihoods is an e-value: its mean is exactly 1.

Source:
    Breslow, Day, Halvorsen, Prentice, Sabai, "Estimation of multiple relative risk functions in matched case-control
    studies", American Journal of Epidemiology 108(4), 299-307 (1978). Ramdas, Gruenwald, Vovk, Shafer, "Game-theoretic
    statistics and safe anytime-valid inference", Statistical Science 38(4), 576-601 (2023), for e-values.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SIDE = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0)

TILTS: Final[Floats] = np.array([*(-one for one in reversed(_SIDE)), 0.0, *_SIDE])
"""The tilts whose likelihood is known, ascending, 0 in the middle. Of errors, a tilt is the log of the odds ratio."""

ZERO: Final = len(_SIDE)
"""The index of the tilt 0."""

MAX_REQUESTS: Final = 1_024
"""Requests of each revision that are matched in one stratum; of more, so many are chosen at random."""

_MOST_VALUES: Final = 500_000
"""Numbers that are computed at once, of 8 bytes each."""


def tilt_likelihoods(canary: Floats, stable: Floats, rng: np.random.Generator) -> Floats:
    """The log of the likelihood of each tilt, less that of tilt 0.

    Args:
        canary: Shape `(n, k)`: the scores of the canary's requests. They may depend on all requests, but not on
            which revision responded to which.
        stable: Shape `(m, k)`: those of the stable revision.
        rng: Matches the requests.

    Returns:
        Shape `(k, len(TILTS))`. Zeros if a revision has no request.

    Notes:
        Groups have one request of the revision with fewer, and one or more of the other; all are in a group. Given
        the requests of a stratum, the matching is as random as the routing, so every group is as the module says.
    """
    scores = canary.shape[1]
    if not len(canary) or not len(stable):
        return np.zeros((scores, TILTS.size))
    sign = 1.0 if len(canary) <= len(stable) else -1.0
    few, many = (canary, stable) if sign > 0 else (stable, canary)
    few, many = few[rng.permutation(len(few))[:MAX_REQUESTS]], many[rng.permutation(len(many))]
    many = many[: max(MAX_REQUESTS, len(few))]
    least, more = divmod(len(many), len(few))
    sizes = np.full(len(few), least)
    sizes[:more] += 1
    starts = np.cumsum(sizes) - sizes
    at_once = max(1, _MOST_VALUES // (scores * TILTS.size))
    # Groups one after another, some at a time, so that memory is bounded.
    ends = [*np.flatnonzero(np.diff(starts // at_once)) + 1, len(few)]
    found, first = np.zeros((scores, TILTS.size)), 0
    for end in ends:
        groups = slice(first, end)
        own = sign * few[groups, :, np.newaxis] * TILTS
        others = np.exp(sign * many[starts[first] : starts[end - 1] + sizes[end - 1], :, np.newaxis] * TILTS)
        every = np.exp(own) + np.add.reduceat(others, starts[groups] - starts[first])
        found += (own - np.log(every / (1 + sizes[groups])[:, np.newaxis, np.newaxis])).sum(axis=0)
        first = end
    return found
