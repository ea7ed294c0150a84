"""driftgauge on a simulated stream: its own functions, called look by look as the sidecar calls them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.config.options import Config
from driftgauge.drift.budget import Budget
from driftgauge.drift.hours.known_hours import KnownHours
from driftgauge.drift.profile import FeatureKind, Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import DriftReport, DriftTest
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction, p_value_thresholds
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.reference.row_order import RowTimes, in_order

Floats = NDArray[np.float64]


def default_of(option: str) -> float:
    """The default of one of driftgauge's options: the tables show what an operator gets without any settings."""
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
    """The result of one evaluation.

    Args:
        rows: Rows of the stream so far.
        window: Whether the window alarms.
        detector: Whether the detector alarms.
        plain: Whether the plain rule would alarm: p < 0.05 after Holm's correction.
        factor: Rows / effective rows, mean over the features.
        untested: Whether some feature has no verdict.
    """

    rows: int
    window: bool
    detector: bool
    plain: bool
    factor: float
    untested: bool = False


def budget_of(looks: float, tolerance: float) -> Budget:
    """A budget that promises so many looks between two false alarms."""
    return Budget(looks * LOOK_SECONDS, LOOK_SECONDS, tolerance)


def profiles_of(
    reference: Floats,
    kinds: Sequence[FeatureKind],
    names: Sequence[str] = (),
    *,
    ordered: bool = False,
    times: Floats | None = None,
) -> list[Profile]:
    """The profiles of a reference of shape `(m, d)`; NaN is a missing value. Without names features are numbered.

    Args:
        reference: The rows.
        kinds: The kind of each feature.
        names: The name of each feature.
        ordered: Whether the rows are in the order of time, and the program knows it.
        times: The times of the rows, ascending, in seconds since the epoch.
    """
    titles = names or [f"feature {index}" for index in range(len(kinds))]
    columns = zip(titles, reference.T, kinds, strict=True)
    profiles = [_profile(name, column, kind) for name, column, kind in columns]
    if not ordered and times is None:
        return profiles
    return list(in_order(profiles, reference, None if times is None else RowTimes(times, "UTC")))


def evaluator_of(profiles: Sequence[Profile], budget: Budget, reference_times: Floats | None = None) -> StreamEvaluator:
    """An evaluator with the program's defaults, except for the budget."""
    hours = None if reference_times is None else KnownHours.of(reference_times, "UTC")
    rule = Rule(ALPHA, Correction.HOLM, MIN_ROWS, budget)
    return StreamEvaluator(profiles, rule, "benchmark", known_hours=hours)


def looks(
    evaluator: StreamEvaluator,
    values: Floats,
    requests: NDArray[np.int64],
    start: int = LOOK_ROWS,
    times: Floats | None = None,
) -> Iterator[Look]:
    """Look at a stream every `LOOK_ROWS` rows, at all requests that have arrived whole by then.

    A look at which no request has arrived since the last one is left out.

    Args:
        evaluator: An evaluator that has seen no rows yet.
        values: Shape `(n, d)`, the whole stream.
        requests: Shape `(n,)`.
        start: Rows of the stream at the first look.
        times: Shape `(n,)`: the times of the rows, in seconds since the epoch.
    """
    p_values, state = PValues(), None
    ends = np.append(np.flatnonzero(np.diff(requests)) + 1, requests.size)
    looked = 0
    for number, end in enumerate(range(start, values.shape[0] + 1, LOOK_ROWS)):
        rows = int(ends[np.searchsorted(ends, end, side="right") - 1]) if end >= ends[0] else 0
        if rows == looked:
            continue
        looked = rows
        part = slice(max(0, rows - WINDOW_ROWS), rows)
        numbers = np.arange(part.start + 1, rows + 1, dtype=np.int64)
        window = StreamWindow(values[part], numbers, requests[part], None if times is None else times[part])
        evaluation = evaluator.evaluate(state, window, p_values, 1.0 + LOOK_SECONDS * number)
        state = evaluation.state
        yield _look(rows, evaluation)


def _look(rows: int, evaluation: StreamEvaluation) -> Look:
    features = evaluation.report.features
    tests = [(test.test is DriftTest.SEQUENTIAL, test.drift) for one in features for test in one.tests]
    return Look(
        rows=rows,
        window=any(drift for sequential, drift in tests if not sequential),
        detector=any(drift for sequential, drift in tests if sequential),
        plain=_plain(evaluation.report),
        factor=float(np.mean([max(1.0, (one.rows or one.missing) / one.effective_rows) for one in features] or [1.0])),
        untested=bool(evaluation.report.untested),
    )


def _plain(report: DriftReport) -> bool:
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
