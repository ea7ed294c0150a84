"""The effect sizes of one feature, put together as reports do."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.histogram import Histogram
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import Effects
from driftgauge.drift.sorted_values import SortedValues
from driftgauge.drift.statistics.effects import Quantiles, distances_of_bins, wasserstein

Floats = NDArray[np.float64]


def distance_of(reference: Floats, window: Floats) -> float | None:
    """The Wasserstein distance of two sorted samples."""
    at_most = np.searchsorted(reference, window, side="right")
    (found,) = wasserstein([Quantiles(SortedValues.of(reference))], window[np.newaxis], at_most[np.newaxis])
    return found


def effects_of(profile: Profile, window: Floats, missing: int = 0) -> Effects:
    """All effect sizes of a sorted window."""
    numeric = profile.kind is FeatureKind.NUMERIC and window.size > 0
    distance = distance_of(profile.values, window) if numeric else None
    bins = Histogram(profile).bins(window, missing)
    ((psi, jensen_shannon),) = distances_of_bins([bins], [(profile.rows, window.size + missing)])
    return Effects(psi=psi, jensen_shannon=jensen_shannon, wasserstein=distance)
