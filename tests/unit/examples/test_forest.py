"""The model that the demo serves."""

import numpy as np

from examples.demo import data, forest


def test_forest_is_trained_on_the_grades() -> None:
    """On its training data the model has less than half the error of the mean grade, and stays within the grades."""
    grades = data.red_quality()

    predicted = forest.train()(data.red_reference())

    assert grades.shape == predicted.shape
    assert np.abs(predicted - grades).mean() < np.abs(grades.mean() - grades).mean() / 2
    assert 3 <= predicted.min()
    assert predicted.max() <= 8
