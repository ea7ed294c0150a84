"""What makes a canary fail: four criteria, and what each of them tolerates."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from driftgauge.drift.canary.compared_rows import ComparedRows
from driftgauge.drift.canary.compared_traffic import SHIFTS, TOLERATED_STEPS, ComparedTraffic
from driftgauge.drift.canary.matched_requests import ZERO
from driftgauge.drift.canary.tilt_evidence import TiltEvidence, TiltRule, best_tilt, log_mean, tilt_interval
from driftgauge.drift.canary.traffic_counts import STEPS

ALPHA: Final = 0.01
"""The chance that a canary fails that is the same model as the stable revision, over all criteria and all looks."""

INTERVAL_ALPHA: Final = 0.05
"""The chance that an interval ever leaves the true effect out."""


class Criterion(StrEnum):
    """A criterion by which a canary may fail."""

    DRIFT = "drift"
    ERRORS = "errors"
    LATENCY = "latency"
    ACCURACY = "accuracy"


class CriterionState(StrEnum):
    """What is known of a criterion."""

    OK = "ok"
    FAILED = "failed"
    CANNOT_TELL = "cannot_tell"


_SHARE = ALPHA / len(Criterion)

RULES: Final = {
    Criterion.DRIFT: TiltRule(0.05, _SHARE, two_sided=True),
    Criterion.ERRORS: TiltRule(0.2, _SHARE),
    Criterion.LATENCY: TiltRule(0.0, _SHARE),
    Criterion.ACCURACY: TiltRule(0.1, _SHARE),
}
"""Tolerated are a shift of predictions by a twentieth of a standard deviation, odds of an error that are 1.22 times as
large, a latency that is 1.19 times as long (`TOLERATED_STEPS`), and odds of a wrong prediction 1.11 times as large."""

INPUTS: Final = TiltRule(0.05, ALPHA, two_sided=True)
"""The control: inputs that differ beyond this mean that predictions of the revisions cannot be compared."""


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """What is known of one criterion.

    Args:
        criterion: Which one.
        state: Whether it fails.
        reason: A sentence.
        requests: How many requests of the canary and of the stable revision were compared.
        values: The number that is compared, of the canary and of the stable revision; `None` if there is none.
        effect: The estimated effect: of drift the shift in standard deviations of the ranks, of errors the ratio of the
            odds, of latency the ratio, of accuracy the difference; `None` without data.
        interval: The ends of its interval, which holds at all times together with a chance of 95 %; `None` is open.
        evidence: The most evidence that there ever was, log10: against no difference, or that against the tolerated one
            and what its threshold is lower, whichever is less.
        threshold: The evidence from which on it fails, log10.
    """

    criterion: Criterion
    state: CriterionState
    reason: str
    requests: tuple[int, int] = (0, 0)
    values: tuple[float, float] | None = None
    effect: float | None = None
    interval: tuple[float | None, float | None] = (None, None)
    evidence: float = 0.0
    threshold: float = 0.0


def judge_drift(
    predictions: ComparedRows | None, inputs: ComparedRows | None, min_requests: int, absence: str
) -> CriterionResult:
    """Whether predictions differ, where inputs do not.

    Args:
        predictions: `None` if they cannot be compared.
        inputs: The control; `None` if they cannot be compared.
        min_requests: Least requests of each revision for a canary to pass.
        absence: Why there are no predictions.
    """
    if predictions is None:
        return CriterionResult(Criterion.DRIFT, CriterionState.CANNOT_TELL, absence)
    place = _most_shifted(predictions.evidence)
    likelihoods = predictions.evidence.likelihoods[place]
    result = _judge(Criterion.DRIFT, predictions.evidence, predictions.requests, min_requests, "predictions")
    interval = tilt_interval(likelihoods, INTERVAL_ALPHA)
    result = replace(result, effect=best_tilt(likelihoods), interval=interval)
    result = _not_yet(
        result, predictions.evidence, is_tolerated=abs(best_tilt(likelihoods)) <= RULES[Criterion.DRIFT].tolerated
    )
    if inputs is not None and inputs.evidence.fails(INPUTS):
        sentence = "the inputs of the revisions differ beyond chance, so their predictions cannot be compared"
        return replace(result, state=CriterionState.CANNOT_TELL, reason=sentence)
    if inputs is None and result.state is CriterionState.FAILED:
        return replace(result, reason=f"{result.reason}; inputs were not compared")
    return result


def judge_errors(traffic: ComparedTraffic, min_requests: int) -> CriterionResult:
    """Whether more requests fail."""
    result = _judge(Criterion.ERRORS, traffic.errors, traffic.requests, min_requests, "errors")
    if not all(traffic.requests):
        return result
    shares = [failed / number for failed, number in zip(traffic.failed, traffic.requests, strict=True)]
    values = shares[0], shares[1]
    if not sum(traffic.failed):
        return replace(result, values=values)
    likelihoods = traffic.errors.likelihoods[0]
    low, high = tilt_interval(likelihoods, INTERVAL_ALPHA)
    tilt = best_tilt(likelihoods)
    result = replace(result, values=values, effect=math.exp(tilt), interval=(_exp(low), _exp(high)))
    return _not_yet(result, traffic.errors, is_tolerated=tilt <= RULES[Criterion.ERRORS].tolerated)


def judge_latency(traffic: ComparedTraffic, min_requests: int) -> CriterionResult:
    """Whether requests take longer."""
    result = _judge(Criterion.LATENCY, traffic.latency, traffic.timed, min_requests, "latencies")
    if not traffic.weight:
        return result
    ratio = math.exp(traffic.log_ratio / traffic.weight)
    result = _not_yet(result, traffic.latency, is_tolerated=ratio <= 2 ** (TOLERATED_STEPS / STEPS))
    evidence = np.array([log_mean(one) for one in traffic.shifts])
    kept = np.flatnonzero(evidence < math.log(1 / INTERVAL_ALPHA))
    if not kept.size:
        return replace(result, effect=ratio)
    low, high = int(kept[0]) - 1, int(kept[-1]) + 1
    ends = (SHIFTS[low] if low >= 0 else None), (SHIFTS[high] if high < len(SHIFTS) else None)
    return replace(result, effect=ratio, interval=(_factor(ends[0]), _factor(ends[1])))


def judge_accuracy(
    losses: ComparedRows | None, min_requests: int, absence: str, *, numbers: bool = False
) -> CriterionResult:
    """Whether more labelled predictions are wrong, or, of numbers, more wrong.

    Args:
        losses: What the labels say; `None` without labels.
        min_requests: Least labelled requests of each revision for a canary to pass.
        absence: Why there are no labels.
        numbers: Whether the losses are absolute errors of numbers; values are their means then, without an interval.
    """
    if losses is None:
        return CriterionResult(Criterion.ACCURACY, CriterionState.CANNOT_TELL, absence)
    result = _judge(Criterion.ACCURACY, losses.evidence, losses.requests, min_requests, "labelled predictions")
    if not all(losses.rows):
        return result
    tilt = best_tilt(losses.evidence.likelihoods[0])
    result = _not_yet(result, losses.evidence, is_tolerated=tilt <= RULES[Criterion.ACCURACY].tolerated)
    share, expected = (float(total) / rows for total, rows in zip(losses.sums[:, 0], losses.rows, strict=True))
    if numbers:
        return replace(result, values=(share, expected), effect=share - expected)
    interval = _accuracy_interval(losses, expected)
    return replace(result, values=(1 - share, 1 - expected), effect=expected - share, interval=interval)


def _accuracy_interval(losses: ComparedRows, expected: float) -> tuple[float | None, float | None]:
    """The interval of the difference of the accuracies: that of the odds of a wrong prediction, at the stable share."""
    low, high = tilt_interval(losses.evidence.likelihoods[0], INTERVAL_ALPHA)

    def difference(tilt: float | None) -> float | None:
        """How far the accuracy of the canary is above that of the stable revision."""
        if tilt is None or not 0 < expected < 1:
            return None
        odds = expected / (1 - expected) * math.exp(tilt)
        return expected - odds / (1 + odds)

    return difference(high), difference(low)


def _judge(
    criterion: Criterion, evidence: TiltEvidence, requests: tuple[int, int], min_requests: int, what: str
) -> CriterionResult:
    """The state by the evidence alone."""
    rule = RULES[criterion]
    found = CriterionResult(
        criterion,
        CriterionState.OK,
        f"{what} do not differ by more than is tolerated, as far as {requests[0]:,} and {requests[1]:,} requests show",
        requests,
        evidence=evidence.peak(rule) / math.log(10),
        threshold=rule.threshold / math.log(10),
    )
    if evidence.fails(rule):
        worse = "differ" if criterion is Criterion.DRIFT else "are worse"
        shown = f"in {requests[0]:,} and {requests[1]:,} requests"
        sentence = f"{what} {worse} by more than chance and what is tolerated, {shown}"
        return replace(found, state=CriterionState.FAILED, reason=sentence)
    if min(requests) < min_requests:
        few = f"{what} of {requests[0]:,} requests of the canary and {requests[1]:,} of the stable revision, each needs"
        return replace(found, state=CriterionState.CANNOT_TELL, reason=f"{few} {min_requests:,}")
    return found


def _not_yet(result: CriterionResult, evidence: TiltEvidence, *, is_tolerated: bool) -> CriterionResult:
    """Do not pass a canary that seems to be worse, and does not fail yet, since no minute counts for all."""
    if result.state is not CriterionState.OK or is_tolerated or not evidence.shows_difference(RULES[result.criterion]):
        return result
    shown = f"in {result.requests[0]:,} and {result.requests[1]:,} requests"
    sentence = f"there is a difference {shown}; that it lasts, and is more than is tolerated, is not proved yet"
    return replace(result, state=CriterionState.CANNOT_TELL, reason=sentence)


def _most_shifted(evidence: TiltEvidence) -> int:
    """The score that is most at odds with a tilt of 0."""
    return int(np.argmax(evidence.likelihoods.max(axis=1) - evidence.likelihoods[:, ZERO]))


def _exp(tilt: float | None) -> float | None:
    return None if tilt is None else math.exp(tilt)


def _factor(steps: int | None) -> float | None:
    return None if steps is None else 2 ** (steps / STEPS)
