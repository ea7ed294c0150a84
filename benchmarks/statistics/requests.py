"""Requests of unequal size whose rows resemble each other: false alarms without drift, and delay after a change."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.alarms import Alarms, alarms_of, promise_lines
from benchmarks.statistics.engine import (
    DAY_SECONDS,
    LOOK_ROWS,
    LOOK_SECONDS,
    TOLERANCE,
    WINDOW_ROWS,
    budget_of,
    evaluator_of,
    looks,
    profiles_of,
)
from benchmarks.statistics.intervals import median, waited
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]
Lengths = Callable[[np.random.Generator, int], NDArray[np.int64]]
"""Draws the lengths of requests that have so many rows in all, or a few more."""

FEATURES = 3
REFERENCE_ROWS = 5_000
KINDS = [FeatureKind.NUMERIC] * FEATURES

PARETO_SHAPE = 1.2
LONGEST_REQUEST = 2_000

PROMISES = {"30 days": 30 * DAY_SECONDS / LOOK_SECONDS, "200 looks": 200}
"""Looks between two false alarms of a model that the budget promises."""

SHIFT = 0.5
"""The change of the mean, in standard deviations."""

REQUEST_ROWS = (8, 32, 128)
CORRELATIONS = (0.0, 0.1, 0.5, 1.0)


def pareto(rng: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """Lengths with a heavy tail: most requests have one to three rows, a few have hundreds."""
    drawn = np.minimum(1 + rng.pareto(PARETO_SHAPE, rows), LONGEST_REQUEST).astype(np.int64)
    return drawn[: int(np.searchsorted(np.cumsum(drawn), rows)) + 1]


def batch_among_singles(batch: int, every: int, rng: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """Single rows, and one request of `batch` rows at a random place in each `every` rows."""
    parts = []
    for _ in range(-(-rows // every)):
        lengths = np.ones(every - batch + 1, dtype=np.int64)
        lengths[rng.integers(lengths.size)] = batch
        parts.append(lengths)
    return np.concatenate(parts)


def of_equal(length: int, _: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """Requests of equal length."""
    return np.full(-(-rows // length), length)


@dataclass(frozen=True, slots=True)
class Traffic:
    """A stream of requests.

    Args:
        lengths: Draws their lengths.
        correlation: That of two rows of one request.
    """

    lengths: Lengths
    correlation: float

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[Floats, NDArray[np.int64]]:
        """Standard normal rows, shape `(rows, FEATURES)`, and the request of each, shape `(rows,)`."""
        lengths = self.lengths(rng, rows)
        requests = np.repeat(np.arange(lengths.size), lengths)[:rows]
        shared = rng.standard_normal((lengths.size, FEATURES))[requests]
        own = rng.standard_normal((rows, FEATURES))
        return math.sqrt(self.correlation) * shared + math.sqrt(1 - self.correlation) * own, requests


TRAFFIC = {
    **{f"Pareto lengths, {rho:g}": Traffic(pareto, rho) for rho in (0.1, 0.5, 1.0)},
    **{
        f"250 rows of every 2,000 in one request, {rho:g}": Traffic(partial(batch_among_singles, 250, 2_000), rho)
        for rho in (0.1, 0.5, 1.0)
    },
}
"""Streams without drift by their names in the table, with the correlation of two rows of one request."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A stream without drift: its name, its promise, its number, and how many rows it has."""

    traffic: str
    promise: str
    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the mean: rows and correlation of each request, the number of the run, the most rows after it."""

    request_rows: int
    correlation: float
    number: int
    cap: int


def measure(piece: Quiet) -> Alarms:
    """Count the alarms on one stream without drift."""
    rng = generator(11, list(TRAFFIC).index(piece.traffic), piece.number)
    profiles = profiles_of(rng.standard_normal((REFERENCE_ROWS, FEATURES)), KINDS)
    evaluator = evaluator_of(profiles, budget_of(PROMISES[piece.promise], TOLERANCE))
    values, requests = TRAFFIC[piece.traffic].draw(rng, piece.rows)
    return alarms_of(looks(evaluator, values, requests))


def delay(piece: Change) -> float:
    """Rows from a change of the mean to the alarm; infinity for none."""
    rng = generator(12, piece.request_rows, int(10 * piece.correlation), piece.number)
    profiles = profiles_of(rng.standard_normal((REFERENCE_ROWS, FEATURES)), KINDS)
    before = 2 * WINDOW_ROWS - 2 * WINDOW_ROWS % piece.request_rows
    traffic = Traffic(partial(of_equal, piece.request_rows), piece.correlation)
    values, requests = traffic.draw(rng, before + piece.cap)
    values[before:, 0] += SHIFT
    evaluator = evaluator_of(profiles, budget_of(PROMISES["30 days"], TOLERANCE))
    for look in looks(evaluator, values, requests):
        if look.rows > before and (look.window or look.detector):
            return look.rows - before
    return math.inf


def run(effort: Effort) -> str:
    """Both tables."""
    return f"{_false_alarms(effort)}\n\n{_delays(effort)}"


def _false_alarms(effort: Effort) -> str:
    streams, rows = effort.of(20, 2), effort.of(18_000, 6_000)
    keys = list(product(TRAFFIC, PROMISES))
    pieces = [Quiet(traffic, promise, number, rows) for traffic, promise in keys for number in range(streams)]
    words = (
        f"False alarms on requests of unequal length. Each line: {streams} streams of {rows:,} rows with a reference "
        f"of {REFERENCE_ROWS:,} rows each, {FEATURES} features, a look at all whole requests every {LOOK_ROWS} rows, "
        f"windows of {WINDOW_ROWS:,}, tolerance {TOLERANCE:g}. The promise is the least mean time between two false "
        f"alarms of a model. The number after a name is the correlation of two rows of one request. Pareto lengths "
        f"have the shape {PARETO_SHAPE} and at most {LONGEST_REQUEST:,} rows."
    )
    return promise_lines(words, ("requests", "promise"), keys, list(effort.map(measure, pieces)))


def _delays(effort: Effort) -> str:
    repetitions, cap = effort.of(12, 2), effort.of(18_000, 1_200)
    keys = list(product(REQUEST_ROWS, CORRELATIONS))
    pieces = [Change(rows, rho, number, cap) for rows, rho in keys for number in range(repetitions)]
    found = list(effort.map(delay, pieces))
    cells = [waited(median(found[at : at + repetitions]), cap) for at in range(0, len(found), repetitions)]
    width = len(CORRELATIONS)
    lines = [[rows, *cells[at * width : (at + 1) * width]] for at, rows in enumerate(REQUEST_ROWS)]
    words = (
        f"Rows from a change of the mean of one of {FEATURES} features by {SHIFT:g} standard deviations to the alarm, "
        f"by the rows of each request and the correlation of two of them: median of {repetitions} runs, one false "
        f"alarm in 30 days, tolerance {TOLERANCE:g}."
    )
    return f"{words}\n\n{table(['rows of a request', *(f'{rho:g}' for rho in CORRELATIONS)], lines)}"
