"""The model that the demo serves."""

import numpy as np

from examples.demo import data, forest


def test_forest_has_learnt_from_the_grades() -> None:
    """On the wines that it has seen it errs less than the mean grade does, and stays within the grades."""
    grades = data.red_quality()

    told = forest.train()(data.red_reference())

    assert grades.shape == told.shape
    assert np.abs(told - grades).mean() < np.abs(grades.mean() - grades).mean() / 2
    assert 3 <= told.min()
    assert told.max() <= 8
