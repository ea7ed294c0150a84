"""Rows to detect half a standard deviation: what driftgauge estimates beforehand, and what its detector then needs."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import (
    DEFAULT,
    LOOK_ROWS,
    LOOK_SECONDS,
    TOLERANCE,
    WINDOW_ROWS,
    evaluator_of,
    profiles_of,
)
from benchmarks.statistics.intervals import median, median_and_p90
from benchmarks.statistics.streams import autoregressive, counts, normal
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import FeatureDrift
from driftgauge.drift.rows_to_detect import SHIFT
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]

FEATURES = 10

BEFORE_ROWS = WINDOW_ROWS


@dataclass(frozen=True, slots=True)
class Case:
    """A reference and its traffic.

    Args:
        draw: Draws rows of the traffic.
        single: Draws independent rows, as the reference has them.
        rows: Rows of the reference.
    """

    draw: Callable[[np.random.Generator, int, int], Floats]
    single: Callable[[np.random.Generator, int, int], Floats]
    rows: int


def heavy(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Values of Student's t with 3 degrees of freedom."""
    return rng.standard_t(3, (rows, features))


CASES = {
    "normal, 5,000 rows": Case(normal, normal, 5_000),
    "normal, 1,000 rows": Case(normal, normal, 1_000),
    "Student's t (3), 5,000 rows": Case(heavy, heavy, 5_000),
    "integers (Poisson 3), 5,000 rows": Case(counts, counts, 5_000),
    "normal, 5,000 rows; traffic AR(1), 0.6": Case(partial(autoregressive, 0.6), normal, 5_000),
}
"""The references by their names in the table."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One stream.

    Args:
        case: The name of its reference.
        direction: 1 for a shift up, -1 for one down.
        number: The number of the repetition.
        cap: The largest number of rows after the shift.
    """

    case: str
    direction: int
    number: int
    cap: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rows of one stream; infinity for none.

    Args:
        estimated: The estimate just before the shift, and half of the rows between two looks.
        needed: Rows from the shift to the detector's alarm.
    """

    estimated: float
    needed: float


def measure(piece: Piece) -> Outcome:
    """Shift one of the features, and wait for its alarm."""
    case = CASES[piece.case]
    rng = generator(9, list(CASES).index(piece.case), piece.number)  # both directions have the same rows
    reference = case.single(rng, case.rows, FEATURES)
    change = BEFORE_ROWS - int(rng.integers(LOOK_ROWS))
    stream = case.draw(rng, BEFORE_ROWS + piece.cap, FEATURES)
    stream[change:, 0] += piece.direction * SHIFT * np.std(reference[:, 0])
    estimated = math.inf
    evaluator = evaluator_of(profiles_of(reference, [FeatureKind.NUMERIC] * FEATURES), DEFAULT)
    for rows, feature in _first_feature(evaluator, stream):
        if rows <= change:
            known = feature.rows_to_detect
            estimated = math.inf if known is None else known + LOOK_ROWS / 2
        elif feature.since is not None:
            return Outcome(estimated, rows - change)
    return Outcome(estimated, math.inf)


def _first_feature(evaluator: StreamEvaluator, stream: Floats) -> Iterator[tuple[int, FeatureDrift]]:
    """The first feature at each look, with the rows of the stream so far."""
    p_values, state = PValues(), None
    for look, rows in enumerate(range(BEFORE_ROWS // 2 // LOOK_ROWS * LOOK_ROWS, stream.shape[0] + 1, LOOK_ROWS)):
        part = slice(max(0, rows - WINDOW_ROWS), rows)
        numbers = np.arange(part.start + 1, rows + 1, dtype=np.int64)
        window = StreamWindow(stream[part], numbers, numbers)
        evaluation = evaluator.evaluate(state, window, p_values, 1.0 + LOOK_SECONDS * look)
        state = evaluation.state
        yield rows, evaluation.report.features[0]


def run(effort: Effort) -> str:
    """The table."""
    repetitions, cap = effort.of(20, 2), effort.of(8_000, 3_000)
    lines = []
    for name in CASES:
        up, down = (
            list(effort.map(measure, [Piece(name, direction, number, cap) for number in range(repetitions)]))
            for direction in (1, -1)
        )
        lines.append(_line(name, up, down, cap))
    head = ["reference and traffic", "estimate", "needed, shift up", "shift down", "slower / estimate"]
    return f"{_words(repetitions)}\n\n{table(head, lines)}"


def _line(name: str, up: Sequence[Outcome], down: Sequence[Outcome], cap: int) -> list[str]:
    estimates = [one.estimated for one in (*up, *down)]
    slower = max(median([one.needed for one in side]) for side in (up, down))
    return [
        name,
        median_and_p90(estimates, cap),
        *(median_and_p90([one.needed for one in side], cap) for side in (up, down)),
        f"{slower / median(estimates):.2f}",
    ]


def _words(repetitions: int) -> str:
    return (
        f"Rows from a shift by {SHIFT:g} standard deviations of one of {FEATURES} features to the detector's alarm: "
        f"median, in brackets the 90th percentile, of {repetitions} repetitions, each with a reference of its own; a "
        f"look every {LOOK_ROWS} rows, tolerance {TOLERANCE:g}, one false alarm in 30 days. Estimate: `rows_to_detect` "
        "at the last look before the shift, which is that of the slower direction, and half of the rows between looks."
    )
