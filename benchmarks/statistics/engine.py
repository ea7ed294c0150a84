"""driftgauge at work on a stream: its own functions, look by look, as the sidecar calls them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.config.options import Config
from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import FeatureKind, Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import DriftReport, DriftTest
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction, p_value_thresholds
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import Assessment, Rows, StreamEvaluator

Floats = NDArray[np.float64]


def default_of(option: str) -> float:
    """The default of one of driftgauge's options: the tables are of what an operator gets who sets nothing."""
    return float(Config.model_fields[option].default)


LOOK_SECONDS = default_of("evaluation_interval_seconds")

LOOK_ROWS = 60
"""Two rows a second."""

WINDOW_ROWS = int(default_of("window_rows"))

MIN_ROWS = int(default_of("min_rows"))

ALPHA = default_of("alpha")

TOLERANCE = default_of("drift_tolerance")

DAY_SECONDS = 86_400.0

DEFAULT = Budget(30 * DAY_SECONDS, LOOK_SECONDS, TOLERANCE)


@dataclass(frozen=True, slots=True)
class Look:
    """What one evaluation said.

    Args:
        rows: Rows that had come.
        window: The window alarms.
        detector: The detector alarms.
        article: The article's rule would alarm: p < 0.05 after Holm's correction.
        factor: Rows / effective rows, mean over the features.
    """

    rows: int
    window: bool
    detector: bool
    article: bool
    factor: float


def budget_of(looks: float, tolerance: float) -> Budget:
    """A budget whose promise is so many looks between two false alarms."""
    return Budget(looks * LOOK_SECONDS, LOOK_SECONDS, tolerance)


def profiles_of(reference: Floats, kinds: Sequence[FeatureKind], names: Sequence[str] = ()) -> list[Profile]:
    """The profiles of a reference of shape `(m, d)`; NaN is a missing value. Without names features have numbers."""
    called = names or [f"feature {index}" for index in range(len(kinds))]
    columns = zip(called, reference.T, kinds, strict=True)
    return [_profile(name, column, kind) for name, column, kind in columns]


def evaluator_of(profiles: Sequence[Profile], budget: Budget) -> StreamEvaluator:
    """The program with its defaults but for the budget."""
    return StreamEvaluator(profiles, Rule(ALPHA, Correction.HOLM, MIN_ROWS, budget), "benchmark")


def looks(
    evaluator: StreamEvaluator, values: Floats, requests: NDArray[np.int64], start: int = LOOK_ROWS
) -> Iterator[Look]:
    """Look at a stream every `LOOK_ROWS` rows.

    Args:
        evaluator: driftgauge, knowing nothing yet.
        values: Shape `(n, d)`, the whole stream.
        requests: Shape `(n,)`.
        start: Rows of the first look.
    """
    p_values, state = PValues(), None
    for number, rows in enumerate(range(start, values.shape[0] + 1, LOOK_ROWS)):
        part = slice(max(0, rows - WINDOW_ROWS), rows)
        numbers = np.arange(part.start + 1, rows + 1, dtype=np.int64)
        window = Rows(values[part], numbers, requests[part])
        found = evaluator.assess(state, window, p_values, 1.0 + LOOK_SECONDS * number)
        state = found.state
        yield _look(rows, found)


def _look(rows: int, found: Assessment) -> Look:
    tests = [(test.test is DriftTest.SEQUENTIAL, test.drift) for one in found.report.features for test in one.tests]
    return Look(
        rows=rows,
        window=any(drift for sequential, drift in tests if not sequential),
        detector=any(drift for sequential, drift in tests if sequential),
        article=_article(found.report),
        factor=float(np.maximum(found.state.factors, 1.0).mean()),
    )


def _article(report: DriftReport) -> bool:
    """Whether the p-values that the report shows would alarm."""
    shown = [test.p_value for one in report.features for test in one.tests]
    known = np.array([p_value for p_value in shown if p_value is not None])
    return bool((known < p_value_thresholds(known, ALPHA, Correction.HOLM)).any())


def _profile(name: str, column: Floats, kind: FeatureKind) -> Profile:
    missing = np.isnan(column)
    values = np.sort(column[~missing])
    if kind is FeatureKind.CATEGORICAL:
        texts = {code: f"{code:g}" for code in np.unique(values).tolist()}
        return categorical_profile(name, values, texts, int(missing.sum()))
    return numeric_profile(name, values, int(missing.sum()))
