"""The columns of one output with its label: what metrics and alarms of outcomes are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]

LABEL = "label:"
"""Prefix of a column that has the labels of an output; the name of the output follows."""

MAX_OUTPUTS = 10
"""Most outputs of a model whose labels are taken."""


class Task(StrEnum):
    """What a model does for one output, by which its metrics are chosen."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeColumns:
    """The predictions of one output and their labels, in rows of a reference or of a window.

    Args:
        predictions: Shape `(n,)`, float64: the predicted number, or the code of the predicted class; NaN is missing.
        labels: Shape `(n,)`, float64: the true number, or the code of the true class; NaN where there is no label.
        confidence: Shape `(n,)`: the largest class score of each row, in [0, 1], NaN where there is none; `None` if the
            model gives no scores.
        scores: Shape `(n, c)`: the score of each of the task's classes, in their order, in [0, 1]; `None` if the model
            gives none.
    """

    predictions: Floats
    labels: Floats
    confidence: Floats | None = None
    scores: Floats | None = None

    def labelled(self) -> "OutcomeColumns":
        """The rows that have a prediction and a label."""
        return self.only(~(np.isnan(self.predictions) | np.isnan(self.labels)))

    def only(self, rows: NDArray[np.bool_] | slice) -> "OutcomeColumns":
        """Some of the rows: a slice, or shape `(n,)`, whether each one is among them."""
        return OutcomeColumns(
            self.predictions[rows],
            self.labels[rows],
            None if self.confidence is None else self.confidence[rows],
            None if self.scores is None else self.scores[rows],
        )


@dataclass(frozen=True, slots=True)
class ColumnPlaces:
    """Where the columns of one output are among those of an outcome row.

    A row has the columns of the model's predictions, as rows of responses have them, then one column of labels for each
    labelled output.

    Args:
        prediction: Index of the prediction.
        label: Index of the label.
        confidence: Index of the confidence; `None` if there is none.
        scores: Indices of the class scores, in the order of the task's classes; empty if there are none.
        codes: The code of the class that each value of the prediction stands for, such as the index of a score, as
            pairs; empty if the prediction is the code of the class itself. Other values stand for no class.
        probability_of: Where the prediction is the probability of the second of two classes: the codes of both, in the
            order of the task's classes; from 1/2 on the second one is predicted. Else `None`.
    """

    prediction: int
    label: int
    confidence: int | None = None
    scores: tuple[int, ...] = ()
    codes: tuple[tuple[float, float], ...] = ()
    probability_of: tuple[float, float] | None = None

    def predicted(self, rows: Floats) -> OutcomeColumns:
        """The output's columns of responses, of shape `(m, columns of predictions)`, which have no labels."""
        labelled = np.column_stack([rows, np.full(rows.shape[0], np.nan)])
        return replace(self, label=rows.shape[1]).columns(labelled)

    def columns(self, rows: Floats) -> OutcomeColumns:
        """The output's columns of rows of shape `(n, d)`."""
        predictions, labels = rows[:, self.prediction], rows[:, self.label]
        if self.probability_of is not None:
            return _of_probability(predictions, labels, self.probability_of)
        return OutcomeColumns(
            _replaced(predictions, self.codes) if self.codes else predictions,
            labels,
            None if self.confidence is None else rows[:, self.confidence],
            rows[:, list(self.scores)] if self.scores else None,
        )


NO_CLASS = -0.5
"""The code of a prediction that stands for no class: those of classes are whole numbers."""


def _replaced(values: Floats, codes: tuple[tuple[float, float], ...]) -> Floats:
    """Values with the codes of their classes; NaN stays."""
    found = np.where(np.isnan(values), np.nan, NO_CLASS)
    for value, code in codes:
        found[values == value] = code
    return found


def _of_probability(probabilities: Floats, labels: Floats, classes: tuple[float, float]) -> OutcomeColumns:
    """The columns of a model of two classes whose only output is the probability of the second one."""
    predicted = np.where(probabilities >= 0.5, classes[1], classes[0])  # noqa: PLR2004 - of two classes the likelier
    return OutcomeColumns(
        np.where(np.isnan(probabilities), np.nan, predicted),
        labels,
        np.maximum(probabilities, 1 - probabilities),
        np.column_stack([1 - probabilities, probabilities]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class LabelledOutput:
    """One output whose labels are known in a reference, or in the first labelled rows that stand for one.

    Args:
        name: The output's name.
        task: What the model does.
        classes: The codes of the classes, at most 20 and the most frequent ones first; empty for a regression.
        class_texts: The text of each class, in the same order.
        places: Where its columns are in an outcome row.
        reference: The columns of the reference, with a prediction and a label in each row.
        requests: Shape `(m,)`, ascending: equal for rows of the reference that came together; `None` if unknown.
        label_kind: Whether labels are numbers or categories.
        remarks: Clauses on what cannot be used, each with the output as its subject.
        warning: A clause on why its reference is not to be trusted; empty if there is no sign of that.
    """

    name: str
    task: Task
    classes: Sequence[float]
    class_texts: Sequence[str]
    places: ColumnPlaces
    reference: OutcomeColumns
    requests: NDArray[np.int64] | None = None
    label_kind: FeatureKind = FeatureKind.NUMERIC
    remarks: tuple[str, ...] = ()
    warning: str = ""
