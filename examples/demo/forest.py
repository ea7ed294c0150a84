"""The model: a random forest that grades red wine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from examples.demo import data

Predict = Callable[[data.Rows], NDArray[np.float64]]
"""Grades of wines: shape `(n, 11)` to shape `(n,)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A trained model.

    Args:
        predict: Grades wines.
        training_grades: Its grades of the wines that it was trained on, shape `(n,)`, each only by the trees that did
            not see this wine: grades of seen wines are too good, and would make those of new wines look like drift.
    """

    predict: Predict
    training_grades: NDArray[np.float64]


def train() -> Model:
    """A forest that is trained on the reference's measurements and the tasters' grades."""
    forest = fit(data.red_reference(), data.red_quality())
    return Model(predict_with(forest), training_grades(forest))


def fit(wines: data.Rows, grades: NDArray[np.float64]) -> RandomForestRegressor:
    """A forest of 30 trees; grades have the shape `(n,)`."""
    forest = RandomForestRegressor(n_estimators=30, min_samples_leaf=3, oob_score=True, random_state=0)
    return forest.fit(wines, grades)


def training_grades(forest: RandomForestRegressor) -> NDArray[np.float64]:
    """A forest's grades of its training wines, as in `Model`."""
    return np.asarray(forest.oob_prediction_, dtype=np.float64)


def predict_with(forest: RandomForestRegressor) -> Predict:
    """The function that grades wines by a forest."""

    def predict(rows: data.Rows) -> NDArray[np.float64]:
        return np.asarray(forest.predict(rows), dtype=np.float64)

    return predict
