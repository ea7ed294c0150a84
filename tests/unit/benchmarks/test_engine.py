"""The simulation evaluates a stream as the sidecar does."""

import numpy as np

from benchmarks.statistics.engine import (
    DEFAULT,
    LOOK_ROWS,
    MIN_ROWS,
    budget_of,
    default_of,
    evaluator_of,
    looks,
    profiles_of,
)
from driftgauge.drift.profile import FeatureKind

KINDS = [FeatureKind.NUMERIC, FeatureKind.CATEGORICAL]


def rows_of(seed: int, rows: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A number and a category."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.standard_normal(rows), rng.integers(4, size=rows).astype(np.float64)])


def test_looks_are_a_fixed_number_of_rows_apart() -> None:
    """The last look is at the last full step."""
    evaluator = evaluator_of(profiles_of(rows_of(1, 500), KINDS), DEFAULT)
    stream = rows_of(2, 5 * LOOK_ROWS + 1)

    seen = [look.rows for look in looks(evaluator, stream, np.arange(stream.shape[0]))]

    assert [LOOK_ROWS * step for step in range(1, 6)] == seen


def test_a_stream_that_jumps_alarms_only_after_the_jump() -> None:
    """Window and detector both find ten standard deviations at once, and nothing before."""
    evaluator = evaluator_of(profiles_of(rows_of(3, 2_000), KINDS), DEFAULT)
    stream = rows_of(4, 1_200)
    stream[600:, 0] += 10

    seen = list(looks(evaluator, stream, np.arange(1_200)))
    alarms = [look.rows for look in seen if look.window or look.detector]

    assert min(alarms) in range(600 + 1, 600 + 4 * LOOK_ROWS)
    assert seen[-1].detector
    assert seen[-1].window


def test_nothing_alarms_under_min_rows() -> None:
    """There is no alarm however far the rows are from the reference."""
    evaluator = evaluator_of(profiles_of(rows_of(5, 500), KINDS), DEFAULT)
    stream = rows_of(6, MIN_ROWS - 1) + np.array([100, 0])

    assert not any(look.window or look.detector for look in looks(evaluator, stream, np.arange(stream.shape[0])))


def test_missing_values_of_a_reference_are_counted() -> None:
    """They are neither numbers nor categories."""
    values = rows_of(7, 100)
    values[:7, 0] = np.nan

    assert [7, 0] == [profile.missing for profile in profiles_of(values, KINDS)]


def test_a_budget_in_looks_is_one_in_seconds() -> None:
    """A hundred looks last a hundred times the default interval."""
    assert budget_of(100, 0.0).false_alarm_seconds == 100 * default_of("evaluation_interval_seconds")
