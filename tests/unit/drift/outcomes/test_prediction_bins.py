"""Bins of predictions: how many there are, which rows are in them, and what the reference has in each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.outcomes.outcome_columns import ColumnPlaces, LabelledOutput, OutcomeColumns, Task
from driftgauge.drift.outcomes.prediction_bins import NO_BIN, PredictionBins, confidence_of, errors_of

PLACES = ColumnPlaces(0, 1)


def output_of(reference: OutcomeColumns, task: Task = Task.CLASSIFICATION) -> LabelledOutput:
    """An output with this reference, whose classes are those that it predicts, as their own texts."""
    classes = sorted({code for code in reference.predictions.tolist() if task is Task.CLASSIFICATION})[:20]
    return LabelledOutput("o", task, classes, [f"{code:.0f}" for code in classes], PLACES, reference)


def classes_with_confidence(*rows: int, seed: int = 1) -> OutcomeColumns:
    """A reference that predicts class i in `rows[i]` rows, all right, with continuous confidences."""
    predictions = np.repeat(np.arange(len(rows), dtype=np.float64), rows)
    confidence = np.random.default_rng(seed).uniform(0.5, 1, predictions.size)
    return OutcomeColumns(predictions, predictions.copy(), confidence)


@pytest.mark.parametrize(("rows", "count"), [(1, 1), (399, 1), (400, 2), (1_599, 7), (1_600, 8), (9_000, 8)])
def test_a_class_has_as_many_quantiles_as_leave_200_rows_and_at_most_8(rows: int, count: int) -> None:
    """The number of bins of one class at the edges of the rule, and that none has fewer than 200 rows beside others."""
    bins = PredictionBins.of(output_of(classes_with_confidence(rows)))

    assert count == bins.count
    assert rows == bins.reference_rows.sum()
    assert bins.count == 1 or bins.reference_rows.min() >= 200
    assert bins.reference_rows.max() - bins.reference_rows.min() <= 1


@pytest.mark.parametrize(("rows", "count"), [(1, 1), (999, 1), (1_000, 2), (2_500, 5), (9_000, 5)])
def test_numbers_have_as_many_quantiles_as_leave_500_rows_and_at_most_5(rows: int, count: int) -> None:
    """The number of bins of a regression at the edges of the rule."""
    predictions = np.random.default_rng(2).normal(size=rows)
    bins = PredictionBins.of(output_of(OutcomeColumns(predictions, predictions + 1.0), Task.REGRESSION))

    assert count == bins.count
    np.testing.assert_allclose(bins.reference_errors, -bins.reference_rows)


def test_the_ten_most_frequent_classes_have_bins_and_the_others_are_one() -> None:
    """Classes are in the order of their frequency, and the last group is of all the others."""
    predictions = np.repeat(np.arange(13.0), np.arange(13, 0, -1) + 5)
    bins = PredictionBins.of(output_of(OutcomeColumns(predictions, predictions)))

    assert (*"0123456789", "(other)") == bins.labels
    assert [10, 10, 10] == bins.find(OutcomeColumns(np.array([10.0, 11.0, 12.0]), np.full(3, np.nan))).tolist()
    assert 8 + 7 + 6 == bins.reference_rows[-1]


def test_a_class_that_the_reference_never_predicts_and_a_missing_prediction_are_in_no_bin() -> None:
    """Where the reference has no row it says nothing."""
    bins = PredictionBins.of(output_of(classes_with_confidence(300, 100)))
    rows = OutcomeColumns(np.array([0.0, 1.0, 2.0, np.nan]), np.full(4, np.nan), np.full(4, 0.7))

    assert [0, 1, NO_BIN, NO_BIN] == bins.find(rows).tolist()


def test_a_row_without_confidence_has_no_bin_only_where_its_class_is_divided() -> None:
    """Class 0 has two bins, class 1 a single one, which needs no confidence."""
    bins = PredictionBins.of(output_of(classes_with_confidence(500, 300)))
    rows = OutcomeColumns(np.array([0.0, 1.0]), np.full(2, np.nan), np.full(2, np.nan))

    assert [NO_BIN, 2] == bins.find(rows).tolist()
    assert [NO_BIN, 2] == bins.find(OutcomeColumns(rows.predictions, rows.labels)).tolist()


def test_equal_confidences_are_never_divided() -> None:
    """Of 1,000 rows of which 900 have the same confidence there is one bin, since 100 would be left for the other."""
    confidence = np.concatenate([np.full(900, 0.9), np.full(100, 0.6)])
    bins = PredictionBins.of(output_of(OutcomeColumns(np.zeros(1_000), np.zeros(1_000), confidence)))

    assert 1 == bins.count
    assert ("0",) == bins.labels


def test_outer_bins_are_open() -> None:
    """A confidence below or above all of the reference's belongs to the first or the last bin; an edge to the lower."""
    confidence = np.repeat([0.6, 0.8], 200)
    bins = PredictionBins.of(output_of(OutcomeColumns(np.zeros(400), np.zeros(400), confidence)))
    rows = OutcomeColumns(np.zeros(5), np.full(5, np.nan), np.array([0.0, 0.6, 0.61, 0.8, 1.0]))

    assert ((None, 0.6), (0.6, None)) == bins.ends
    assert ("0, up to 0.6", "0, above 0.6") == bins.labels
    assert [0, 0, 1, 1, 1] == bins.find(rows).tolist()


def test_reference_errors_are_those_of_the_bins() -> None:
    """Wrong rows by hand: 40 of 200 with a low confidence, 10 of 200 with a high one."""
    confidence = np.repeat([0.6, 0.8], 200)
    labels = np.zeros(400)
    labels[:40] = 1
    labels[200:210] = 7
    bins = PredictionBins.of(output_of(OutcomeColumns(np.zeros(400), labels, confidence)))

    assert [200, 200] == bins.reference_rows.tolist()
    assert [40, 10] == bins.reference_errors.tolist()


def test_the_confidence_is_the_largest_score_where_there_is_no_column_of_its_own() -> None:
    """A column of confidences comes first."""
    scores = np.array([[0.2, 0.8], [0.7, 0.3]])
    rows = OutcomeColumns(np.array([1.0, 0.0]), np.zeros(2), scores=scores)
    found = confidence_of(rows)

    assert found is not None
    assert [0.8, 0.7] == found.tolist()
    assert confidence_of(OutcomeColumns(rows.predictions, rows.labels)) is None


def test_errors_are_missing_where_prediction_or_label_is() -> None:
    """Classes: right, wrong, and both kinds of missing. Numbers: prediction - label."""
    columns = OutcomeColumns(np.array([1.0, 1.0, np.nan, 1.0]), np.array([1.0, 3.0, 1.0, np.nan]))

    np.testing.assert_array_equal([0, 1, np.nan, np.nan], errors_of(Task.CLASSIFICATION, columns))
    np.testing.assert_array_equal([0, -2, np.nan, np.nan], errors_of(Task.REGRESSION, columns))


@given(
    st.lists(st.tuples(st.integers(0, 14), st.integers(0, 6)), min_size=1, max_size=60),
    st.integers(1, 60),
    st.booleans(),
)
def test_every_row_of_a_reference_is_in_the_bin_whose_ends_hold_it(
    rows: list[tuple[int, int]],
    repeats: int,
    has_confidence: bool,  # noqa: FBT001 # a drawn value
) -> None:
    """For any reference: each row has one bin, of its class, between its ends; the counts add up."""
    predictions = np.repeat([float(row[0]) for row in rows], repeats)
    confidence = np.repeat([row[1] / 6 for row in rows], repeats)
    columns = OutcomeColumns(predictions, predictions + (confidence < 0.5), confidence if has_confidence else None)
    bins = PredictionBins.of(output_of(columns))
    found = bins.find(columns)

    assert found.min() >= 0
    np.testing.assert_array_equal(bins.reference_rows, bins.counts(found))
    np.testing.assert_array_equal(bins.reference_errors, bins.counts(found, errors_of(Task.CLASSIFICATION, columns)))
    for row, place in enumerate(found.tolist()):
        lower, upper = bins.ends[place]
        assert predictions[row] in bins.groups[bins.group_of[place]].codes
        assert lower is None or lower < confidence[row]
        assert upper is None or confidence[row] <= upper
