"""A detector of standard normal features, and rows in the form in which it is fed."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.request_correlation import Batches
from driftgauge.drift.profile import Profile, numeric_profile

Floats = NDArray[np.float64]
Counts = list[NDArray[np.int64]]

MONTH = 30 * 86_400.0
BUDGET = Budget(false_alarm_seconds=MONTH, evaluation_seconds=60.0, tolerance=0.05)


def profiles(features: int = 2, rows: int = 5000) -> list[Profile]:
    """Features whose reference is standard normal."""
    values = np.random.default_rng(1).normal(size=(features, rows))
    return [numeric_profile(f"f{index}", np.sort(column)) for index, column in enumerate(values)]


def detector(of: list[Profile], budget: Budget = BUDGET, min_rows: int = 30) -> Detector:
    """A detector of these features."""
    return Detector(of, budget, min_rows, "digest")


def counts(of: list[Profile], window: Floats) -> Counts:
    """The number of rows in each cell of each feature, and of rows that lack it."""
    columns = [column[~np.isnan(column)] for column in window.T]
    return [
        np.append(profile.cells.count(column), window.shape[0] - column.size)
        for profile, column in zip(of, columns, strict=True)
    ]


def rows(seed: int, shift: float = 0.0, size: int = 100, features: int = 2) -> Floats:
    """Rows like the reference's, with the first feature shifted."""
    window = np.random.default_rng(seed).normal(size=(size, features))
    window[:, 0] += shift
    return window


def batches(of: list[Profile], *requests: Floats) -> Batches:
    """Requests of several rows."""
    by_request = [counts(of, request) for request in requests]
    lengths = np.array([request.shape[0] for request in requests])
    return Batches(lengths, [np.stack(lines) for lines in zip(*by_request, strict=True)])


def nothing(of: list[Profile]) -> Counts:
    """Counts of no single rows."""
    return counts(of, np.empty((0, len(of))))
