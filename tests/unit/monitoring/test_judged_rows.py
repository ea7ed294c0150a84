"""What labelled rows add to the counters: the metrics of any range follow from the sums of its parts."""

import math
from collections import Counter

import numpy as np
import pytest
from sklearn import metrics as sk

from driftgauge.drift.ledger import RowOrigins
from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces, Floats, LabelledOutput, OutcomeColumns, Task
from driftgauge.metrics.outcome_counts import ErrorSums
from driftgauge.monitoring.judged_rows import counted_since, sum_outputs
from tests.support.outcomes import class_outcomes, number_outcomes

PARTS = (slice(0, 100), slice(100, 101), slice(101, 101), slice(101, 500))


def graded() -> tuple[LabelledOutput, Floats, OutcomeColumns]:
    """An output of three classes, and its outcome rows: prediction, label."""
    columns = class_outcomes(500, 3, flipped=0.1)
    output = LabelledOutput("o", Task.CLASSIFICATION, (0.0, 1.0, 2.0), ("a", "b", "c"), ColumnPlaces(0, 1), columns)
    return output, np.column_stack([columns.predictions, columns.labels]), columns


def test_metrics_of_classes_follow_from_the_counts_of_parts() -> None:
    """Accuracy, precision and recall equal those of scikit-learn over all rows."""
    output, rows, columns = graded()
    counts = [one for part in PARTS for one in sum_outputs([output], rows[part])]
    confusion: Counter[tuple[str, str]] = Counter()
    for one in counts:
        confusion.update(one.confusion)
    labels, predictions = columns.labels, columns.predictions

    assert 500 == sum(one.rows for one in counts) == sum(confusion.values())
    assert all(one.errors is None for one in counts)
    accuracy = sum(one.correct for one in counts) / 500
    assert math.isclose(sk.accuracy_score(labels, predictions), accuracy, rel_tol=1e-12)
    recall = confusion["b", "b"] / sum(confusion["b", prediction] for prediction in "abc")
    precision = confusion["b", "b"] / sum(confusion[label, "b"] for label in "abc")
    assert math.isclose(sk.recall_score(labels, predictions, labels=[1], average="macro"), recall, rel_tol=1e-12)
    assert math.isclose(sk.precision_score(labels, predictions, labels=[1], average="macro"), precision, rel_tol=1e-12)


def test_metrics_of_numbers_follow_from_the_sums_of_parts() -> None:
    """Mean absolute error, bias and RMSE; no sum ever falls, also where the bias is negative."""
    columns = number_outcomes(500, bias=-0.3)
    output = LabelledOutput("o", Task.REGRESSION, (), (), ColumnPlaces(0, 1), columns)
    rows = np.column_stack([columns.predictions, columns.labels])
    sums = [one.errors for part in PARTS for one in sum_outputs([output], rows[part]) if one.errors is not None]
    above, below, squared = (sum(values) for values in zip(*sums, strict=True))
    labels, predictions = columns.labels, columns.predictions

    assert min(value for one in sums for value in one) >= 0
    assert math.isclose(sk.mean_absolute_error(labels, predictions), (above + below) / 500, rel_tol=1e-12)
    assert math.isclose(float(np.mean(predictions - labels)), (above - below) / 500, rel_tol=1e-9)
    assert above < below
    assert math.isclose(sk.root_mean_squared_error(labels, predictions), math.sqrt(squared / 500), rel_tol=1e-12)


def test_each_output_is_counted_in_the_rows_that_have_its_label() -> None:
    """A row has the label of one output alone; without a prediction, or without any label, it counts for none."""
    output, _, columns = graded()
    price = LabelledOutput("price", Task.REGRESSION, (), (), ColumnPlaces(2, 3), columns)
    lacks = np.nan
    rows = np.array(
        [
            [1.0, 1.0, 3.0, lacks],
            [1.0, 2.0, 3.0, lacks],
            [1.0, lacks, 3.0, 1.0],
            [1.0, lacks, 1.0, 1.5],
            [1.0, lacks, lacks, 1.5],
            [lacks, 1.0, 1.0, lacks],
        ]
    )
    grades, prices = sum_outputs([output, price], rows)

    assert (grades.output, grades.rows, grades.correct) == ("o", 2, 1)
    assert grades.confusion == {("b", "b"): 1, ("c", "b"): 1}
    assert (prices.output, prices.rows, prices.confusion) == ("price", 2, {})
    assert prices.errors == ErrorSums(2.0, 0.5, 4.25)
    assert [] == list(sum_outputs([output, price], rows[5:]))


@pytest.mark.parametrize(("label", "correct"), [(7.0, 0), (9.0, 1)])
def test_classes_without_a_place_of_their_own_are_other_ones(label: float, correct: int) -> None:
    """Both in one cell, whether they are the same class or not; only `correct` says which, as the accuracy does."""
    output, _, _ = graded()
    (found,) = sum_outputs([output], np.array([[9.0, label]]))

    assert {("(other)", "(other)"): 1} == found.confusion
    assert correct == found.correct


def test_rows_between_two_ledgers_are_new() -> None:
    """Those that the earlier one counts are not, and neither are those that the later one does not count yet."""
    origins = RowOrigins(np.array([0, 0, 1, 1]), np.array([7, 8, 1, 2]), {"a": 8, "b": 2})

    assert counted_since(origins, {"a": 7}, {"a": 8, "b": 1}).tolist() == [False, True, True, False]
