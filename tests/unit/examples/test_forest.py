"""The model that the demo serves."""

import numpy as np

from examples.demo import data, forest


def test_forest_has_learnt_from_the_grades() -> None:
    """On the wines that it has seen it errs less than the mean grade does, and stays within the grades."""
    grades = data.red_quality()

    reported = forest.train()(data.red_reference())

    assert grades.shape == reported.shape
    assert np.abs(reported - grades).mean() < np.abs(grades.mean() - grades).mean() / 2
    assert 3 <= reported.min()
    assert reported.max() <= 8
