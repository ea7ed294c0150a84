"""How often predictions are right in each bin of what the model said, and whether its confidence says so."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.outcomes.outcome_intervals import Z
from driftgauge.drift.outcomes.outcome_report import CalibrationBin
from driftgauge.drift.outcomes.prediction_bins import NO_BIN, PredictionBins, errors_of
from driftgauge.drift.statistics.concentration import upper_bound_true_share


def calibration_error(
    bins: PredictionBins, places: NDArray[np.intp], confidence: Floats, right: Floats, weights: Floats
) -> float:
    """The expected calibration error: the mean over rows of |mean confidence - share of right ones| of their bins.

    Args:
        bins: The bins of predictions.
        places: Shape `(n,)`: the bin of each row; -1 is left out.
        confidence: Shape `(n,)`, in [0, 1]; rows without one, NaN, are left out.
        right: Shape `(n,)`: 1 if a row is right, else 0.
        weights: Shape `(n,)`, at least 0.

    Returns:
        In [0, 1]; NaN without rows.

    Source:
        C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2, with bins of the reference.
    """
    kept = (places != NO_BIN) & ~np.isnan(confidence)
    gaps = bins.counts(places[kept], (weights * (confidence - right))[kept])
    rows = float(weights[kept].sum())
    return float(np.abs(gaps).sum()) / rows if rows > 0 else float("nan")


def error_bounds(bins: PredictionBins, risk: float) -> tuple[Floats, Floats]:
    """Bounds on the true share of errors in each bin, from the reference, by Chernoff's bound.

    Args:
        bins: The bins of the predictions of a classification.
        risk: The chance, in (0, 1), of a reference for which any of the bounds does not hold.

    Returns:
        The lower and the upper bounds, each of shape `(b,)`, in [0, 1]; 0 and 1 for a bin without rows.
    """
    each = risk / (2 * bins.count)
    lower, upper = np.zeros(bins.count), np.ones(bins.count)
    for place, (rows, errors) in enumerate(zip(bins.reference_rows, bins.reference_errors, strict=True)):
        if rows > 0:
            share = min(1.0, float(errors / rows))
            upper[place] = upper_bound_true_share(share, float(rows), each)
            lower[place] = 1 - upper_bound_true_share(1 - share, float(rows), each)
    return lower, upper


def calibration_bins(
    output: LabelledOutput, bins: PredictionBins, window: OutcomeColumns, tolerated: tuple[Floats, Floats]
) -> tuple[CalibrationBin, ...]:
    """What reference and window have in each bin.

    Args:
        output: The output, with its reference.
        bins: The bins of its predictions.
        window: The rows of the window that have a prediction and a label.
        tolerated: The least and the greatest share of errors of each bin that is no change, of shape `(b,)` each;
            unused for numbers.

    Returns:
        The bins. Classes: shares of right predictions, and what is tolerated. Numbers: mean errors, and the 95 %
        interval of the reference's.
    """
    places = bins.find(window)
    rows, errors = bins.counts(places), bins.counts(places, errors_of(output.task, window))
    bounds = _of_right_ones(*tolerated) if output.task is Task.CLASSIFICATION else _of_numbers(output, bins)
    titles = zip(bins.labels, bins.group_of.tolist(), bins.ends, strict=True)
    return tuple(
        CalibrationBin(
            label=label,
            class_text=bins.groups[group].text,
            lower=ends[0],
            upper=ends[1],
            reference_rows=int(bins.reference_rows[place]),
            window_rows=int(rows[place]),
            reference=_shown(output.task, bins.reference_errors[place], bins.reference_rows[place]) or 0.0,
            window=_shown(output.task, errors[place], rows[place]),
            tolerated_lower=lower,
            tolerated_upper=upper,
        )
        for place, ((label, group, ends), (lower, upper)) in enumerate(zip(titles, bounds, strict=True))
    )


def _shown(task: Task, errors: float, rows: float) -> float | None:
    """The share of right predictions, or the mean error; `None` without rows."""
    if rows == 0:
        return None
    mean = float(errors / rows)
    return mean if task is Task.REGRESSION else 1 - mean


def _of_right_ones(lower: Floats, upper: Floats) -> Iterator[tuple[float, float]]:
    """The shares of right predictions, given those of errors."""
    yield from zip((1 - upper).tolist(), (1 - lower).tolist(), strict=True)


def _of_numbers(output: LabelledOutput, bins: PredictionBins) -> Iterator[tuple[float, float]]:
    """The 95 % interval of the reference's mean error in each bin."""
    errors = errors_of(output.task, output.reference)
    squares = bins.counts(bins.find(output.reference), errors**2)
    rows = np.maximum(1.0, bins.reference_rows)
    means = bins.reference_errors / rows
    half = Z * np.sqrt(np.maximum(0.0, squares / rows - means**2) / rows)
    yield from zip((means - half).tolist(), (means + half).tolist(), strict=True)
