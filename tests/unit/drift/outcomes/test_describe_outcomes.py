"""All that is shown of one output: metrics of window and reference, classes, confusion, calibration, selection."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from driftgauge.drift.outcomes.describe_outcomes import DescribedRows, OutputFacts, describe_output, describe_reference
from driftgauge.drift.outcomes.estimated_performance import EstimateConditions
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput, OutcomeColumns
from driftgauge.drift.outcomes.outcome_report import EstimateWithheld, OutcomeSample
from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from tests.support.outcomes import class_outcomes, class_output, number_outcomes, number_output, without_scores

FEW_DRAWS = DescribedRows(draws=20)


def facts_of(
    output: LabelledOutput,
    window: OutcomeColumns,
    responses: OutcomeColumns | None = None,
    described: DescribedRows = FEW_DRAWS,
) -> OutputFacts:
    """What is shown, with few draws."""
    return describe_output(output, PredictionBins.of(output), window, None, responses, described)


def value_of(facts: OutputFacts, metric: str, sample: OutcomeSample = OutcomeSample.WINDOW) -> float:
    """The value of the only metric of this name and sample, which is within its interval."""
    (found,) = [one for one in facts.metrics if one.metric == metric and one.sample is sample]
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower <= found.value <= found.upper
    return found.value


def test_metrics_of_classes_with_scores_equal_those_of_scikit_learn() -> None:
    """Each metric of a window of three classes, to 1e-12."""
    output, window = class_output(class_outcomes(3_000, 3)), class_outcomes(800, 3, seed=1, flipped=0.1)
    facts = facts_of(output, window)
    labels, predictions, scores = window.labels, window.predictions, window.scores

    expected = {
        "accuracy": sk.accuracy_score(labels, predictions),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predictions),
        "f1": sk.f1_score(labels, predictions, average="macro"),
        "log_loss": sk.log_loss(labels, scores),
        "brier": sk.brier_score_loss(labels, scores),
        "roc_auc": sk.roc_auc_score(labels, scores, multi_class="ovr"),
    }
    for metric, value in expected.items():
        assert math.isclose(value, value_of(facts, metric), rel_tol=1e-12), metric
    assert {*expected, "calibration_error"} == {one.metric for one in facts.metrics}


def test_metrics_of_numbers_equal_those_of_scikit_learn() -> None:
    """Each metric of a window of numbers, to 1e-12; the bias is the mean of prediction - label."""
    output, window = number_output(number_outcomes(3_000)), number_outcomes(700, seed=1, bias=0.3)
    facts = facts_of(output, window)
    labels, predictions = window.labels, window.predictions

    expected = {
        "mae": sk.mean_absolute_error(labels, predictions),
        "rmse": sk.root_mean_squared_error(labels, predictions),
        "bias": float(np.mean(predictions - labels)),
        "r2": sk.r2_score(labels, predictions),
        "median_error": sk.median_absolute_error(labels, predictions),
    }
    for metric, value in expected.items():
        assert math.isclose(value, value_of(facts, metric), rel_tol=1e-12), metric
    assert facts.confusion is None
    assert EstimateWithheld.REGRESSION is facts.estimate_withheld


def test_rows_without_a_prediction_or_a_label_are_left_out() -> None:
    """The window's rows are those of all outputs, and a label may be of another one."""
    output, window = class_output(class_outcomes(1_000)), class_outcomes(300, seed=1)
    lacking = OutcomeColumns(
        np.concatenate([window.predictions, [np.nan, 1.0]]), np.concatenate([window.labels, [1.0, np.nan]])
    )
    facts = facts_of(class_output(without_scores(output.reference)), lacking)

    assert 300 == facts.rows
    assert sk.accuracy_score(window.labels, window.predictions) == value_of(facts, "accuracy")


def test_an_empty_window_has_the_reference_alone() -> None:
    """Before the first label."""
    output = class_output(class_outcomes(1_000))
    facts = facts_of(output, output.reference.only(slice(0)))

    assert (0, 0.0, 1_000) == (facts.rows, facts.effective_rows, facts.reference_rows)
    assert {OutcomeSample.REFERENCE} == {one.sample for one in facts.metrics}
    assert all(one.window is None for one in facts.calibration)
    assert facts.confusion is not None
    assert 0 == sum(map(sum, facts.confusion.window))


def test_classes_beyond_those_of_the_task_are_other_ones() -> None:
    """The confusion matrix has a line for them only if there are any; the metrics of classes as well."""
    output = class_output(without_scores(class_outcomes(1_000, 3)), [0.0, 1.0, 2.0])
    window = OutcomeColumns(np.array([0.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 2.0, 9.0]))
    facts, known = facts_of(output, window), facts_of(output, window.only(slice(3)))

    assert facts.confusion is not None
    assert known.confusion is not None
    assert ("c0", "c1", "c2", "(other)") == facts.confusion.classes
    assert ("c0", "c1", "c2") == known.confusion.classes
    assert ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 1, 0)) == facts.confusion.window
    recalls = {one.class_text: one.value for one in facts.class_values if one.metric == "recall"}
    assert 0.0 == recalls["(other)"]
    assert ("(other)", OutcomeSample.WINDOW, 1) in facts.class_rows
    assert 0.75 == value_of(facts, "accuracy")


def test_a_window_of_a_single_class_has_no_roc_curve_and_one_recall() -> None:
    """What is not defined is left out, and nothing is NaN."""
    output = class_output(class_outcomes(1_000))
    facts = facts_of(output, class_outcomes(500, seed=1).only(class_outcomes(500, seed=1).labels == 1))
    window = [one for one in facts.metrics if one.sample is OutcomeSample.WINDOW]

    assert "roc_auc" not in {one.metric for one in window}
    assert not any(math.isnan(one.value) for one in facts.metrics)
    recalls = [one for one in facts.class_values if one.metric == "recall" and one.sample is OutcomeSample.WINDOW]
    assert ["c1"] == [one.class_text for one in recalls]


def test_weights_of_rows_widen_intervals_and_change_no_value() -> None:
    """Rows of half weight: half as many effective rows."""
    output, window = class_output(class_outcomes(1_000)), class_outcomes(400, seed=1)
    bins = PredictionBins.of(output)
    whole = describe_output(output, bins, window, None, None, FEW_DRAWS)
    half = describe_output(output, bins, window, np.full(400, 0.5), None, FEW_DRAWS)

    assert (400.0, 200.0) == (whole.effective_rows, half.effective_rows)
    assert value_of(whole, "accuracy") == value_of(half, "accuracy")
    widths = [one.metrics[0].upper - one.metrics[0].lower for one in (half, whole)]  # type: ignore[operator] # accuracy has an interval
    assert 1.3 < widths[0] / widths[1] < 1.5


def test_metrics_of_the_reference_are_computed_once() -> None:
    """Given ones are used as they are, and equal those that would be computed."""
    output, window = class_output(class_outcomes(1_000)), class_outcomes(100, seed=1)
    bins = PredictionBins.of(output)
    known = describe_reference(output, bins, draws=20)
    given = describe_output(output, bins, window, None, None, DescribedRows(draws=20, reference=known))

    assert facts_of(output, window) == given
    assert known.metrics == tuple(one for one in given.metrics if one.sample is OutcomeSample.REFERENCE)


def test_the_calibration_has_shares_and_what_is_tolerated() -> None:
    """The reference's own shares are always tolerated, and add up to its rows."""
    output = class_output(class_outcomes(4_000))
    facts = facts_of(output, class_outcomes(600, seed=1))

    assert 4_000 == sum(one.reference_rows for one in facts.calibration)
    assert 600 == sum(one.window_rows for one in facts.calibration)
    for one in facts.calibration:
        assert 0 <= one.tolerated_lower < one.reference <= one.tolerated_upper <= 1
        assert one.class_text in one.label


def test_the_calibration_of_numbers_has_mean_errors() -> None:
    """A bias of 0.3 is seen in every bin, beyond the interval of the reference's."""
    output = number_output(number_outcomes(2_500))
    window = OutcomeColumns(output.reference.predictions + 0.3, output.reference.labels)
    facts = facts_of(output, OutcomeColumns(output.reference.predictions, window.labels - 0.3))

    assert 5 == len(facts.calibration)
    for one in facts.calibration:
        assert one.window is not None
        assert math.isclose(0.3, one.window - one.reference, rel_tol=1e-9)
        assert one.tolerated_lower < one.reference < one.tolerated_upper < one.window


def test_a_calibrated_model_has_a_small_calibration_error_and_a_boastful_one_a_large_one() -> None:
    """By hand: a confidence of 0.9 where half is right is an error of 0.4."""
    predictions, labels = np.zeros(100), np.repeat([0.0, 1.0], 50)
    output = class_output(OutcomeColumns(predictions, labels, np.full(100, 0.9)))
    facts = facts_of(output, output.reference)

    assert math.isclose(0.4, value_of(facts, "calibration_error"), rel_tol=1e-12)
    calibrated = class_output(class_outcomes(20_000, seed=2))
    assert value_of(facts_of(calibrated, calibrated.reference), "calibration_error") < 0.02


def test_labels_of_unsure_predictions_are_a_selection_that_weighting_undoes() -> None:
    """Labels for low confidences alone, and one in ten of the others: the accuracy of all responses by their bins."""
    output, responses = class_output(class_outcomes(5_000)), class_outcomes(20_000, seed=1)
    assert responses.confidence is not None
    asked = (responses.confidence < 0.8) | (np.random.default_rng(2).random(20_000) < 0.1)
    facts = facts_of(output, responses.only(asked), responses)
    truth = sk.accuracy_score(responses.labels, responses.predictions)

    assert facts.selection is not None
    assert facts.selection > 0.2
    assert value_of(facts, "accuracy") < truth - 0.05
    assert abs(value_of(facts, "accuracy", OutcomeSample.WEIGHTED) - truth) < 0.02
    assert facts_of(output, responses, responses).selection == 0


def test_the_mean_absolute_error_is_weighted_as_well() -> None:
    """Numbers: labels for large predictions alone have larger errors here."""
    random = np.random.default_rng(1)
    predictions = random.normal(size=20_000)
    columns = OutcomeColumns(predictions, predictions + random.normal(size=20_000) * np.exp(predictions / 2))
    asked = (predictions > 0.5) | (random.random(20_000) < 0.1)
    facts = facts_of(number_output(columns.only(slice(5_000))), columns.only(asked), columns)
    truth = sk.mean_absolute_error(columns.labels, columns.predictions)

    assert value_of(facts, "mae") > 1.3 * truth
    assert abs(value_of(facts, "mae", OutcomeSample.WEIGHTED) / truth - 1) < 0.1


def test_nothing_is_weighted_where_bins_of_many_responses_have_no_labels() -> None:
    """Labels of one class alone say nothing of the others."""
    output, responses = class_output(class_outcomes(5_000)), class_outcomes(2_000, seed=1)
    facts = facts_of(output, responses.only(responses.predictions == 1), responses)

    assert OutcomeSample.WEIGHTED not in {one.sample for one in facts.metrics}


def test_the_accuracy_is_estimated_without_labels() -> None:
    """Harder inputs, the same relation: the estimate follows the accuracy that no label knew."""
    output, everything = class_output(class_outcomes(20_000)), class_outcomes(20_000, seed=1)
    assert everything.confidence is not None
    hard = everything.only(everything.confidence < 0.8)
    facts = facts_of(output, hard.only(slice(0)), hard)
    truth = sk.accuracy_score(hard.labels, hard.predictions)

    assert facts.estimate_withheld is None
    assert truth < sk.accuracy_score(everything.labels, everything.predictions) - 0.1
    assert abs(value_of(facts, "accuracy", OutcomeSample.ESTIMATED) - truth) < 0.02


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        (EstimateConditions(concept=True), EstimateWithheld.CONCEPT),
        (EstimateConditions(outside=True), EstimateWithheld.OUTSIDE),
        (EstimateConditions(source="baseline"), EstimateWithheld.BASELINE),
        (EstimateConditions(), None),
    ],
)
def test_an_estimate_is_withheld_where_the_reference_does_not_speak(
    conditions: EstimateConditions, reason: EstimateWithheld | None
) -> None:
    """Each reason of its own, without any labels of the window."""
    output = class_output(class_outcomes(2_000))
    nothing, responses = output.reference.only(slice(0)), class_outcomes(500, seed=1)
    facts = facts_of(output, nothing, responses, DescribedRows(draws=0, conditions=conditions))

    assert reason is facts.estimate_withheld
    assert (reason is None) == (OutcomeSample.ESTIMATED in {one.sample for one in facts.metrics})


@pytest.mark.parametrize(("checked", "reason"), [(True, None), (False, EstimateWithheld.BASELINE)])
def test_a_baseline_with_labels_estimates(*, checked: bool, reason: EstimateWithheld | None) -> None:
    """Labels of the window check the baseline, unless they are its own."""
    output, window = class_output(class_outcomes(2_000)), class_outcomes(500, seed=1)
    described = DescribedRows(draws=0, conditions=EstimateConditions(source="baseline", checked=checked))

    assert reason is facts_of(output, window, window, described).estimate_withheld


def test_an_estimate_is_withheld_where_the_reference_has_few_examples() -> None:
    """A class with 50 rows in the reference, an unknown class, or no responses at all."""
    reference = without_scores(class_outcomes(2_000))
    rare = OutcomeColumns(np.append(reference.predictions, np.full(50, 7.0)), np.append(reference.labels, np.zeros(50)))
    nothing = reference.only(slice(0))

    for code in (7.0, 8.0):
        responses = OutcomeColumns(np.append(reference.predictions, np.full(200, code)), np.full(2_200, np.nan))
        assert EstimateWithheld.FEW_EXAMPLES is facts_of(class_output(rare), nothing, responses).estimate_withheld
    assert EstimateWithheld.FEW_EXAMPLES is facts_of(class_output(rare), nothing).estimate_withheld
