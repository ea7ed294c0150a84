"""Streams of outcomes: a model of two classes whose inputs, relation and labels can be moved, and one of numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.outcomes.labelled_responses import TimedRows
from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces, LabelledOutput, Task
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluation, OutcomeEvaluator
from driftgauge.drift.outcomes.outcome_rule import OutcomeRule
from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]

LOOK_SECONDS = 30.0
WINDOW_ROWS = 2_000
START = 1_000_020.0
"""When the first response is given, a multiple of the time of a look."""

RULE = OutcomeRule(50, 2_000, Budget(30 * 86_400.0, LOOK_SECONDS, 0.02))

CLASSES = ColumnPlaces(prediction=0, label=2, confidence=1)
NUMBERS = ColumnPlaces(prediction=0, label=1)


def class_rows(seed: int, rows: int, *, flipped: float = 0.0, harder: float = 1.0) -> Floats:
    """Outcomes of a calibrated model of two classes: shape `(rows, 3)`: prediction, confidence, label.

    Args:
        seed: Seeds the rows.
        rows: How many.
        flipped: Chance that a label is the other one: the relation changes.
        harder: What log odds are multiplied by: below 1 more inputs are near the border of the classes.
    """
    rng = np.random.default_rng(seed)
    odds = 3.0 * harder * rng.standard_normal(rows)
    chance = 1 / (1 + np.exp(-odds))
    label = (rng.random(rows) < chance) ^ (rng.random(rows) < flipped)
    return np.stack([odds > 0, np.maximum(chance, 1 - chance), label], axis=1).astype(np.float64)


def number_rows(seed: int, rows: int, *, bias: float = 0.0, noise: float = 1.0) -> Floats:
    """Outcomes of a model of numbers: shape `(rows, 2)`: prediction, label."""
    rng = np.random.default_rng(seed)
    prediction = 2.0 * rng.standard_normal(rows)
    return np.stack([prediction, prediction - bias + noise * rng.standard_normal(rows)], axis=1)


def class_output(rows: Floats, requests: NDArray[np.int64] | None = None) -> LabelledOutput:
    """The output whose reference these rows of `class_rows` are."""
    columns = CLASSES.columns(rows)
    return LabelledOutput("grade", Task.CLASSIFICATION, (0.0, 1.0), ("bad", "good"), CLASSES, columns, requests)


def number_output(rows: Floats) -> LabelledOutput:
    """The output whose reference these rows of `number_rows` are."""
    return LabelledOutput("price", Task.REGRESSION, (), (), NUMBERS, NUMBERS.columns(rows))


def evaluator_of(output: LabelledOutput, rule: OutcomeRule = RULE) -> OutcomeEvaluator:
    """An evaluator of one output."""
    return OutcomeEvaluator([output], rule, "digest")


@dataclass(slots=True)
class OutcomeStream:
    """Feeds an evaluator as the sidecar does: a look at the newest rows, again and again.

    Args:
        evaluator: The evaluator.
        rows: Shape `(n, columns)`: all rows, in the order in which their labels came.
        times: Shape `(n,)`: when their responses were given; by default two a second, in order.
        state: The detector's state.
        seen: Rows that were looked at.
        ids: Shape `(n,)`, uint64: the response of each row; by default each row is one.
    """

    evaluator: OutcomeEvaluator
    rows: Floats
    times: Floats | None = None
    state: DetectorState | None = None
    seen: int = 0
    ids: NDArray[np.uint64] | None = None

    def look(self, rows: int, responses: Floats | None = None, passed: Floats | None = None) -> OutcomeEvaluation:
        """Evaluate after so many further rows.

        Args:
            rows: How many.
            responses: Shape `(m, k)`: a sample of all responses; `None` if unknown.
            passed: Shape `(m,)`: when these passed; by default at the same pace as the labelled ones.
        """
        self.seen += rows
        part = slice(max(0, self.seen - WINDOW_ROWS), self.seen)
        numbers = np.arange(part.start, part.stop)
        times = START + numbers / 2 if self.times is None else self.times[part]
        ids = numbers.astype(np.uint64) if self.ids is None else self.ids[part]
        window = StreamWindow(self.rows[part], numbers + 1, numbers, times, ids)
        sample = None
        if responses is not None:
            paced = np.linspace(times[0], times[-1], responses.shape[0]) if passed is None else passed
            sample = TimedRows(responses, paced)
        found = self.evaluator.evaluate(self.state, window, sample, START)
        self.state = found.state
        return found

    def feed(self, each: int = 60) -> list[OutcomeEvaluation]:
        """Evaluate after each so many rows, to the end."""
        return [self.look(each) for _ in range((self.rows.shape[0] - self.seen) // each)]


def states(found: OutcomeEvaluation) -> list[str]:
    """The states of performance and concept of the first output."""
    return [test.state.value for test in found.report.outputs[0].tests]


def alarmed(found: list[OutcomeEvaluation]) -> list[bool]:
    """Whether performance, and whether concept, alarmed at any of these looks."""
    each = [[state == "drift" for state in states(one)] for one in found]
    return [any(line[test] for line in each) for test in range(2)]
