"""The losses of labelled predictions: what makes two revisions comparable by their labels."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def are_whole(values: Floats) -> bool:
    """Whether predictions and labels are whole numbers alone, as codes of classes are; NaN is any.

    Predictions count too: grades are whole numbers, and a regression that is never exactly right is not always wrong.

    Args:
        values: Any shape.
    """
    return bool((values == np.round(values))[~np.isnan(values)].all())


def losses_of(predictions: Floats, labels: Floats, *, numbers: bool) -> Floats:
    """What each prediction costs; NaN where it or its label is missing.

    Args:
        predictions: Shape `(n,)`: numbers or codes of classes.
        labels: Shape `(n,)`: the same.
        numbers: Whether they are numbers: then the absolute error counts, else whether they differ.

    Returns:
        Shape `(n, 1)`.
    """
    errors: Floats = np.abs(predictions - labels)
    if not numbers:
        errors = np.where(np.isnan(errors), np.nan, (errors > 0).astype(np.float64))
    return errors[:, np.newaxis]
