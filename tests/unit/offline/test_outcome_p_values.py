"""P-values of labelled rows: published values, and how often they are small if nothing has changed."""

import math

import numpy as np
import pytest

from driftgauge.drift.outcomes.outcome_columns import OutcomeColumns
from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.offline.outcome_p_values import Strata, concept_p_value, performance_p_value
from tests.support.outcomes import class_outcomes, class_output, number_outcomes, number_output

ADMISSIONS = np.array(
    [
        [[512, 313], [89, 19]],
        [[353, 207], [17, 8]],
        [[120, 205], [202, 391]],
        [[138, 279], [131, 244]],
        [[53, 138], [94, 299]],
        [[22, 351], [24, 317]],
    ]
)
"""Admissions to six departments of Berkeley in 1973: men and women, admitted and rejected. P. J. Bickel, E. A. Hammel,
J. W. O'Connell, "Sex Bias in Graduate Admissions: Data from Berkeley", Science 187, 1975."""


def strata_of(tables: "np.typing.NDArray[np.int64]") -> Strata:
    """Rows with the counts of these tables: a stratum for each table, the first line is the window."""
    strata, lines, columns = np.indices(tables.shape)
    parts = [np.repeat(one.ravel(), tables.ravel()) for one in (columns == 0, strata, lines == 0)]
    return Strata.of(parts[0].astype(np.float64), parts[1], parts[2].astype(bool))


def test_the_test_over_bins_is_that_of_cochran_mantel_and_haenszel() -> None:
    """R's `mantelhaen.test(UCBAdmissions)` prints 1.4269 with the correction for continuity, which is left out here."""
    strata = strata_of(ADMISSIONS)
    difference, variance = float(strata.differences.sum()), float(strata.variances.sum())

    assert math.isclose(1.4269, (abs(difference) - 0.5) ** 2 / variance, abs_tol=5e-5)
    assert math.isclose(0.2169, strata.mean_p_value(), abs_tol=5e-5)


def test_the_sum_over_bins_finds_changes_that_cancel() -> None:
    """Errors that rise in one bin and fall by as much in another: no change of the mean."""
    strata = strata_of(np.array([[[60, 40], [40, 60]], [[40, 60], [60, 40]]]))

    assert strata.mean_p_value() > 0.9
    assert strata.sum_p_value() < 0.001


def test_bins_with_few_expected_errors_do_not_count_in_the_sum() -> None:
    """One error in 20 rows where 0.4 are expected: chi-square would not hold. Without any bin the p-value is 1."""
    strata = strata_of(np.array([[[1, 19], [3, 197]]]))

    assert 1.0 == strata.sum_p_value()
    assert strata.mean_p_value() < 0.5
    assert 1.0 == strata_of(np.array([[[0, 20], [0, 20]]])).mean_p_value()


def test_performance_is_fishers_exact_test_of_errors() -> None:
    """The lady who tastes tea: 3 of 4 against 1 of 4 has the one-sided p-value 17/70 (R. A. Fisher, 1935)."""
    window = OutcomeColumns(np.zeros(4), np.array([1.0, 1, 1, 0]))
    reference = OutcomeColumns(np.zeros(4), np.array([1.0, 0, 0, 0]))

    assert math.isclose(17 / 70, performance_p_value(class_output(reference), window), rel_tol=1e-12)


def test_performance_of_numbers_sees_larger_errors_and_no_smaller_ones() -> None:
    """Absolute errors half as large again, and half as large."""
    reference = number_outcomes(1_000)
    labels = reference.labels
    larger = OutcomeColumns(labels + 1.5 * (reference.predictions - labels), labels)
    smaller = OutcomeColumns(labels + 0.5 * (reference.predictions - labels), labels)

    assert performance_p_value(number_output(reference), larger) < 1e-6
    assert performance_p_value(number_output(reference), smaller) > 0.99


def test_a_move_of_inputs_between_bins_is_no_change_of_concept() -> None:
    """Harder rows alone: many more errors, as many as their confidence says."""
    output, everything = class_output(class_outcomes(5_000)), class_outcomes(4_000, seed=1)
    assert everything.confidence is not None
    hard = everything.only(everything.confidence < 0.8)
    found = concept_p_value(output, PredictionBins.of(output), hard)

    assert performance_p_value(output, hard) < 1e-6
    assert found is not None
    assert found > 0.01


@pytest.mark.parametrize("flipped", [0.15, 0.3])
def test_flipped_labels_are_a_change_of_both(flipped: float) -> None:
    """The relation has changed."""
    output, window = class_output(class_outcomes(5_000)), class_outcomes(2_000, seed=1, flipped=flipped)
    found = concept_p_value(output, PredictionBins.of(output), window)

    assert performance_p_value(output, window) < 1e-4
    assert found is not None
    assert found < 1e-4


def test_concept_of_numbers_sees_a_bias_and_a_wider_spread_within_bins() -> None:
    """Residuals moved by half a standard deviation, and half as wide again."""
    output = number_output(number_outcomes(5_000))
    bins = PredictionBins.of(output)
    sound = number_outcomes(1_000, seed=1)
    residuals = sound.predictions - sound.labels
    changed = (
        OutcomeColumns(sound.predictions, sound.labels - 0.5),
        OutcomeColumns(sound.predictions, sound.predictions - 1.5 * residuals),
    )

    for window in changed:
        found = concept_p_value(output, bins, window)
        assert found is not None
        assert found < 1e-6


def test_there_is_no_verdict_on_concept_without_a_row_in_a_bin() -> None:
    """A class that the reference never predicts."""
    output = class_output(class_outcomes(500))
    window = OutcomeColumns(np.full(10, 9.0), np.zeros(10), np.full(10, 0.9))

    assert concept_p_value(output, PredictionBins.of(output), window) is None


@pytest.mark.long
def test_sound_rows_seldom_have_small_p_values() -> None:
    """Of 400 pairs of reference and window each: at most 8 % have a p-value below 0.05 (binomial, 0.5 % risk)."""
    small = {"classes, performance": 0, "classes, concept": 0, "numbers, performance": 0, "numbers, concept": 0}
    for seed in range(400):
        classes = class_output(class_outcomes(2_000, seed=2 * seed)), class_outcomes(500, seed=2 * seed + 1)
        numbers = number_output(number_outcomes(2_000, seed=2 * seed)), number_outcomes(500, seed=2 * seed + 1)
        for name, (output, window) in (("classes", classes), ("numbers", numbers)):
            small[f"{name}, performance"] += performance_p_value(output, window) < 0.05
            concept = concept_p_value(output, PredictionBins.of(output), window)
            assert concept is not None
            small[f"{name}, concept"] += concept < 0.05
    assert max(small.values()) <= 32, small
