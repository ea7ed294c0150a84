"""The losses of labelled predictions: of classes whether they are wrong, of numbers how far off they are."""

import numpy as np
import pytest

from driftgauge.drift.canary.losses import are_whole, losses_of

NAN = float("nan")


@pytest.mark.parametrize(
    ("predictions", "labels", "expected"),
    [
        ([1.0, 0.0], [1.0, NAN], True),
        ([5.4, 6.1], [5.0, 6.0], False),  # a regression of grades
        ([0.0, 1.0], [0.5, 1.0], False),
        ([NAN], [NAN], True),
    ],
)
def test_whole_numbers_may_be_classes(predictions: list[float], labels: list[float], *, expected: bool) -> None:
    """Classes are whole numbers in predictions and labels; grades that a regression predicts are not."""
    assert expected == are_whole(np.array([predictions, labels]))


def test_a_class_is_wrong_or_right_and_a_number_is_off() -> None:
    """What is missing has no loss."""
    predictions, labels = np.array([1.0, 2.0, NAN]), np.array([1.0, 4.0, 1.0])
    assert np.array_equal([[0.0], [1.0], [NAN]], losses_of(predictions, labels, numbers=False), equal_nan=True)
    assert np.array_equal([[0.0], [2.0], [NAN]], losses_of(predictions, labels, numbers=True), equal_nan=True)
