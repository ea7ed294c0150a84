"""Streams of standard normal features with the default budget."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.profile import Profile, numeric_profile
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from tests.support.streams import SampleSpec, Stream, independent

pytestmark = pytest.mark.long
Floats = NDArray[np.float64]
BUDGET = Budget(false_alarm_seconds=30 * 86_400.0, evaluation_seconds=60.0, tolerance=0.05)
RULE = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50, budget=BUDGET)
FEATURES = 3


def profiles(rows: int = 5000) -> list[Profile]:
    """Features whose reference is standard normal."""
    values = np.random.default_rng(1).normal(size=(FEATURES, rows))
    return [numeric_profile(f"f{index}", np.sort(column)) for index, column in enumerate(values)]


def stream(
    of: list[Profile] | None = None, rule: Rule = RULE, window_rows: int = 1000, request_rows: int = 1
) -> Stream:
    """A stream with an evaluator of its own."""
    return Stream(StreamEvaluator(of or profiles(), rule, "digest"), window_rows, request_rows)


def rows(seed: int, count: int, draw: SampleSpec = independent) -> Floats:
    """Rows with the reference's distribution, which may depend on each other."""
    return draw(np.random.default_rng(seed), count, FEATURES)


def state_of(evaluation: StreamEvaluation) -> DetectorState:
    """The detector's state after an evaluation."""
    assert evaluation.state is not None
    return evaluation.state


def alarms(evaluations: list[StreamEvaluation]) -> list[str]:
    """The alarms of each look."""
    return [
        f"{feature.feature}: {test.test} at look {index}"
        for index, one in enumerate(evaluations)
        for feature in one.report.features
        for test in feature.tests
        if test.drift
    ]
