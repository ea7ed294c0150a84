"""Metrics of outcomes: they equal scikit-learn's to 1e-12, also of ties, single classes and empty cells."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from driftgauge.drift.outcomes.outcome_columns import Floats, OutcomeColumns
from driftgauge.drift.outcomes.outcome_metrics import (
    ClassRows,
    NumberErrors,
    RocCurves,
    brier_scores,
    class_places,
    log_losses,
    scores_of_classes,
)
from tests.support.outcomes import class_outcomes, number_outcomes

codes = st.integers(0, 4)
class_pairs = st.lists(st.tuples(codes, codes), min_size=1, max_size=40)
counts = st.lists(st.integers(0, 3), min_size=40, max_size=40)


def rows_of(pairs: list[tuple[int, int]]) -> OutcomeColumns:
    """Rows of (label, prediction)."""
    labels, predictions = np.array(pairs, dtype=np.float64).T
    return OutcomeColumns(predictions, labels)


def used(weights: list[int], size: int) -> Floats:
    """The first `size` weights, if any of them counts."""
    found = np.array(weights[:size], dtype=np.float64)
    assume(found.sum() > 0)
    return found


@given(class_pairs, counts)
def test_metrics_of_classes_equal_those_of_scikit_learn(pairs: list[tuple[int, int]], weights: list[int]) -> None:
    """Precision, recall and F1 of each class, balanced accuracy, macro F1, confusion matrix, of weighted rows."""
    columns, counted = rows_of(pairs), used(weights, len(pairs))
    rows = ClassRows.of(columns, range(5))
    scores = rows.scores(counted)
    drawn = columns.only(counted > 0), counted[counted > 0]
    labels = sorted({*drawn[0].labels.tolist(), *drawn[0].predictions.tolist()})
    oracle = sk.precision_recall_fscore_support(
        drawn[0].labels, drawn[0].predictions, labels=range(5), sample_weight=drawn[1], zero_division=np.nan
    )

    np.testing.assert_allclose(scores.precision[:5], oracle[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(scores.recall[:5], oracle[1], rtol=1e-12, atol=1e-12)
    f1 = [scores.f1[int(label)] for label in labels]
    np.testing.assert_allclose(
        f1,
        sk.f1_score(*ends(drawn[0]), labels=labels, average=None, sample_weight=drawn[1], zero_division=0.0),
        rtol=1e-12,
        atol=1e-12,
    )
    assert math.isclose(np.mean(f1), scores.macro_f1, rel_tol=1e-12)
    known = oracle[1][~np.isnan(oracle[1])]
    assert math.isclose(known.mean(), scores.balanced_accuracy, rel_tol=1e-12, abs_tol=1e-12)
    np.testing.assert_allclose(
        rows.confusion(counted)[:5, :5],
        sk.confusion_matrix(columns.labels, columns.predictions, labels=range(5), sample_weight=counted),
        rtol=1e-12,
        atol=1e-12,
    )


def ends(columns: OutcomeColumns) -> tuple[Floats, Floats]:
    """Labels and predictions, as scikit-learn takes them."""
    return columns.labels, columns.predictions


def test_other_classes_are_one_in_which_only_equal_codes_are_right() -> None:
    """By hand: of three rows of other classes one is right, one has another class as prediction, one a known one."""
    columns = OutcomeColumns(np.array([0.0, 7, 8, 0]), np.array([0.0, 7, 9, 9]))
    scores = ClassRows.of(columns, [0.0]).scores(np.ones(4))

    assert [1 / 2, 1 / 2] == scores.precision.tolist()
    assert [1.0, 1 / 3] == scores.recall.tolist()
    assert [[1, 0], [1, 2]] == ClassRows.of(columns, [0.0]).confusion().tolist()


def test_metrics_without_rows_of_a_class_are_not_defined() -> None:
    """A class without labels has no recall, one without predictions no precision, without both no F1."""
    scores = ClassRows.of(OutcomeColumns(np.zeros(3), np.ones(3)), [0.0, 1.0, 2.0]).scores(np.ones(3))

    np.testing.assert_array_equal([0, np.nan, np.nan, np.nan], scores.precision)
    np.testing.assert_array_equal([np.nan, 0, np.nan, np.nan], scores.recall)
    np.testing.assert_array_equal([0, 0, np.nan, np.nan], scores.f1)


def test_places_of_classes_are_those_of_their_order() -> None:
    """Codes in any order, and one that is no class; without classes all are others."""
    assert [1, 0, 2, 2] == class_places(np.array([3.0, 5, 4, 9]), [5.0, 3.0]).tolist()
    assert [0] == class_places(np.array([3.0]), []).tolist()


@given(st.integers(2, 5), st.integers(2, 80), st.integers(0, 99), st.sampled_from([1, 2, None]))
def test_areas_under_roc_curves_equal_those_of_scikit_learn(
    classes: int, rows: int, seed: int, digits: int | None
) -> None:
    """Binary, and one against the rest, with tied scores as well."""
    columns = class_outcomes(rows, classes, seed=seed, flipped=0.3, digits=digits)
    scores, labels = scores_and_labels(columns, classes)
    areas = [
        sk.roc_auc_score(labels == place, scores[:, place])
        for place in ([1] if classes == 2 else range(classes))
        if 0 < np.count_nonzero(labels == place) < rows
    ]
    found = RocCurves(scores, labels)

    assert math.isnan(found.area) if not areas else math.isclose(np.mean(areas), found.area, rel_tol=1e-12)
    assert abs(found.influence.sum()) < 1e-9


def test_the_area_of_many_classes_is_that_of_scikit_learn_itself() -> None:
    """Where every class has labels, the macro average of one against the rest."""
    columns = class_outcomes(500, 4, seed=3)
    scores, labels = scores_and_labels(columns, 4)

    expected = sk.roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    assert math.isclose(expected, RocCurves(scores, labels).area, rel_tol=1e-12)


def test_the_area_of_a_draw_is_right_to_first_order() -> None:
    """Of 300 rows of which 30 are drawn once more the exact area differs by far less than by all of the change."""
    columns = class_outcomes(300, 2, seed=4)
    scores, labels = scores_and_labels(columns, 2)
    curves, weights = RocCurves(scores, labels), np.ones(300)
    weights[:30] = 2
    exact = sk.roc_auc_score(labels, scores[:, 1], sample_weight=weights)

    assert abs(exact - curves.area) > 1e-3
    assert abs(exact - curves.drawn_area(weights)) < 0.2 * abs(exact - curves.area)


@given(st.integers(2, 6), st.integers(1, 50), st.integers(0, 99))
def test_log_loss_and_brier_score_equal_those_of_scikit_learn(classes: int, rows: int, seed: int) -> None:
    """Of two classes and of more, also where a class has no label."""
    columns = class_outcomes(rows, classes, seed=seed, flipped=0.3)
    scores, labels = scores_and_labels(columns, classes)

    loss = sk.log_loss(labels, scores, labels=range(classes))
    assert math.isclose(loss, log_losses(scores, labels).mean(), rel_tol=1e-12)
    brier = sk.brier_score_loss(labels, scores, labels=range(classes))
    assert math.isclose(brier, brier_scores(scores, labels).mean(), rel_tol=1e-12)


def test_the_log_loss_of_a_score_of_0_is_clipped() -> None:
    """A score of 0 counts as 1e-15, and a class without a score has the score 0."""
    found = log_losses(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([1, 2]))

    np.testing.assert_allclose(found, [-math.log(1e-15)] * 2, rtol=1e-12)


def test_the_confidence_of_two_classes_gives_both_scores() -> None:
    """By hand, and of more classes it does not."""
    columns = OutcomeColumns(np.array([3.0, 9.0]), np.zeros(2), np.array([0.9, 0.6]))
    found = scores_of_classes(columns, [3.0, 9.0])

    assert found is not None
    np.testing.assert_allclose(found, [[0.9, 0.1], [0.4, 0.6]])
    assert scores_of_classes(columns, [3.0, 9.0, 10.0]) is None
    assert scores_of_classes(OutcomeColumns(np.zeros(1), np.zeros(1)), [0.0, 1.0]) is None


@given(st.integers(1, 60), st.integers(0, 99), st.sampled_from([0, 1, None]), counts)
def test_metrics_of_numbers_equal_those_of_scikit_learn(
    rows: int, seed: int, digits: int | None, weights: list[int]
) -> None:
    """RMSE, R2 and median absolute error of rows that count several times or never, as if they were repeated."""
    rows = min(rows, 40)
    columns, counted = number_outcomes(rows, seed=seed, bias=0.2, digits=digits), used(weights, rows)
    found = NumberErrors(columns.predictions, columns.labels).metrics(counted)
    times = counted.astype(int)
    labels, predictions = np.repeat(columns.labels, times), np.repeat(columns.predictions, times)

    assert math.isclose(sk.root_mean_squared_error(labels, predictions), found["rmse"], rel_tol=1e-12, abs_tol=1e-15)
    assert math.isclose(sk.median_absolute_error(labels, predictions), found["median_error"], rel_tol=1e-12)
    if np.unique(labels).size > 1:
        assert math.isclose(sk.r2_score(labels, predictions), found["r2"], rel_tol=1e-9, abs_tol=1e-12)
    else:
        assert math.isnan(found["r2"])


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
def test_r2_equals_that_of_scikit_learn_whatever_the_unit(scale: float) -> None:
    """To 1e-12 for labels of any unit."""
    columns = number_outcomes(1_000, seed=5)
    predictions, labels = scale * columns.predictions, scale * (columns.labels + 10)
    found = NumberErrors(predictions, labels).metrics(np.ones(1_000))

    assert math.isclose(sk.r2_score(labels, predictions), found["r2"], rel_tol=1e-12)


def scores_and_labels(columns: OutcomeColumns, classes: int) -> tuple[Floats, NDArray[np.intp]]:
    """The scores, and the places of the labels."""
    assert columns.scores is not None
    return columns.scores, class_places(columns.labels, range(classes))
