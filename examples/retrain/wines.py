"""Which wines the models learn from and meet: other rows, because a wine that a model has learned from flatters it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from examples.demo import data

FIRST_TRAINING = 500
"""Wines that the first model learns from; it then meets the other 500 of the file, from which the second one learns."""


@dataclass(frozen=True, slots=True, eq=False)
class Tasted:
    """Wines with the grades of tasters.

    Args:
        wines: Shape `(n, 11)`.
        grades: Shape `(n,)`, 1 to 8.
    """

    wines: data.Rows
    grades: NDArray[np.float64]

    def of_new_taste(self) -> "Tasted":
        """The same wines, as graded by tasters who no longer like strong ones: they get two grades less."""
        once = data.changed_taste(self.wines, self.grades)
        return Tasted(self.wines, data.changed_taste(self.wines, once))


def learned() -> Tasted:
    """What the first model learns from."""
    return Tasted(data.red_reference()[:FIRST_TRAINING], data.red_quality()[:FIRST_TRAINING])


def met() -> Tasted:
    """What the first model meets, and the second one learns from."""
    return Tasted(data.red_reference()[FIRST_TRAINING:], data.red_quality()[FIRST_TRAINING:])


def fresh() -> Tasted:
    """Wines that neither of them has learned from."""
    return Tasted(data.red_stream(), data.red_stream_quality())
