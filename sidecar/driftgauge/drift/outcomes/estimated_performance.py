"""Performance of all responses: from the labelled ones, weighted by bins, and from the reference, without labels."""

import math
from dataclasses import dataclass

import numpy as np

from driftgauge.drift.outcomes.calibration import error_bounds
from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.outcomes.outcome_intervals import Z
from driftgauge.drift.outcomes.outcome_report import EstimateWithheld, MetricValue, OutcomeSample
from driftgauge.drift.outcomes.prediction_bins import PredictionBins, errors_of

SHOWN_ROWS = 100
"""Fewest rows of the reference with which a bin says how often its predictions are right."""

MOST_UNKNOWN = 0.05
"""Largest share of responses of which the bins say nothing."""

_RISK = 0.05
"""Chance that an estimate's interval does not hold the expected performance, if the relation is unchanged."""

_BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class EstimateConditions:
    """What an estimate depends on besides the responses.

    Args:
        source: `reference`, or `baseline` if the first labelled rows stand for one.
        concept: The concept test alarms.
        outside: Inputs alarm by values outside of the reference's range or by unknown categories.
        checked: Labels came since the baseline was taken; True for a reference.
    """

    source: str = "reference"
    concept: bool = False
    outside: bool = False
    checked: bool = True


def weighted_performance(
    output: LabelledOutput, bins: PredictionBins, window: OutcomeColumns, responses: OutcomeColumns, factor: float
) -> MetricValue | None:
    """The accuracy (of numbers the mean absolute error) of all responses, from the labelled ones of each bin.

    Args:
        output: The output.
        bins: The bins of its predictions.
        window: The rows that have a prediction and a label.
        responses: All responses of the same time, or a uniform sample.
        factor: Rows / effective rows, at least 1.

    Returns:
        Each bin's mean times its share of the responses; `None` if bins without labels have more than 5 % of them. It
        is unbiased if the labels are missing at random within each bin.

    Notes:
        The interval is that of a mean over strata: mean +- 1.96 sqrt(sum of share^2 variance / effective rows). The
        variance of a bin's shares is that of (right + 1) / (rows + 2), so that it is above 0.
    """
    places, asked = bins.find(window), bins.counts(bins.find(responses))
    errors = errors_of(output.task, window)
    is_number = output.task is Task.REGRESSION
    values = np.abs(errors) if is_number else 1 - errors
    rows = bins.counts(places)
    known = rows > 0
    covered = float(asked[known].sum())
    if covered < (1 - MOST_UNKNOWN) * max(1, responses.predictions.size):
        return None
    shares = asked[known] / covered
    rows, sums = rows[known], bins.counts(places, values)[known]
    means = sums / rows
    if is_number:
        variances = np.maximum(0.0, bins.counts(places, values**2)[known] / rows - means**2) * rows
        variances /= np.maximum(1.0, rows - 1)
    else:
        smoothed = (sums + 1) / (rows + 2)
        variances = smoothed * (1 - smoothed)
    value = float(shares @ means)
    half = Z * math.sqrt(float(shares**2 @ (variances / rows)) * factor)
    upper = value + half if is_number else min(1.0, value + half)
    return MetricValue(
        metric="mae" if is_number else "accuracy",
        sample=OutcomeSample.WEIGHTED,
        value=value,
        lower=max(0.0, value - half),
        upper=upper,
    )


def estimate_performance(
    output: LabelledOutput,
    bins: PredictionBins,
    responses: OutcomeColumns | None,
    labels: int,
    conditions: EstimateConditions,
) -> MetricValue | EstimateWithheld:
    """The accuracy that the reference's relation of prediction and label leads to, without any label of the responses.

    Args:
        output: The output, with its reference.
        bins: The bins of its predictions.
        responses: All responses of a time, or a uniform sample; `None` if unknown.
        labels: Labelled rows of the window.
        conditions: What else the estimate depends on.

    Returns:
        The sum over bins of the share of the responses and the reference's accuracy, or why there is none. Without
        responses that is `FEW_EXAMPLES`. It says nothing of a relation that has changed.

    Notes:
        The interval is that sum of Chernoff's bounds of each bin's accuracy, which all hold with a chance of 95 %.

    Source:
        Confidence-based performance estimation (J. Bialek et al., "Estimating Model Performance Under Covariate
        Shift", arXiv:2401.08348), calibrated by the bins.
    """
    found = np.full(0, -1) if responses is None else bins.find(responses)
    counts = bins.counts(found)
    known = (bins.reference_rows >= SHOWN_ROWS) & (counts > 0)
    covered = float(counts[known].sum())
    reason = _reason_withheld(output.task, covered / max(1, found.size), labels, conditions)
    if reason is not None:
        return reason
    shares = np.where(known, counts, 0.0) / covered
    accuracy = 1 - bins.reference_errors / np.maximum(1.0, bins.reference_rows)
    lower, upper = error_bounds(bins, _RISK)
    return MetricValue(
        metric="accuracy",
        sample=OutcomeSample.ESTIMATED,
        value=_sum(shares, accuracy),
        lower=_sum(shares, 1 - upper),
        upper=_sum(shares, 1 - lower),
    )


def _sum(shares: Floats, values: Floats) -> float:
    return float(shares @ values)


def _reason_withheld(
    task: Task, covered: float, labels: int, conditions: EstimateConditions
) -> EstimateWithheld | None:
    """Why nothing is estimated; of several reasons the one that more responses would not remove is first."""
    reasons = {
        EstimateWithheld.REGRESSION: task is Task.REGRESSION,
        EstimateWithheld.BASELINE: conditions.source == _BASELINE and not (conditions.checked and labels),
        EstimateWithheld.CONCEPT: conditions.concept,
        EstimateWithheld.OUTSIDE: conditions.outside,
        EstimateWithheld.FEW_EXAMPLES: covered < 1 - MOST_UNKNOWN,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
