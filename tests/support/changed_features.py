"""Profiles of a number and of a category, and draws for windows of them."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile

Floats = NDArray[np.float64]

COLOURS = {0.0: "red", 1.0: "white", 2.0: "rosé"}


def gaussian(rows: int, seed: int, mean: float = 0.0, deviation: float = 1.0) -> Floats:
    """Sorted draws."""
    return np.sort(np.random.default_rng(seed).normal(mean, deviation, rows))


def numbers(missing: int = 0) -> Profile:
    """A standard Gaussian."""
    return numeric_profile("a", gaussian(5000, 1), missing)


def colours(missing: int = 0) -> Profile:
    """Half red, three tenths white, the rest rosé."""
    return categorical_profile("a", np.repeat([0.0, 1.0, 2.0], [500, 300, 200]), COLOURS, missing)
