"""Detectors of concept drift on a stream of error bits, reimplemented from their papers and sources.

Each takes errors of shape `(n,)`, 0 or 1, and yields the rows after which it alarms; after an alarm it starts again.
"""

import math
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BUCKETS = 5
_CLOCK = 32
_GRACE = 10
_LEAST = 5
_WARM_UP = 30


def adwin(errors: Floats, delta: float = 0.002) -> Iterator[int]:
    """Adaptive windowing: two parts of the window differ by more than chance; checked every 32 rows.

    Source:
        A. Bifet, R. Gavalda, "Learning from Time-Changing Data with Adaptive Windowing", SDM 2007, with the bound and
        the settings of river 0.22, `river/drift/adwin_c.pyx`.
    """
    levels: list[deque[tuple[float, float]]] = [deque()]  # (sum, variance) of buckets of 2^level rows, newest last
    width, total, variance = 0, 0.0, 0.0
    for row, error in enumerate(errors.tolist(), 1):
        if width:
            variance += width * (error - total / width) ** 2 / (width + 1)
        width, total = width + 1, total + error
        levels[0].append((error, 0.0))
        _compress(levels)
        if row % _CLOCK or width <= _GRACE:
            continue
        found = False
        while width > _GRACE and _cut(levels, width, total, variance, delta):
            found = True
            rows, (oldest, spread) = 1 << (len(levels) - 1), levels[-1].popleft()
            width, total = width - rows, total - oldest
            mean = oldest / rows
            variance = max(0.0, variance - spread - rows * width * (mean - total / width) ** 2 / (rows + width))
            while len(levels) > 1 and not levels[-1]:
                levels.pop()
        if found:
            yield row


def _compress(levels: list[deque[tuple[float, float]]]) -> None:
    """Join the two oldest buckets of each level that has more than five."""
    for level, row in enumerate(levels):
        if len(row) <= _BUCKETS:
            return
        (one, first), (two, second) = row.popleft(), row.popleft()
        size = 1 << level
        joined = one + two, first + second + (one / size - two / size) ** 2 * size / 2
        if level + 1 == len(levels):
            levels.append(deque())
        levels[level + 1].append(joined)


def _cut(levels: list[deque[tuple[float, float]]], width: int, total: float, variance: float, delta: float) -> bool:
    """Whether any cut leaves two parts that differ by more than chance."""
    n0, u0 = 0, 0.0
    log = math.log(2 * math.log(width) / delta)
    spread = variance / width
    for level in range(len(levels) - 1, -1, -1):
        for total_of, _ in levels[level]:
            n0, u0 = n0 + (1 << level), u0 + total_of
            n1 = width - n0
            if n1 < _LEAST:
                return False
            if n0 < _LEAST:
                continue
            harmonic = 1 / (n0 - _LEAST + 1) + 1 / (n1 - _LEAST + 1)
            bound = math.sqrt(2 * harmonic * spread * log) + 2 / 3 * log * harmonic
            if abs(u0 / n0 - (total - u0) / n1) > bound:
                return True
    return False


def ddm(errors: Floats, threshold: float = 3.0) -> Iterator[int]:
    """The share of errors and its standard deviation exceed their least sum by so many deviations.

    Source:
        J. Gama et al., "Learning with Drift Detection", SBIA 2004; a warm-up of 30 rows as in river 0.22.
    """
    rows, share, least, at_least = 0, 0.0, math.inf, (0.0, 0.0)
    for row, error in enumerate(errors.tolist(), 1):
        rows += 1
        share += (error - share) / rows
        deviation = math.sqrt(share * (1 - share) / rows)
        if rows < _WARM_UP:
            continue
        if share + deviation <= least:
            least, at_least = share + deviation, (share, deviation)
        if share + deviation > at_least[0] + threshold * at_least[1]:
            yield row
            rows, share, least, at_least = 0, 0.0, math.inf, (0.0, 0.0)


def page_hinkley(errors: Floats, threshold: float = 50.0, slack: float = 0.005, alpha: float = 0.9999) -> Iterator[int]:
    """The cumulated surplus over the running mean exceeds its least value by a threshold.

    Source:
        E. S. Page, "Continuous Inspection Schemes", Biometrika 41, 1954; settings of river 0.22 (rises alone).
    """
    rows, mean, total, least = 0, 0.0, 0.0, math.inf
    for row, error in enumerate(errors.tolist(), 1):
        rows += 1
        mean += (error - mean) / rows
        total = alpha * total + (error - mean - slack)
        least = min(least, total)
        if rows >= _WARM_UP and total - least > threshold:
            yield row
            rows, mean, total, least = 0, 0.0, 0.0, math.inf


def running_risk(errors: Floats, upper: float, tolerance: float, level: float = 0.05) -> Iterator[int]:
    """The lower confidence bound of the mean error since the start exceeds the reference's upper bound and a tolerance.

    Args:
        errors: The errors.
        upper: Upper bound of the reference's share of errors.
        tolerance: What is tolerated beyond it.
        level: Chance of a false alarm for all time.

    Source:
        A. Podkopaev, A. Ramdas, "Tracking the Risk of a Deployed Model and Detecting Harmful Distribution Shifts",
        ICLR 2022, as in MAPIE 1.6 `RiskMonitoring`; the bound is the predictably mixed one of Waudby-Smith and Ramdas,
        JRSS B 86(1), 2024, theorem 2 (empirical Bernstein).
    """
    n = np.arange(1, errors.size + 1)
    mean = (0.5 + np.cumsum(errors)) / (n + 1)
    before = np.append(0.5, mean[:-1])
    variance = (0.25 + np.cumsum((errors - mean) ** 2)) / (n + 1)
    stakes = np.minimum(np.sqrt(2 * math.log(1 / level) / (np.append(0.25, variance[:-1]) * n * np.log1p(n))), 0.5)
    psi = -np.log1p(-stakes) - stakes
    sums = np.cumsum(stakes)
    width = (math.log(1 / level) + np.cumsum((errors - before) ** 2 * psi)) / sums
    lower = np.cumsum(stakes * errors) / sums - width
    beyond = np.flatnonzero(lower > upper + tolerance)
    if beyond.size:
        yield int(beyond[0]) + 1
