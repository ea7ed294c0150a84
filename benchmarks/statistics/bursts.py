"""Rows that resemble their neighbours for long: false alarms in bursts, regimes and long memory, without drift."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import LOOK_ROWS, TOLERANCE, WINDOW_ROWS, budget_of, evaluator_of, looks, profiles_of
from benchmarks.statistics.false_alarms import begun
from benchmarks.statistics.requests import PROMISES
from benchmarks.statistics.streams import SampleSpec, autoregressive, normal
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEATURES = 3
REFERENCE_ROWS = 5_000
MISSING = 0.05
RARE = 0.01


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
    """A stream of dependent rows, and independent rows of the same distribution for its reference."""

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
    """A stream without drift: its name, its promise, its number, and how many rows it has."""

    stream: str
    promise: str
    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class Alarms:
    """Looks, alarms that began, looks in alarm, looks at which some feature had no verdict, and 1 if any alarm."""

    looks: int
    alarms: int
    in_alarm: int
    untested: int
    streams: int


def count_alarms(piece: Calm) -> Alarms:
    """Count the alarms on one stream without drift."""
    rng = generator(13, list(DEPENDENT).index(piece.stream), piece.number)
    stream = DEPENDENT[piece.stream]
    profiles = profiles_of(stream.single(rng, REFERENCE_ROWS, FEATURES), [FeatureKind.NUMERIC] * FEATURES)
    evaluator = evaluator_of(profiles, budget_of(PROMISES[piece.promise], TOLERANCE))
    found = list(looks(evaluator, stream.draw(rng, piece.rows, FEATURES), np.arange(piece.rows)))
    alarms = [look.window or look.detector for look in found]
    return Alarms(len(found), begun(alarms), sum(alarms), sum(look.untested for look in found), int(any(alarms)))


def run(effort: Effort) -> str:
    """The table."""
    streams, rows = effort.of(8, 2), effort.of(18_000, 3_000)
    keys = list(product(DEPENDENT, PROMISES))
    pieces = [Calm(name, promise, number, rows) for name, promise in keys for number in range(streams)]
    found = list(effort.map(count_alarms, pieces))
    lines = []
    for at, (name, promise) in enumerate(keys):
        part = found[at * streams : (at + 1) * streams]
        count = sum(one.looks for one in part)
        in_alarm, untested = sum(one.in_alarm for one in part) / count, sum(one.untested for one in part) / count
        with_alarm = f"{sum(one.streams for one in part)} of {streams}"
        alarms = sum(one.alarms for one in part)
        lines.append([name, promise, f"{count:,}", alarms, f"{in_alarm:.1%}", f"{untested:.0%}", with_alarm])
    words = (
        f"False alarms on rows that resemble their neighbours. Each line: {streams} streams of {rows:,} rows, each "
        f"with a reference of {REFERENCE_ROWS:,} independent rows of the same distribution, {FEATURES} features, a "
        f"look every {LOOK_ROWS} rows, windows of {WINDOW_ROWS:,}, tolerance {TOLERANCE:g}. Without verdict: looks at "
        f"which that holds for some feature."
    )
    head = ["stream", "promise", "looks", "alarms", "looks in alarm", "without verdict", "streams with an alarm"]
    return f"{words}\n\n{table(head, lines)}"
