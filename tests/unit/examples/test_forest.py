"""The model that the demo serves."""

import numpy as np
from scipy.stats import ks_2samp

from examples.demo import data, forest


def test_forest_is_trained_on_the_grades() -> None:
    """On its training data the model has less than half the error of the mean grade, and stays within the grades."""
    grades = data.red_quality()

    predicted = forest.train().predict(data.red_reference())

    assert grades.shape == predicted.shape
    assert np.abs(predicted - grades).mean() < np.abs(grades.mean() - grades).mean() / 2
    assert 3 <= predicted.min()
    assert predicted.max() <= 8


def test_training_grades_are_like_grades_of_new_wines() -> None:
    """The grades of the training's wines and those of other red wines do not differ by the Kolmogorov-Smirnov test."""
    model = forest.train()

    p_value = ks_2samp(model.training_grades, model.predict(data.red_stream())).pvalue

    assert p_value > 0.05
