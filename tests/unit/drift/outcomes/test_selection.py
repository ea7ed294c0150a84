"""Who gets a label: what chance explains, and what is a selection."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.outcomes.selection import (
    BinsInTime,
    is_selected,
    newest_are_selected,
    selection_by_chance,
    selection_of,
)
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


BINS = PredictionBins.of(class_output(class_outcomes(5_000)))
TOLERANCE = 0.02


def in_time(places: NDArray[np.intp]) -> BinsInTime:
    """Responses that passed one by one."""
    return BinsInTime(places, np.arange(places.size, dtype=np.float64))


def test_the_newest_labels_are_selected_before_all_described_ones_are() -> None:
    """After 1,750 labels at random 250 of one half of the bins: the newest show it, and all 2,000 do not."""
    responses = in_time(BINS.find(class_outcomes(8_000, seed=1)))
    chosen = np.flatnonzero(responses.places < BINS.count // 2)
    rows = np.concatenate([np.arange(0, 7_000, 4), chosen[chosen >= 7_000][:250]])
    labelled = BinsInTime(responses.places[rows], responses.times[rows])
    whole = selection_of(BINS, labelled.places, responses.places)

    assert rows.size == 2_000
    assert not is_selected(whole, BINS, 2_000.0, 8_000.0, TOLERANCE)
    assert newest_are_selected(BINS, labelled, responses, 1.0, TOLERANCE, least=60)
    assert not newest_are_selected(BINS, labelled, responses, 1.0, TOLERANCE, least=1_500)
    assert not newest_are_selected(BINS, labelled, responses, 0.05, TOLERANCE, least=60)


def test_the_newest_labels_at_random_are_not_selected() -> None:
    """In none of 200 draws, labels of one response in four, and of a sample of as many responses."""
    places, random = BINS.find(class_outcomes(8_000, seed=1)), np.random.default_rng(4)
    found = []
    for _ in range(200):
        mixed = in_time(random.permutation(places))
        labelled, sampled = (np.sort(random.choice(8_000, 2_000, replace=False)) for _ in range(2))
        one, other = (BinsInTime(mixed.places[rows], mixed.times[rows]) for rows in (labelled, sampled))
        found.append(newest_are_selected(BINS, one, other, 1.0, TOLERANCE, least=60))

    assert not any(found)


def test_complete_labels_of_other_responses_are_not_selected() -> None:
    """Where the predictions change at once, the newest labels are compared with the responses of their own time."""
    places = BINS.find(class_outcomes(8_000, seed=1))
    lower, upper = places[places < BINS.count // 2], places[places >= BINS.count // 2]
    changed = in_time(np.concatenate([lower[:1_800], upper[:200]]))

    assert not newest_are_selected(BINS, changed, changed, 1.0, TOLERANCE, least=60)
