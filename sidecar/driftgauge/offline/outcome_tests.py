"""The tests of labelled rows of two datasets, by p-value, and what is shown of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftgauge.drift.outcomes.describe_outcomes import OutputFacts, describe_output
from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns
from driftgauge.drift.outcomes.outcome_report import OutcomeTest
from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.result import VerdictState
from driftgauge.offline.outcome_p_values import concept_p_value, least_p_value, performance_p_value


@dataclass(frozen=True, slots=True, eq=False)
class OutcomePair:
    """One output of two datasets.

    Args:
        output: The output, with its reference.
        window: Its columns in all rows under test; rows without a prediction or a label are not tested.
        times: Shape `(n,)`, float64: when each of these rows was, in seconds since the epoch; `None` if unknown.
    """

    output: LabelledOutput
    window: OutcomeColumns
    times: Floats | None = None

    @property
    def span(self) -> tuple[float, float] | None:
        """The times of the oldest and the newest row with prediction and label; `None` if unknown, or without rows."""
        if self.times is None:
            return None
        times = self.times[~(np.isnan(self.window.predictions) | np.isnan(self.window.labels))]
        return (float(times.min()), float(times.max())) if times.size else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCheckTest:
    """The result of one test of one output.

    Args:
        test: Which one.
        p_value: In [0, 1]; `None` if there are too few rows.
        threshold: The level that the p-value must be below to alarm.
        drift: Whether it alarms.
        can_alarm: Whether so many rows could alarm at this level.
    """

    test: OutcomeTest
    p_value: float | None
    threshold: float
    drift: bool
    can_alarm: bool

    @property
    def state(self) -> VerdictState:
        """The state of the verdict."""
        if self.drift:
            return VerdictState.DRIFT
        return VerdictState.OK if self.can_alarm else VerdictState.CANNOT_TELL


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeCheck:
    """All results of one output.

    Args:
        output: The output, with its reference.
        facts: What is shown of it.
        tests: `performance`, then `concept`.
        explanation: Why a test has no verdict; empty if both have one.
        span: The times of the oldest and the newest labelled row, in seconds since the epoch; `None` if unknown.
    """

    output: LabelledOutput
    facts: OutputFacts
    tests: tuple[OutcomeCheckTest, ...]
    explanation: str = ""
    span: tuple[float, float] | None = None

    @property
    def state(self) -> VerdictState:
        """`drift` if a test alarms, `ok` if both have a verdict and none does, else `cannot_tell`."""
        states = {test.state for test in self.tests}
        if VerdictState.DRIFT in states:
            return VerdictState.DRIFT
        return VerdictState.CANNOT_TELL if VerdictState.CANNOT_TELL in states else VerdictState.OK

    @property
    def reading(self) -> str:
        """One sentence for a person: what the two tests say together."""
        if self.explanation:
            return f"{self.output.name}: cannot tell: {self.explanation}."
        performance, concept = (test.drift for test in self.tests)
        said = {
            (False, False): "predictions are right as often as in the reference",
            (True, False): "predictions are wrong more often, where the model is less sure as well: the relation is as "
            "it was, and there are more of the hard cases",
            (True, True): "predictions are wrong more often, and what the model says does not mean what it meant: the "
            "relation of inputs and labels has changed",
            (False, True): "predictions are right as often as in the reference, but what the model says does not mean "
            "what it meant: the relation has changed, and the changes cancel or are for the better",
        }
        return f"{self.output.name}: {said[performance, concept]}."


OutcomePValues = tuple[float | None, float | None]
"""The p-values of performance and concept."""


def outcome_p_values(pair: OutcomePair, bins: PredictionBins, min_rows: int) -> OutcomePValues:
    """The p-values of both tests of an output; `None` where there are too few rows with prediction and label."""
    window = pair.window.labelled()
    if window.labels.size < min_rows:
        return None, None
    return performance_p_value(pair.output, window), concept_p_value(pair.output, bins, window)


def judge_outcomes(
    pairs: Sequence[OutcomePair],
    bins: Sequence[PredictionBins],
    p_values: Sequence[OutcomePValues],
    levels: Iterator[float],
    min_rows: int,
) -> Iterator[OutcomeCheck]:
    """The results of each output.

    Args:
        pairs: The outputs.
        bins: The bins of each.
        p_values: The p-values of each.
        levels: The level of each p-value that is not `None`, in order.
        min_rows: Fewest rows with prediction and label that are tested.
    """
    for pair, each, both in zip(pairs, bins, p_values, strict=True):
        facts = describe_output(pair.output, each, pair.window)
        least = least_p_value(pair.output, facts.rows) if facts.rows else 1.0
        tests = tuple(_judged(test, p_value, least, levels) for test, p_value in zip(OutcomeTest, both, strict=True))
        explanation = _explanation(facts.rows, tests, min_rows)
        yield OutcomeCheck(output=pair.output, facts=facts, tests=tests, explanation=explanation, span=pair.span)


def _judged(test: OutcomeTest, p_value: float | None, least: float, levels: Iterator[float]) -> OutcomeCheckTest:
    if p_value is None:
        return OutcomeCheckTest(test=test, p_value=None, threshold=0.0, drift=False, can_alarm=False)
    level = next(levels)
    return OutcomeCheckTest(test=test, p_value=p_value, threshold=level, drift=p_value < level, can_alarm=least < level)


def _explanation(rows: int, tests: Sequence[OutcomeCheckTest], min_rows: int) -> str:
    """Why a test has no verdict; empty if both have one, or one alarms."""
    if rows < min_rows:
        return f"{rows} rows have a prediction and a label, {min_rows} are needed"
    if VerdictState.DRIFT in {test.state for test in tests}:
        return ""
    if any(test.p_value is not None and not test.can_alarm for test in tests):
        return f"with {rows} labelled rows not even errors in all of them could alarm"
    return "no row is of a class that the reference predicts" if tests[1].p_value is None else ""
