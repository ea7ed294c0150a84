"""The results of the two tests of each output, with the reasons why there is no verdict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.verdict import DetectorVerdict
from driftgauge.drift.outcomes.outcome_bets import OutcomeBets
from driftgauge.drift.outcomes.outcome_report import OutcomeReason, OutcomeTest, OutcomeTestResult, OutcomeUntested

Floats = NDArray[np.float64]

LARGEST_RISE = 0.5
"""A reference says nothing of errors if they must become more frequent by this to be found."""


@dataclass(frozen=True, slots=True)
class JudgedOutput:
    """What is known of one output besides the detector's verdict.

    Args:
        bets: The bets on it.
        column: The detector's first column of it, that of the performance; the next one is that of the concept.
        rows: Its labelled rows in the window.
        min_rows: Fewest rows for a verdict.
        selected: Whether the labelled responses are others than all responses.
    """

    bets: OutcomeBets
    column: int
    rows: int
    min_rows: int
    selected: bool


def judge(output: JudgedOutput, verdict: DetectorVerdict) -> tuple[OutcomeTestResult, OutcomeTestResult]:
    """The results of the performance test and of the concept test.

    Where the labelled responses are others than all responses, the performance test does not alarm: it would measure
    how labels are chosen.
    """
    return _judge(output, verdict, OutcomeTest.PERFORMANCE), _judge(output, verdict, OutcomeTest.CONCEPT)


def _judge(output: JudgedOutput, verdict: DetectorVerdict, test: OutcomeTest) -> OutcomeTestResult:
    of_performance = test is OutcomeTest.PERFORMANCE
    column = output.column if of_performance else output.column + 1
    withheld = of_performance and output.selected
    drift = not withheld and not np.isnan(verdict.since[column])
    evidence = 0.0 if verdict.evidence is None else float(verdict.evidence[column])
    return OutcomeTestResult(
        test=test,
        statistic=evidence,
        threshold=verdict.threshold,
        drift=drift,
        since=float(verdict.since[column]) if drift else None,
        detectable=output.bets.smallest_rise if of_performance else output.bets.smallest_bin_change,
        untested=None if drift else _untested(output, verdict, column, withheld=withheld),
    )


def _untested(output: JudgedOutput, verdict: DetectorVerdict, column: int, *, withheld: bool) -> OutcomeUntested | None:
    """Why there is no verdict; the first reason that holds."""
    reference = output.bets.output.reference.labels.size
    of_performance = column == output.column
    least = output.bets.smallest_rise if of_performance else output.bets.smallest_bin_change
    if withheld:
        return OutcomeUntested(
            reason=OutcomeReason.SELECTED,
            explanation="the labelled responses are others than all responses, so that their errors are not those of "
            "all: label a random sample",
        )
    if least is None or least >= LARGEST_RISE:
        return OutcomeUntested(
            reason=OutcomeReason.REFERENCE_SMALL,
            explanation=f"the reference has {reference:,} labelled rows, too few to say how often the model is right",
        )
    if output.rows < output.min_rows or verdict.unknown[column]:
        return OutcomeUntested(
            reason=OutcomeReason.FEW_LABELS,
            explanation=f"{output.rows:,} labelled rows are too few, at least {output.min_rows:,} are needed"
            if output.rows < output.min_rows
            else "the labelled rows are too few to know how much errors that follow each other resemble each other",
        )
    if verdict.alike[column]:
        return OutcomeUntested(
            reason=OutcomeReason.ALIKE,
            explanation="errors come in runs so long that the dependence of the rows has no bound",
        )
    if not verdict.reachable[column]:
        return OutcomeUntested(
            reason=OutcomeReason.THRESHOLD,
            explanation="no window of so many labelled rows could alarm",
        )
    return None
