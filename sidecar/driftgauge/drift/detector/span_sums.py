"""Dependence of each score, from running sums over blocks of 1, 2, 4, ... requests.

Two neighbouring blocks of independent rows differ in their mean score by chance alone, by as much as the variance of a
row says. Where rows resemble their neighbours, the means of long blocks differ more than that. The ratio is the factor:
by how much dependence makes the variance of a mean larger. Blocks of all spans are looked at, and the largest counts.

Only neighbours are compared, so that slow changes count for little, and a step touches one pair of each span. The pair
of a span that differs most is left out. So a change, which is to be found, does not look like dependence.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPANS = 16
"""Spans of blocks: 1, 2, 4, ..., 32,768 requests."""

MEMORY_PAIRS = 1_024
"""Pairs of a span over which its sums reach back: each further pair takes 1/1024 of the weight of all."""

FEWEST_PAIRS = 7
"""A span is used from so many informative pairs on."""

BOUNDED_ROWS = 16
"""The factor has an upper bound only if blocks that are worth so many rows can be used."""

STANDARD_ERRORS = 1
"""Standard errors from the estimate to the upper bound."""

SATURATED = 4
"""Blocks must be this many times as long as the factor."""

SATURATED_EVENTS = 2
"""The same for events, whose factor is overestimated: within a pair of blocks that an event nearly fills it hardly
varies."""

_ROUNDING = 0.01
"""Sums of weights are stored with seven digits."""

MEMORY_REQUESTS = 4_096
"""Requests over which the running mean reaches back: each further one takes 1/4096 of the weight of all."""

GROWTH = 2.5
"""The factor has no upper bound while that of the two longest spans is above this many times that of spans a quarter as
long."""

LEAST_GROWN = 2.0
"""A factor up to this does not count as grown: that of independent rows varies too."""

_BLOCK_SCORES = 512
"""Scores that are worked on at once: the numbers in between take a megabyte, and not ten times as much."""

SUMS = 11
"""Lines of the sums of a span. Of the block that waits for its neighbour: the sum of the weighted scores, of their
weighted squares, and of the weights. Of pairs: their number, D^2, Q, Q^2, D^4, their weight, and the largest D^2.
The last line has the running sum of the weighted scores and of the weights in the places of the spans 1 and 2."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """New requests, in their order.

    Args:
        totals: Shape `(r, s)`: the sum of each score over the rows of a request, each row times its weight.
        squares: Shape `(r, s)`: the same sum of the squared scores.
        weights: Shape `(r, s)`, above 0: the sum of the weights.
        centred: Shape `(s,)`: whether a score is of the values as a whole; else it is 0 but for rows with some event.
    """

    totals: Floats
    squares: Floats
    weights: Floats
    centred: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """The dependence of each of `s` scores.

    Args:
        factors: Shape `(s,)`, at least 1: an upper bound of rows / effective rows, as far as the usable spans show it.
        bounded: Shape `(s,)`: whether blocks of 16 rows are known, and the factor does not still grow.
        grows: Shape `(s,)`: whether such blocks are known, and the factor still grows: the rows are too alike.
        longest: Shape `(s,)`: the rows that blocks of the longest usable span are worth; 0 if none is usable.
        rough: Shape `(s,)`, at least 1: the largest factor of any span, however few pairs show it; no bound.
    """

    factors: Floats
    bounded: NDArray[np.bool_]
    grows: NDArray[np.bool_]
    longest: Floats
    rough: Floats


def no_spans(scores: int) -> NDArray[np.float32]:
    """The sums before the first request: shape `(SUMS, SPANS, scores)`."""
    return np.broadcast_to(np.float32(0.0), (SUMS, SPANS, scores))  # in the memory of one number


def add_units(sums: NDArray[np.float32], before: int, units: Units) -> NDArray[np.float32]:
    """The sums with further requests.

    Args:
        sums: Shape `(SUMS, SPANS, s)`.
        before: How many requests the sums have; bit j says whether a block of 2^j requests waits for its neighbour.
        units: The new requests.
    """
    after = sums.astype(np.float64)
    decay = (1 - 1 / MEMORY_REQUESTS) ** units.totals.shape[0]
    after[-1, :2] = after[-1, :2] * decay + [units.totals.sum(axis=0), units.weights.sum(axis=0)]
    mean = np.where(units.centred, after[-1, 0] / after[-1, 1], 0.0)
    squares = np.maximum(units.squares - 2 * mean * units.totals + mean**2 * units.weights, 0.0)
    blocks = np.stack([units.totals, squares, units.weights])
    for span in range(SPANS):
        if before >> span & 1:
            blocks = np.concatenate([after[:3, span, np.newaxis], blocks], axis=1)
        pairs = blocks.shape[1] // 2
        waiting = blocks[:, -1] if blocks.shape[1] % 2 else 0.0
        first, second = blocks[:, 0 : 2 * pairs : 2], blocks[:, 1 : 2 * pairs : 2]
        after[:3, span] = waiting
        if pairs == 0:
            break
        blocks = first + second
        after[3:-1, span] = _with_pairs(after[3:-1, span], first, second, np.where(units.centred, 0.0, 0.5 / 2**span))
    return after.astype(np.float32)


def _with_pairs(sums: Floats, first: Floats, second: Floats, within: Floats) -> Floats:
    """The sums over the pairs of a span, with further pairs: shape `(7, s)`.

    Args:
        sums: Shape `(7, s)`.
        first: Shape `(3, pairs, s)`: the first block of each pair.
        second: Shape `(3, pairs, s)`: the second block.
        within: Shape `(s,)`: for events the part of a pair's requests that a single one is; 0 for values.

    Notes:
        With block sums S and weights n, D^2 = (S_a / n_a - S_b / n_b)^2 n_a n_b / (n_a + n_b), whose mean is the
        variance of a row if rows are independent. Q is that variance: of values, which may stay on one side for long,
        the mean square about the running mean; of events the variance within the pair, so that only pairs with and
        without the event show anything. A row of rows that all have it is one event, however long.
    """
    difference = first[0] / first[2] - second[0] / second[2]
    weight = first[2] + second[2]
    d = difference**2 * first[2] * second[2] / weight
    square = (first[0] + second[0]) ** 2 / weight
    q = np.where(within > 0, (first[1] + second[1] - square) / (1 - within), first[1] + second[1]) / weight
    q = np.maximum(np.where(q > _ROUNDING * square / weight, q, 0.0), 0.0)
    decay = 1 - 1 / MEMORY_PAIRS
    age = decay ** np.arange(d.shape[0] - 1, -1, -1.0)
    total = decay ** d.shape[0]
    added = [age @ one for one in (np.ones_like(d), d, q, q * q, d * d, weight)]
    largest = np.maximum(sums[6] * total, (age[:, np.newaxis] * d).max(axis=0))
    return np.vstack([sums[:6] * total + added, largest])


def dependence(
    sums: NDArray[np.float32], growth: float = GROWTH, events: NDArray[np.bool_] | None = None
) -> Dependence:
    """An upper bound of the factor of each score, and whether it is one.

    Args:
        sums: Shape `(SUMS, SPANS, s)`.
        growth: From this ratio on the factor of long spans has grown.
        events: Shape `(s,)`: whether a score is that of an event; by default none is.

    Notes:
        A score that hardly ever differs from 0, such as that of rare values, is known from the few pairs in which it
        does; their number is at most (sum Q)^2 / sum Q^2. Two standard errors are taken from the factor of each span,
        since the largest of many is looked for, and one is added to the one that is found.

    Source:
        D. W. Allan, Proceedings of the IEEE 54(2), 1966, 10.1109/PROC.1966.4634, for the variance of neighbours.
        D. P. Percival, Biometrika 82(3), 1995, 10.1093/biomet/82.3.619, for the same as Haar wavelets.
    """
    events = np.zeros(sums.shape[2], dtype=np.bool_) if events is None else events
    parts = [slice(first, first + _BLOCK_SCORES) for first in range(0, max(1, sums.shape[2]), _BLOCK_SCORES)]
    each = [_dependence(sums[..., part], growth, events[part]) for part in parts]
    columns = zip(*((one.factors, one.bounded, one.grows, one.longest, one.rough) for one in each), strict=True)
    return Dependence(*(np.concatenate(column) for column in columns))


def _dependence(sums: NDArray[np.float32], growth: float, events: NDArray[np.bool_]) -> Dependence:
    """`dependence` of some scores."""
    pairs, d, q, qq, dd, weight, largest = sums[3:-1].astype(np.float64)
    informative = np.minimum(pairs, q**2 / np.where(qq > 0, qq, 1.0))
    usable = informative >= FEWEST_PAIRS
    count = np.maximum(informative, FEWEST_PAIRS)
    rest = np.maximum(d - largest, 0.0)
    kept = 1 - np.interp(np.log2(count), _LOG_COUNTS, _LARGEST_SHARES)
    ratio = rest / np.where(usable, q, 1.0) / kept
    lower = np.where(usable, ratio - 2 * np.sqrt(2 / count), 0.0)
    best = lower.argmax(axis=0)[np.newaxis]
    squares = np.maximum(dd - largest**2, 0.0)
    independent = 3 * rest**2 / np.where(squares > 0, squares, np.inf)
    width = np.take_along_axis(np.where(independent > 0, np.minimum(independent, count), count), best, axis=0)[0]
    error = np.sqrt(2 / np.maximum(width, 1.0))
    estimate = np.take_along_axis(lower, best, axis=0)[0]
    found = estimate * (1 + STANDARD_ERRORS * error)
    rows = weight / (2 * np.maximum(pairs, 1.0))
    longest = (SPANS - 1 - usable[::-1].argmax(axis=0))[np.newaxis]
    longest_rows = np.where(usable.any(axis=0), np.take_along_axis(rows, longest, axis=0)[0], 0.0)
    known = longest_rows > BOUNDED_ROWS - _ROUNDING
    top, low = _pooled(ratio, count, longest), _pooled(ratio, count, longest - 2)
    still = (top > LEAST_GROWN) & (top > growth * low)
    likely = estimate * (1 + error)
    saturated = np.where(events, SATURATED_EVENTS, SATURATED)
    short = (likely > LEAST_GROWN) & (saturated * likely > longest_rows)
    grows = known & (still | short)
    rough = np.maximum((rest / np.where(q > 0, q, np.inf)).max(axis=0), 1.0)
    return Dependence(np.maximum(found, 1.0), known & ~grows, grows, longest_rows + _ROUNDING, rough)


def _pooled(ratio: Floats, count: Floats, span: NDArray[np.intp]) -> Floats:
    """The mean factor of a span and of the next shorter one, weighted by their pairs: shape `(s,)`."""
    places = np.maximum(span + np.array([[0], [-1]]), 0)
    weights = np.take_along_axis(count, places, axis=0)
    mean: Floats = (np.take_along_axis(ratio, places, axis=0) * weights).sum(axis=0) / weights.sum(axis=0)
    return mean


def _largest_share(count: float) -> float:
    """The mean share that the largest of so many squares of independent normal numbers has in their expected sum."""
    x = np.linspace(0.0, 60.0, 6_001)
    below = np.array([math.erf(math.sqrt(one / 2)) for one in x.tolist()])
    return float(np.trapezoid(1 - below**count, x)) / count


_LOG_COUNTS = np.arange(2.5, 10.6, 0.5)
"""Logs to base 2 of numbers of pairs, from below `FEWEST_PAIRS` to above `MEMORY_PAIRS`."""

_LARGEST_SHARES = np.array([_largest_share(2.0**one) for one in _LOG_COUNTS.tolist()])
"""The share of the largest pair, by which the sum of the others is too small."""
