"""The cost of a whole look: windowed tests, detector, dependence, and the report with histograms and effect sizes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Plot, Table
from benchmarks.statistics.engine import ALPHA, DEFAULT, LOOK_ROWS, MIN_ROWS, WINDOW_ROWS, profiles_of
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]

LOOKS = 30

_RARELY = 0.02


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream.

    Args:
        name: Its name in the table.
        features: The number of columns.
        reference_rows: Rows of the reference.
        draw: Draws an array of rows and columns.
        kind: The kind of all columns.
        missing: Share of values that are missing, on both sides.
        decides_by_budget: Whether the budget decides, or the p-value.
    """

    name: str
    features: int
    draw: Callable[[np.random.Generator, tuple[int, int]], Floats]
    reference_rows: int = 5_000
    kind: FeatureKind = FeatureKind.NUMERIC
    missing: float = 0.0
    decides_by_budget: bool = True


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.standard_normal(shape)


def _whole(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.rint(3 * rng.standard_normal(shape))


def _codes(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.poisson(5, shape).astype(np.float64)


STREAMS = (
    Stream("13 features", 13, _normal),
    Stream("100 features", 100, _normal),
    Stream("100 of whole numbers", 100, _whole),
    Stream("100, 2 % missing", 100, _normal, missing=_RARELY),
    Stream("100 of categories", 100, _codes, kind=FeatureKind.CATEGORICAL),
    Stream("100, decided by p-value", 100, _normal, decides_by_budget=False),
    Stream("100, a reference of 100,000", 100, _normal, reference_rows=100_000),
)


def measure(stream: Stream, looks: int) -> tuple[float, float, float]:
    """CPU milliseconds for making an evaluator, for its first look, and for a later one."""
    rng = generator(10, stream.features, stream.reference_rows)
    reference, values = (
        _with_gaps(rng, stream.draw(rng, (rows, stream.features)), stream.missing)
        for rows in (stream.reference_rows, WINDOW_ROWS + looks * LOOK_ROWS)
    )
    profiles = profiles_of(reference, [stream.kind] * stream.features)
    rule = Rule(ALPHA, Correction.HOLM, MIN_ROWS, DEFAULT if stream.decides_by_budget else None)
    start = time.process_time()
    evaluator, p_values, state = StreamEvaluator(profiles, rule, "benchmark"), PValues(), None
    costs = [time.process_time() - start]
    for look in range(looks + 1):
        part = slice(look * LOOK_ROWS, look * LOOK_ROWS + WINDOW_ROWS)
        numbers = np.arange(part.start + 1, part.stop + 1, dtype=np.int64)
        start = time.process_time()
        state = evaluator.evaluate(state, StreamWindow(values[part], numbers, numbers), p_values, 1.0 + 30 * look).state
        costs.append(time.process_time() - start)
    made, first, *later = (1_000 * cost for cost in costs)
    return made, first, median(later)


def run(effort: Effort) -> list[Table]:
    """The table; no other program may run at the same time."""
    rows = tuple((stream.name, *measure(stream, effort.of(LOOKS, 3))) for stream in STREAMS)
    method = (
        f"CPU time of one thread, with the default options: references of 5,000 rows, windows of {WINDOW_ROWS:,}, and "
        f"{LOOK_ROWS} new rows a look; rows are without drift, and each is a request of its own. Making: once for each "
        f"reference. Of later looks the median of {effort.of(LOOKS, 3)}."
    )
    columns = ("making, ms", "first look, ms", "later look, ms")
    versions = {"numpy": np.__version__}
    return [
        Table("engine-looks", "Cost of a look", method, ("stream", *columns), rows, Plot(columns[2:], "ms"), versions)
    ]


def _with_gaps(rng: np.random.Generator, values: Floats, share: float) -> Floats:
    values[rng.random(values.shape) < share] = np.nan
    return values
