"""The model: a random forest that grades red wine, trained at the start of the model server."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from examples.demo import data

Predict = Callable[[data.Rows], NDArray[np.float64]]
"""Grades of wines: shape `(n, 11)` to shape `(n,)`."""


def train() -> Predict:
    """A forest of 30 trees, trained on the reference's measurements and the tasters' grades."""
    forest = RandomForestRegressor(n_estimators=30, min_samples_leaf=3, random_state=0)
    forest.fit(data.red_reference(), data.red_quality())

    def predict(rows: data.Rows) -> NDArray[np.float64]:
        return np.asarray(forest.predict(rows), dtype=np.float64)

    return predict
