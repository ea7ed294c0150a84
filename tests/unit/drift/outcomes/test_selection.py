"""Who gets a label: what chance explains, and what is a selection."""

import numpy as np

from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.outcomes.selection import is_selected, selection_by_chance, selection_of
from tests.support.outcomes import class_outcomes, class_output


def test_randomly_chosen_labels_are_a_selection_by_chance_alone() -> None:
    """Of 200 draws of 200 labels among 4,000 responses at most 2 exceed the bound; all exceed a tolerance of 0.02."""
    output, responses = class_output(class_outcomes(5_000)), class_outcomes(4_000, seed=1)
    bins, random = PredictionBins.of(output), np.random.default_rng(2)
    places = bins.find(responses)
    bound = selection_by_chance(bins, 200.0, 4_000.0)
    found = [selection_of(bins, random.choice(places, 200, replace=False), places) or 0.0 for _ in range(200)]

    assert np.count_nonzero(np.array(found) > bound) <= 2
    assert min(found) > 0.02
    assert not any(is_selected(one, bins, 200.0, 4_000.0, 0.02) for one in found)
    assert selection_by_chance(bins, 2_000.0, 4_000.0) < bound


def test_labels_of_a_sample_apart_from_the_responses_are_no_selection() -> None:
    """As many labels as rows of the sample, none of them in both, differ by chance too."""
    bins, random = PredictionBins.of(class_output(class_outcomes(5_000))), np.random.default_rng(3)
    places = bins.find(class_outcomes(40_000, seed=1))
    draws = [random.permutation(places)[:1_000] for _ in range(200)]
    found = [selection_of(bins, one[:500], one[500:]) for one in draws]

    assert not any(is_selected(one, bins, 500.0, 500.0, 0.0) for one in found)


def test_a_selection_beyond_chance_and_tolerance_counts() -> None:
    """Both add up; what is unknown, or of no rows, is no selection."""
    bins = PredictionBins.of(class_output(class_outcomes(5_000)))
    chance = selection_by_chance(bins, 500.0, 2_000.0)

    assert is_selected(chance + 0.021, bins, 500.0, 2_000.0, 0.02)
    assert not is_selected(chance + 0.019, bins, 500.0, 2_000.0, 0.02)
    assert not is_selected(None, bins, 500.0, 2_000.0, 0.02)
    assert not is_selected(0.9, bins, 0.0, 2_000.0, 0.02)
    assert not is_selected(0.9, bins, 500.0, 0.0, 0.02)
