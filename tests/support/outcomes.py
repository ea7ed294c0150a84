"""Outcomes for tests: classes with scores, and numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces, LabelledOutput, OutcomeColumns, Task


def class_outcomes(
    rows: int, classes: int = 2, *, seed: int = 0, flipped: float = 0.0, digits: int | None = None
) -> OutcomeColumns:
    """Predictions of a calibrated model with its scores, and labels that are drawn from them.

    Args:
        rows: How many.
        classes: How many classes, with the codes 0, 1, ...
        seed: Of the draw.
        flipped: The share of labels that are replaced by any class.
        digits: To how many digits the scores are rounded, so that there are ties.
    """
    random = np.random.default_rng(seed)
    scores = np.exp(2 * random.normal(size=(rows, classes)))
    scores /= scores.sum(axis=1, keepdims=True)
    labels = (scores.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    labels = np.where(random.random(rows) < flipped, random.integers(classes, size=rows), labels)
    if digits is not None:
        scores = np.round(scores, digits)
    predictions = scores.argmax(axis=1).astype(np.float64)
    return OutcomeColumns(predictions, labels.astype(np.float64), scores.max(axis=1), scores)


def number_outcomes(rows: int, *, seed: int = 0, bias: float = 0.0, digits: int | None = None) -> OutcomeColumns:
    """Predicted numbers of variance 1, and labels with normal errors of variance 1."""
    random = np.random.default_rng(seed)
    labels = random.normal(size=rows)
    predictions = labels + random.normal(size=rows) + bias
    if digits is not None:
        labels, predictions = labels.round(digits), predictions.round(digits)
    return OutcomeColumns(predictions, labels)


def class_output(
    reference: OutcomeColumns,
    classes: Sequence[float] | None = None,
    *,
    requests: NDArray[np.int64] | None = None,
) -> LabelledOutput:
    """An output with classes whose texts are `c0`, `c1`, ...; by default those of the reference, at most 20."""
    codes = np.unique(np.concatenate([reference.predictions, reference.labels])).tolist()[:20]
    codes = codes if classes is None else list(classes)
    texts = [f"c{code:.0f}" for code in codes]
    return LabelledOutput("quality", Task.CLASSIFICATION, codes, texts, ColumnPlaces(0, 1), reference, requests)


def number_output(reference: OutcomeColumns, requests: NDArray[np.int64] | None = None) -> LabelledOutput:
    """An output of numbers."""
    return LabelledOutput("price", Task.REGRESSION, (), (), ColumnPlaces(0, 1), reference, requests)


def without_scores(columns: OutcomeColumns) -> OutcomeColumns:
    """The same predictions of a model that gives no scores."""
    return OutcomeColumns(columns.predictions, columns.labels)
