"""driftgauge's alarms on outcomes of a simulated stream: its own functions, fed as the sidecar feeds them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import DAY_SECONDS, LOOK_ROWS, LOOK_SECONDS, MIN_ROWS, TOLERANCE
from driftgauge.drift.budget import FAMILIES, Budget
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluator
from driftgauge.drift.outcomes.outcome_rule import OutcomeRule
from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]

PROMISE_ROWS = 20_000
"""Rows between two false alarms of outcomes: so few that a run of ordinary length could break the promise."""

TESTS = 2


def budget_of(rows: float | None, tolerance: float = TOLERANCE) -> Budget:
    """A budget whose part for outcomes promises so many rows; `None` for the default of 30 days for all families."""
    seconds = 30 * DAY_SECONDS if rows is None else rows / LOOK_ROWS * LOOK_SECONDS / FAMILIES
    return Budget(seconds, LOOK_SECONDS, tolerance)


def outcome_evaluator(output: LabelledOutput, budget: Budget) -> OutcomeEvaluator:
    """An evaluator of one output with the program's defaults, except for the budget."""
    return OutcomeEvaluator([output], OutcomeRule(MIN_ROWS, 2_000, budget), "benchmark")


@dataclass(frozen=True, slots=True)
class Alarms:
    """When performance and concept began to alarm: rows of the stream, in order."""

    performance: tuple[int, ...]
    concept: tuple[int, ...]

    def first_after(self, row: int) -> tuple[float, float]:
        """Rows from one to the next alarm of each; infinity without one."""
        performance, concept = (
            min((float(at - row) for at in of if at > row), default=math.inf) for of in (self.performance, self.concept)
        )
        return performance, concept


def watch(
    evaluator: OutcomeEvaluator,
    rows: Floats,
    requests: NDArray[np.int64],
    times: Floats | None = None,
    stop_after: int | None = None,
) -> Alarms:
    """Feed a stream, an evaluation every 60 rows.

    Args:
        evaluator: The evaluator.
        rows: Shape `(n, columns)`, in the order in which their labels come.
        requests: Shape `(n,)`: the request of each row, ascending.
        times: Shape `(n,)`: when their responses were given; by default in order, two a second.
        stop_after: Stop when both have alarmed after this row.
    """
    state, latched = evaluator.detector.start(), np.zeros(TESTS, dtype=np.bool_)
    given = np.arange(rows.shape[0]) * (LOOK_SECONDS / LOOK_ROWS) if times is None else times
    begun: tuple[list[int], list[int]] = ([], [])
    ends = np.append(np.flatnonzero(np.diff(requests)) + 1, requests.size)
    fed = 0
    for look in range(LOOK_ROWS, rows.shape[0] + 1, LOOK_ROWS):
        end = int(ends[np.searchsorted(ends, look, side="right") - 1]) if look >= ends[0] else 0
        if end <= fed:
            continue
        part = slice(fed, end)
        whole = given[part] if times is not None else given[np.searchsorted(requests, requests[part])]
        window = StreamWindow(
            rows[part], np.arange(fed, end), requests[part], np.asarray(whole + 1.0, dtype=np.float64)
        )
        state = evaluator.feed(state, window, np.ones(end - fed, dtype=np.bool_), 0.0)
        for test in np.flatnonzero(state.latched & ~latched).tolist():
            begun[test].append(end)
        latched, fed = state.latched, end
        if stop_after is not None and all(one and one[-1] > stop_after for one in begun):
            break
    return Alarms(tuple(begun[0]), tuple(begun[1]))
