"""Evaluation of outcomes: feed the new ones to the detector in the order of their responses, describe the window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.detector.request_correlation import row_weights
from driftgauge.drift.detector.verdict import Checkpoint, DetectorVerdict, no_checkpoint
from driftgauge.drift.outcomes.describe_outcomes import DescribedRows, OutputFacts, describe_output, describe_reference
from driftgauge.drift.outcomes.diagnosis import diagnose
from driftgauge.drift.outcomes.estimated_performance import EstimateConditions
from driftgauge.drift.outcomes.labelled_responses import (
    ResponseRows,
    TimedRows,
    find_repeats,
    order_by_response,
    split_by_time,
)
from driftgauge.drift.outcomes.outcome_bets import TESTS, OutcomeBets
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput
from driftgauge.drift.outcomes.outcome_intervals import DRAWS
from driftgauge.drift.outcomes.outcome_report import MetricValue, OutcomeReport, OutputOutcome
from driftgauge.drift.outcomes.outcome_rule import OutcomeRule
from driftgauge.drift.outcomes.outcome_verdicts import JudgedOutput, judge
from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.outcomes.selection import BinsInTime, is_selected, newest_are_selected
from driftgauge.drift.result import VerdictState
from driftgauge.drift.row_weights import request_lengths
from driftgauge.drift.stream_window import StreamWindow, find_new_rows

Floats = NDArray[np.float64]

DRAWN_EVERY = 10
"""Intervals that are drawn are drawn again once in so many evaluations."""

_NO_CONDITIONS = EstimateConditions()


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeEvaluation:
    """The result of one evaluation.

    Args:
        report: The results.
        state: The detector's new state, for the next evaluation.
        fed: Rows that were fed to the detector and never counted before.
        skipped: Rows that are never fed, as of `StreamEvaluation`.
        hour_unknown: Always 0: outcomes are compared at all hours.
    """

    report: OutcomeReport
    state: DetectorState
    fed: int
    skipped: int
    hour_unknown: int = 0


class _Described(NamedTuple):
    """The rows that one evaluation describes.

    Args:
        rows: By response.
        arrived: The same rows in the order in which their labels came; `None` if the times of responses are unknown.
        new: How many labels came since the last look.
    """

    rows: ResponseRows
    arrived: TimedRows | None
    new: int


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What all outputs of one evaluation are described from.

    Args:
        rows: The rows that are described, by response.
        sample: All responses of their time, or a sample; `None` if unknown.
        conditions: What an estimate without labels depends on.
        verdict: What the detector says.
        weights: Shape `(n, 2 outputs)`: the weight of each row in each column of the detector.
        draws: Bootstrap draws.
    """

    rows: ResponseRows
    sample: TimedRows | None
    conditions: EstimateConditions
    verdict: DetectorVerdict
    weights: Floats
    draws: int


class OutcomeEvaluator:
    """Evaluates the outcomes of one model against one reference.

    Args:
        outputs: The outputs with labels, at least one; the reference of each has at least one row.
        rule: When outcomes are tested, and what alarms.
        digest: Identifies the reference.
        checkpoint: Called between pieces of work, here and at each evaluation.

    Attributes:
        outputs: As given.
        bets: The bets on each output.
        detector: The detector, with two columns for each output: performance and concept.
    """

    def __init__(
        self,
        outputs: Sequence[LabelledOutput],
        rule: OutcomeRule,
        digest: str,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        self.outputs = tuple(outputs)
        self._rule = rule
        self._checkpoint = checkpoint
        bets = []
        for output in outputs:
            checkpoint()
            bets.append(OutcomeBets.of(output, PredictionBins.of(output), rule.budget, len(outputs)))
        self.bets = tuple(bets)
        columns = [column for one in bets for column in one.columns]
        self.detector = Detector(columns, rule.budget, rule.min_rows, f"outcomes/{digest}", checkpoint)
        self._references = [describe_reference(one.output, one.bins, factor=1 / one.worth) for one in bets]
        self._evaluations = 0
        self._intervals: dict[tuple[str, str, str], tuple[float, float]] = {}

    def evaluate(
        self,
        state: DetectorState | None,
        window: StreamWindow,
        responses: TimedRows | None,
        now: float,
        conditions: EstimateConditions = _NO_CONDITIONS,
    ) -> OutcomeEvaluation:
        """Feed the new rows to the detector, and describe the newest ones, as many as the rule says.

        Args:
            state: The detector's last state; with `None`, or that of another reference, the detector starts again.
            window: The newest rows of outcomes, in the order in which their labels came; one label is not NaN in each.
            responses: All responses of the window's time, or a uniform sample; `None` if unknown.
            now: Seconds since the epoch; the time of rows whose own is unknown.
            conditions: What an estimate without labels depends on.
        """
        known = self.detector.resume(state)
        every = np.ones(window.numbers.size, dtype=np.bool_)
        new = find_new_rows(window, every, known, self._rule.min_rows)
        after = self.feed(known, window, new.feed, now)
        after = after if new.ledger is None else replace(after, ledger=new.ledger)
        newest = every.cumsum() > every.size - self.described_rows
        arrived = None if window.times is None else TimedRows(window.values[newest], window.times[newest])
        described = _Described(order_by_response(window, newest, now), arrived, int(new.feed.sum()))
        report, after = self._report(after, described, responses, conditions)
        return OutcomeEvaluation(report, after, new.fed, new.skipped)

    @property
    def described_rows(self) -> int:
        """How many rows are described, those whose labels came last: each has the label of one output.

        They are not those of the newest responses: these would be the ones that are labelled soonest.
        """
        return self._rule.window_rows * len(self.outputs)

    def feed(self, state: DetectorState, window: StreamWindow, feed: NDArray[np.bool_], now: float) -> DetectorState:
        """The state after some rows of the window, in slices of one evaluation interval of the responses' time.

        A response gives evidence once for each output: by those of its rows whose labels came first.

        Args:
            state: The state before.
            window: The newest rows.
            feed: Shape `(n,)`: which of them to feed; the others were judged before.
            now: Seconds since the epoch; the time of rows whose own is unknown.
        """
        repeats = find_repeats(window, feed, [one.output.places.label for one in self.bets])
        fed = order_by_response(window, feed & ~repeats, now)
        cells = self._cells(fed.values)
        for part in split_by_time(fed.times, self._rule.budget.evaluation_seconds):
            self._checkpoint()
            rows = NewRows(cells[:, part], fed.responses[part])
            # Late labels of responses whose time has been counted add rows, and no time.
            at = max(state.time, float(fed.times[part.stop - 1]))
            state = self.detector.advance(state, rows, state.number + rows.requests.size, at)
        return state

    def _cells(self, rows: Floats) -> NDArray[np.intp]:
        """The cells of rows: shape `(2 outputs, n)`."""
        return np.vstack([one.find(one.output.places.columns(rows)) for one in self.bets])

    def _report(
        self, state: DetectorState, described: _Described, sample: TimedRows | None, conditions: EstimateConditions
    ) -> tuple[OutcomeReport, DetectorState]:
        """The report, and the state in which the performance of outputs with selected labels starts afresh."""
        rows = described.rows
        weights = row_weights(request_lengths(rows.responses), self.detector.correlations(state)[0])
        verdict = self.detector.verdict(state, rows.times.size, weights.sum(axis=0))
        draws = DRAWS if self._evaluations % DRAWN_EVERY == 0 else 0
        self._evaluations += 1
        look = _Look(rows, sample, conditions, verdict, weights, draws)
        facts = [self._describe(at, look) for at in range(len(self.bets))]
        selected = [self._is_selected(at, facts[at], described, sample) for at in range(len(self.bets))]
        if any(selected):
            withheld = [TESTS * at for at, one in enumerate(selected) if one]
            state = self.detector.restart(state, withheld)
            verdict = self.detector.verdict(state, rows.times.size, weights.sum(axis=0))
        outputs = tuple(
            self._outcome(JudgedOutput(bets, TESTS * at, of.rows, self._rule.min_rows, chosen), of, verdict)
            for at, (bets, of, chosen) in enumerate(zip(self.bets, facts, selected, strict=True))
        )
        reading = "; ".join(one.reading for one in outputs)
        report = OutcomeReport(
            outputs=outputs, rows=rows.times.size, coverage=None, source=conditions.source, reading=reading
        )
        return report, state

    def _describe(self, at: int, look: _Look) -> OutputFacts:
        """All results of one output but its tests."""
        self._checkpoint()
        bets, column, rows, verdict = self.bets[at], TESTS * at, look.rows, look.verdict
        described = DescribedRows(
            requests=rows.responses,
            factor=float(min(verdict.factors[column], max(1, rows.times.size))),
            draws=look.draws,
            conditions=replace(look.conditions, concept=not np.isnan(verdict.since[column + 1])),
            tolerated=(bets.concept.lower, bets.concept.upper),
            reference=self._references[at],
        )
        places = bets.output.places
        sample = None if look.sample is None else places.predicted(look.sample.values)
        labelled, weights = places.columns(rows.values), look.weights[:, column]
        facts = describe_output(bets.output, bets.bins, labelled, weights, sample, described)
        return self._with_intervals(bets.output.name, facts)

    def _is_selected(self, at: int, facts: OutputFacts, described: _Described, sample: TimedRows | None) -> bool:
        """Whether the labelled responses of one output, or those labelled last, are others than all responses."""
        if sample is None:
            return False
        bins, tolerance, places = self.bets[at].bins, self._rule.budget.tolerance, self.bets[at].output.places
        if is_selected(facts.selection, bins, facts.effective_rows, float(sample.times.size), tolerance):
            return True
        if described.arrived is None or not facts.rows:
            return False
        labelled = ~np.isnan(described.arrived.values[:, places.label])
        values, times = described.arrived.values[labelled], described.arrived.times[labelled]
        arrived = BinsInTime(bins.find(places.columns(values)), times)
        responses = BinsInTime(bins.find(places.predicted(sample.values)), sample.times)
        worth = facts.effective_rows / facts.rows
        return newest_are_selected(bins, arrived, responses, worth, tolerance, least=described.new)

    def _outcome(self, judged: JudgedOutput, facts: OutputFacts, verdict: DetectorVerdict) -> OutputOutcome:
        """All results of one output."""
        output, tests = judged.bets.output, judge(judged, verdict)
        return OutputOutcome(
            output=output.name,
            task=output.task,
            rows=facts.rows,
            effective_rows=facts.effective_rows,
            reference_rows=facts.reference_rows,
            tests=tests,
            metrics=facts.metrics,
            class_values=facts.class_values,
            class_rows=facts.class_rows,
            confusion=facts.confusion,
            calibration=facts.calibration,
            selection=facts.selection,
            estimate_withheld=facts.estimate_withheld,
            reading=f"{output.name}: {diagnose(VerdictState.CANNOT_TELL, tests[0].state, tests[1].state)}",
        )

    def _with_intervals(self, output: str, facts: OutputFacts) -> OutputFacts:
        """The facts with the last intervals of metrics for which none were drawn now, if these still hold the value."""
        return replace(facts, metrics=tuple(self._with_interval(output, one) for one in facts.metrics))

    def _with_interval(self, output: str, metric: MetricValue) -> MetricValue:
        place = (output, metric.metric, metric.sample.value)
        if metric.lower is not None and metric.upper is not None:
            self._intervals[place] = metric.lower, metric.upper
            return metric
        lower, upper = self._intervals.get(place, (math.inf, -math.inf))
        return replace(metric, lower=lower, upper=upper) if lower <= metric.value <= upper else metric
