"""All numbers of one output but its tests: metrics with intervals, classes, confusion, calibration, selection."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import REFERENCE_RISK
from driftgauge.drift.outcomes.calibration import calibration_bins, error_bounds
from driftgauge.drift.outcomes.estimated_performance import (
    EstimateConditions,
    estimate_performance,
    weighted_performance,
)
from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.outcomes.outcome_intervals import DRAWS, effective_rows
from driftgauge.drift.outcomes.outcome_report import (
    CalibrationBin,
    ClassValue,
    Confusion,
    EstimateWithheld,
    MetricValue,
    OutcomeSample,
)
from driftgauge.drift.outcomes.prediction_bins import OTHER, PredictionBins
from driftgauge.drift.outcomes.sample_metrics import LabelledSample, SampleValues
from driftgauge.drift.outcomes.selection import selection_of

_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DescribedRows:
    """What is known of the rows of a window besides their columns, and of what they are compared with.

    Args:
        requests: Shape `(n,)`, ascending: equal for rows of one request; `None` if each row is one.
        factor: Rows / effective rows of requests that depend on each other, at least 1.
        draws: Bootstrap draws of the intervals that need them; with 0 these are left out.
        conditions: What an estimate without labels depends on.
        tolerated: The least and the greatest share of errors of each bin that is no change for the concept test, of
            shape `(b,)` each; `None` for the reference's own error and a tolerance of 0.02. Unused for numbers.
        reference: The metrics of the reference, which `describe_reference` has computed before; `None` computes them.
    """

    requests: NDArray[np.int64] | None = None
    factor: float = 1.0
    draws: int = DRAWS
    conditions: EstimateConditions = field(default_factory=EstimateConditions)
    tolerated: tuple[Floats, Floats] | None = None
    reference: SampleValues | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFacts:
    """All results of one output but its tests and the reading; arguments as of `OutputOutcome`."""

    rows: int
    effective_rows: float
    reference_rows: int
    metrics: tuple[MetricValue, ...]
    class_values: tuple[ClassValue, ...]
    class_rows: tuple[tuple[str, OutcomeSample, int], ...]
    confusion: Confusion | None
    calibration: tuple[CalibrationBin, ...]
    selection: float | None
    estimate_withheld: EstimateWithheld | None


def describe_output(
    output: LabelledOutput,
    bins: PredictionBins,
    window: OutcomeColumns,
    weights: Floats | None = None,
    responses: OutcomeColumns | None = None,
    described: DescribedRows | None = None,
) -> OutputFacts:
    """Compute what is shown of one output.

    Args:
        output: The output, with its reference.
        bins: The bins of its predictions.
        window: The columns of the window, `n` rows; those without a prediction or a label are left out.
        weights: Shape `(n,)`, in (0, 1]: the weight of each row by its request, for the effective rows alone; `None` if
            all are 1. Values are of plain rows, so that they are those of any other tool.
        responses: The same columns of all responses of the window's time, or of a uniform sample; `None` if unknown.
        described: What else is known.
    """
    known = described or DescribedRows()
    kept = ~(np.isnan(window.predictions) | np.isnan(window.labels))
    requests = None if known.requests is None else known.requests[kept]
    window, weights = window.only(kept), None if weights is None else weights[kept]
    rows = int(np.count_nonzero(kept))
    sample = LabelledSample(output, bins, window, weights, requests, known.factor)
    values = sample.values(OutcomeSample.WINDOW, known.draws)
    reference = known.reference or describe_reference(output, bins, draws=known.draws)
    worth = effective_rows(rows, weights, known.factor)
    estimate = estimate_performance(output, bins, responses, rows, known.conditions)
    weighted = (
        None if responses is None or rows == 0 else weighted_performance(output, bins, window, responses, rows / worth)
    )
    others = tuple(one for one in (weighted, estimate) if isinstance(one, MetricValue))
    return OutputFacts(
        rows=rows,
        effective_rows=worth,
        reference_rows=output.reference.labels.size,
        metrics=(*values.metrics, *reference.metrics, *others),
        class_values=(*values.class_values, *reference.class_values),
        class_rows=(*values.class_rows, *reference.class_rows),
        confusion=_confusion(output, values.confusion, reference.confusion),
        calibration=calibration_bins(output, bins, window, known.tolerated or _tolerated(bins)),
        selection=None if responses is None else selection_of(bins, bins.find(window), bins.find(responses)),
        estimate_withheld=estimate if isinstance(estimate, EstimateWithheld) else None,
    )


def describe_reference(
    output: LabelledOutput, bins: PredictionBins, *, factor: float = 1.0, draws: int = DRAWS
) -> SampleValues:
    """The metrics of an output's reference, which are the same for every window.

    Args:
        output: The output.
        bins: The bins of its predictions.
        factor: Rows / effective rows of the reference, at least 1.
        draws: As of `DescribedRows`.
    """
    sample = LabelledSample(output, bins, output.reference, None, output.requests, factor)
    return sample.values(OutcomeSample.REFERENCE, draws)


def _tolerated(bins: PredictionBins) -> tuple[Floats, Floats]:
    lower, upper = error_bounds(bins, REFERENCE_RISK)
    return np.maximum(0.0, lower - _TOLERANCE), np.minimum(1.0, upper + _TOLERANCE)


def _confusion(output: LabelledOutput, window: Floats | None, reference: Floats | None) -> Confusion | None:
    """Both matrices, without `(other)` if neither has such rows; `None` for a regression."""
    if output.task is Task.REGRESSION:
        return None
    size = len(output.classes) + 1
    both = [np.zeros((size, size)) if one is None else one for one in (window, reference)]
    shown = size if any(one[-1].any() or one[:, -1].any() for one in both) else size - 1
    texts = (*output.class_texts, OTHER)[:shown]
    lines = [tuple(tuple(map(int, line)) for line in one[:shown, :shown].tolist()) for one in both]
    return Confusion(classes=texts, window=lines[0], reference=lines[1])
