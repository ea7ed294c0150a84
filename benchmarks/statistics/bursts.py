"""Rows that resemble their neighbours: false alarms in bursts, regimes and long memory, without drift."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.alarms import Alarms, alarms_of, promise_lines
from benchmarks.statistics.engine import LOOK_ROWS, TOLERANCE, WINDOW_ROWS, budget_of, evaluator_of, looks, profiles_of
from benchmarks.statistics.intervals import median, waited
from benchmarks.statistics.requests import PROMISES
from benchmarks.statistics.streams import SampleSpec, autoregressive, normal
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEATURES = 3
BEFORE_ROWS = 3_000
SHARES = (0.025, 0.05, 0.2)
CORRELATIONS = (0.0, 0.9, 0.99)
MISSING = 0.05
RARE = 0.01

REFERENCES = {"5,000": (5_000, False), "5,000 in order": (5_000, True), "20,000 in order": (20_000, True)}
"""References: their rows, and whether these are a stream of their own in the order of time. Else they are independent
rows of the same distribution."""


def in_bursts(length: int, share: float, rng: np.random.Generator, rows: int, features: int) -> Mask:
    """Whether each row belongs to a burst of so many rows; a share of all rows does, and bursts begin at any row."""
    begins = rng.random((rows + length, features)) < share / length
    counts = np.cumsum(begins, axis=0)
    inside: Mask = counts[length:] > counts[:-length]
    return inside


def missing(length: int, rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Normal values of which one in twenty is missing, in bursts of neighbours."""
    return np.where(in_bursts(length, MISSING, rng, rows, features), np.nan, normal(rng, rows, features))


def raised(length: int, rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Normal values, of which one in a hundred is five standard deviations higher, in bursts of neighbours."""
    return normal(rng, rows, features) + 5.0 * in_bursts(length, RARE, rng, rows, features)


def regimes(length: int, rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Values around a level that changes at random, after so many rows on average."""
    changes: NDArray[np.int64] = np.cumsum(rng.random((rows, features)) < 1 / length, axis=0, dtype=np.int64)
    levels = normal(rng, int(changes.max()) + 1, features)
    values: Floats = (np.take_along_axis(levels, changes, axis=0) + normal(rng, rows, features)) / np.sqrt(2)
    return values


@dataclass(frozen=True, slots=True)
class Dependent:
    """A stream of dependent rows, and independent rows of the same distribution."""

    draw: SampleSpec
    single: SampleSpec


def _stream(draw: Callable[..., Floats], length: int) -> Dependent:
    return Dependent(partial(draw, length), partial(draw, 1))


DEPENDENT = {
    "independent": Dependent(normal, normal),
    **{f"AR(1), {rho:g}": Dependent(partial(autoregressive, rho), normal) for rho in (0.5, 0.9, 0.95, 0.99)},
    **{f"5 % missing, bursts of {length}": _stream(missing, length) for length in (20, 100)},
    **{f"regimes of {length:,} rows": _stream(regimes, length) for length in (100, 300, 1_000)},
    "1 % + 5 s, bursts of 40": _stream(raised, 40),
}
"""Streams without drift by their names in the table."""


@dataclass(frozen=True, slots=True)
class Calm:
    """A stream without drift: its name, its reference, its promise, its number, and how many rows it has."""

    stream: str
    reference: str
    promise: str
    number: int
    rows: int


def count_alarms(piece: Calm) -> Alarms:
    """Count the alarms on one stream without drift."""
    reference_rows, ordered = REFERENCES[piece.reference]
    rng = generator(13, list(DEPENDENT).index(piece.stream), piece.number)
    stream = DEPENDENT[piece.stream]
    values = stream.draw(rng, piece.rows, FEATURES)
    reference = (stream.draw if ordered else stream.single)(rng, reference_rows, FEATURES)
    profiles = profiles_of(reference, [FeatureKind.NUMERIC] * FEATURES, ordered=ordered)
    evaluator = evaluator_of(profiles, budget_of(PROMISES[piece.promise], TOLERANCE))
    return alarms_of(looks(evaluator, values, np.arange(piece.rows)))


@dataclass(frozen=True, slots=True)
class Gap:
    """Values that begin to be missing at random: their correlation, the share, the number of the run, the most rows."""

    correlation: float
    share: float
    number: int
    cap: int


def delay(piece: Gap) -> float:
    """Rows from the first missing value of one feature to the alarm; infinity for none."""
    rng = generator(14, int(100 * piece.correlation), int(1_000 * piece.share), piece.number)
    values = autoregressive(piece.correlation, rng, BEFORE_ROWS + piece.cap, FEATURES)
    values[BEFORE_ROWS:, 0][rng.random(piece.cap) < piece.share] = np.nan
    reference = autoregressive(piece.correlation, rng, 5_000, FEATURES)
    profiles = profiles_of(reference, [FeatureKind.NUMERIC] * FEATURES, ordered=True)
    evaluator = evaluator_of(profiles, budget_of(PROMISES["30 days"], TOLERANCE))
    for look in looks(evaluator, values, np.arange(values.shape[0])):
        if look.rows > BEFORE_ROWS and (look.window or look.detector):
            return look.rows - BEFORE_ROWS
    return math.inf


def run(effort: Effort) -> str:
    """The tables of false alarms, and of values that begin to be missing."""
    return f"{_false_alarms(effort)}\n\n{_gaps(effort)}"


def _gaps(effort: Effort) -> str:
    repetitions, cap = effort.of(20, 1), effort.of(8_000, 1_200)
    keys = list(product(SHARES, CORRELATIONS))
    pieces = [Gap(rho, share, number, cap) for share, rho in keys for number in range(repetitions)]
    found = list(effort.map(delay, pieces))
    cells = [waited(median(found[at : at + repetitions]), cap) for at in range(0, len(found), repetitions)]
    width = len(CORRELATIONS)
    lines = [[f"{share:.1%}", *cells[at * width : (at + 1) * width]] for at, share in enumerate(SHARES)]
    words = (
        f"Rows until values of one of {FEATURES} features that begin to be missing raise an alarm, by their share, "
        f"where the values that are present are an AR(1) process: median of {repetitions} runs, references of 5,000 "
        f"rows in order, one false alarm in 30 days."
    )
    return f"{words}\n\n{table(['missing', *(f'AR(1), {rho:g}' for rho in CORRELATIONS)], lines)}"


def _false_alarms(effort: Effort) -> str:
    streams, rows = effort.of(20, 2), effort.of(18_000, 3_000)
    keys = list(product(DEPENDENT, REFERENCES, PROMISES))
    pieces = [Calm(*key, number, rows) for key in keys for number in range(streams)]
    words = (
        f"False alarms on rows that resemble their neighbours. Each line: {streams} streams of {rows:,} rows, "
        f"{FEATURES} features, a look every {LOOK_ROWS} rows, windows of {WINDOW_ROWS:,}, tolerance {TOLERANCE:g}. "
        f"References in order are streams of their own; the others are independent rows of the same distribution, and "
        f"the program knows nothing of their order."
    )
    return promise_lines(words, ("stream", "reference", "promise"), keys, list(effort.map(count_alarms, pieces)))
