"""How good predictions are, given their labels: metrics of classes, of class scores and of numbers.

Each is computed of weighted rows, so that a bootstrap draw, which takes a row several times or never, is one more call.
A metric that is not defined, such as the recall of a class without labels, is NaN.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import Floats, OutcomeColumns

LEAST_SCORE = 1e-15
"""The score of the true class from which on the log loss grows no further."""

_BINARY = 2


def class_places(codes: Floats, classes: Sequence[float]) -> NDArray[np.intp]:
    """The place of each code among the classes, shape `(n,)`; their number where it is none of them."""
    known = np.array(classes, dtype=np.float64)
    order = np.argsort(known)
    found = np.minimum(np.searchsorted(known[order], codes), max(0, known.size - 1))
    if not known.size:
        return np.zeros(codes.size, dtype=np.intp)
    return np.where(known[order][found] == codes, order[found], known.size)


@dataclass(frozen=True, slots=True, eq=False)
class ClassRows:
    """Predicted and true classes of `n` rows; the place after the last class is that of all other codes.

    Args:
        labels: Shape `(n,)`: the place of the true class.
        predictions: Shape `(n,)`: the place of the predicted class.
        right: Shape `(n,)`: whether they are the same class; of two others, whether they are the same code.
        classes: How many classes have a place of their own.
    """

    labels: NDArray[np.intp]
    predictions: NDArray[np.intp]
    right: NDArray[np.bool_]
    classes: int

    @staticmethod
    def of(columns: OutcomeColumns, classes: Sequence[float]) -> "ClassRows":
        """The classes of rows that have a prediction and a label."""
        return ClassRows(
            class_places(columns.labels, classes),
            class_places(columns.predictions, classes),
            columns.predictions == columns.labels,
            len(classes),
        )

    def confusion(self, weights: Floats | None = None) -> Floats:
        """The weight of the rows of each label and prediction: shape `(c + 1, c + 1)`, a line for each label."""
        width = self.classes + 1
        cells = self.labels * width + self.predictions
        return np.bincount(cells, weights=weights, minlength=width * width).astype(np.float64).reshape(width, width)

    def scores(self, weights: Floats) -> "ClassScores":
        """Precision, recall and F1 of each class of rows with these weights."""
        right = self._sums(self.labels, weights * self.right)
        labelled, predicted = self._sums(self.labels, weights), self._sums(self.predictions, weights)
        return ClassScores(_ratio(right, predicted), _ratio(right, labelled), _ratio(2 * right, labelled + predicted))

    def _sums(self, places: NDArray[np.intp], weights: Floats) -> Floats:
        return np.bincount(places, weights=weights, minlength=self.classes + 1).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """Metrics of single classes, shape `(c + 1,)`, in [0, 1]; of all other classes last. NaN where not defined.

    Args:
        precision: The share of right ones among the predictions of the class.
        recall: The share of right ones among the labels of the class.
        f1: 2 right / (labels + predictions).
    """

    precision: Floats
    recall: Floats
    f1: Floats

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have labels."""
        return _mean_of_known(self.recall)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that have labels or predictions."""
        return _mean_of_known(self.f1)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """A ratio that is NaN where the whole is 0."""
    ratios = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios


def _mean_of_known(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def scores_of_classes(columns: OutcomeColumns, classes: Sequence[float]) -> Floats | None:
    """The score of each class in each row, shape `(n, c)`; `None` if they are unknown.

    Of two classes the confidence, which is the score of the predicted one, shows both.
    """
    if columns.scores is not None:
        return columns.scores
    if columns.confidence is None or len(classes) != _BINARY:
        return None
    of_second = np.where(columns.predictions == classes[1], columns.confidence, 1 - columns.confidence)
    return np.column_stack([1 - of_second, of_second])


def complete_rows(scores: Floats) -> NDArray[np.bool_]:
    """Which rows of shape `(n, c)` have all scores: shape `(n,)`."""
    return np.asarray(~np.isnan(scores).any(axis=1), dtype=np.bool_)


def log_losses(scores: Floats, labels: NDArray[np.intp]) -> Floats:
    """The log loss of each row: -ln of the score of its true class, at least 1e-15.

    Args:
        scores: Shape `(n, c)`, in [0, 1].
        labels: Shape `(n,)`: the place of the true class; c for a class without a score, whose score is 0.
    """
    padded = np.column_stack([scores, np.zeros(scores.shape[0])])
    true = padded[np.arange(labels.size), labels]
    losses: Floats = -np.log(np.clip(true, LEAST_SCORE, 1.0))
    return losses


def brier_scores(scores: Floats, labels: NDArray[np.intp]) -> Floats:
    """The Brier score of each row: the sum of the squared errors of its scores, of two classes half of it.

    Args:
        scores: Shape `(n, c)`, in [0, 1].
        labels: Shape `(n,)`: the place of the true class; c for a class without a score.

    Source:
        G. W. Brier, "Verification of Forecasts Expressed in Terms of Probability", Monthly Weather Review 78, 1950; of
        two classes the half is what is meant by the name today.
    """
    truth = labels[:, np.newaxis] == np.arange(scores.shape[1])
    errors: Floats = ((scores - truth) ** 2).sum(axis=1)
    return errors / 2 if scores.shape[1] == _BINARY else errors


class RocCurves:
    """The areas under the ROC curves of the scores of some rows.

    Args:
        scores: Shape `(n, c)`.
        labels: Shape `(n,)`: the place of the true class; c for a class without a score.

    Attributes:
        area: The area, or the mean of those that are defined, in [0, 1]; NaN if none is.
        influence: Shape `(n,)`, with the sum 0: how much the area grows for one more row like this one, to first order.

    Notes:
        The area is the chance that a row of the class has a higher score than one of another class, half of the
        chance of equal ones included. Of two classes it is that of the second one; of more the mean over the classes,
        each against all others. Its influence is that of the placements of DeLong et al.

    Source:
        J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC)
        Curve", Radiology 143, 1982; E. R. DeLong et al., "Comparing the Areas under Two or More Correlated ROC
        Curves", Biometrics 44, 1988.
    """

    def __init__(self, scores: Floats, labels: NDArray[np.intp]) -> None:
        classes = [1] if scores.shape[1] == _BINARY else range(scores.shape[1])
        curves = [_area_and_influence(scores[:, place], labels == place) for place in classes]
        known = [curve for curve in curves if not math.isnan(curve[0])]
        self.area = sum(area for area, _ in known) / len(known) if known else math.nan
        self.influence: Floats = np.zeros(labels.size)
        for _, influence in known:
            self.influence += influence / len(known)

    def drawn_area(self, weights: Floats) -> float:
        """The area of a bootstrap draw, to first order in how often each row was drawn, shape `(n,)`.

        It costs one product, where the area itself costs a sum over all scores of each class.
        """
        return self.area + float(((weights - 1) * self.influence).sum())


def _area_and_influence(scores: Floats, positive: NDArray[np.bool_]) -> tuple[float, Floats]:
    """The area under the ROC curve of one class, and its influence, shape `(n,)`."""
    positives = int(np.count_nonzero(positive))
    negatives = scores.size - positives
    if positives == 0 or negatives == 0:
        return math.nan, np.zeros(scores.size)
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    of_class = np.bincount(places[positive], minlength=counts.size)
    of_others = counts - of_class
    below = (np.cumsum(of_others) - of_others / 2) / negatives
    above = (positives - np.cumsum(of_class) + of_class / 2) / positives
    area = float(of_class @ below) / positives
    placements = np.where(positive, below[places], above[places])
    influence: Floats = (placements - area) / np.where(positive, positives, negatives)
    return area, influence


class NumberErrors:
    """The metrics of predicted numbers that are no plain means, of rows that are sorted once for all weights.

    Args:
        predictions: Shape `(n,)`, n at least 1.
        labels: Shape `(n,)`.
    """

    def __init__(self, predictions: Floats, labels: Floats) -> None:
        self._labels, self._squares = labels, (predictions - labels) ** 2
        sizes = np.abs(predictions - labels)
        self._order = np.argsort(sizes)
        self._sizes = sizes[self._order]

    def metrics(self, weights: Floats) -> dict[str, float]:
        """The metrics of rows with these weights; no products of BLAS, whose threads would wait for each other.

        Args:
            weights: Shape `(n,)`: how often each row counts, whole numbers that are not all 0.

        Returns:
            `rmse`; `r2`, 1 - sum of squared errors / sum of squared differences of the labels from their mean, NaN
            where all labels are equal; `median_error`, the median of |prediction - label|.
        """
        rows = float(weights.sum())
        squares = float((weights * self._squares).sum())
        mean = float((weights * self._labels).sum()) / rows
        spread = float((weights * (self._labels - mean) ** 2).sum())
        counted = self._labels[weights > 0]
        is_constant = spread == 0 or bool((counted == counted[0]).all())
        return {
            "rmse": math.sqrt(squares / rows),
            "r2": math.nan if is_constant else 1 - squares / spread,
            "median_error": self._median(weights, int(rows)),
        }

    def _median(self, weights: Floats, rows: int) -> float:
        """The middle one of the sizes of the errors, or the mean of the two middle ones."""
        middle = np.searchsorted(np.cumsum(weights[self._order]), [(rows - 1) // 2, rows // 2], side="right")
        return float(self._sizes[middle].mean())
