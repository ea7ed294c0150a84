"""A detector of standard normal features, and rows in the form in which it is fed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.profile import FeatureKind, Profile, numeric_profile

Floats = NDArray[np.float64]

MONTH = 30 * 86_400.0
BUDGET = Budget(false_alarm_seconds=MONTH, evaluation_seconds=60.0, tolerance=0.05)


def profiles(features: int = 2, rows: int = 5000) -> list[Profile]:
    """Features whose reference is standard normal."""
    values = np.random.default_rng(1).normal(size=(features, rows))
    return [numeric_profile(f"f{index}", np.sort(column)) for index, column in enumerate(values)]


def detector(of: Sequence[Profile], budget: Budget = BUDGET, min_rows: int = 30) -> Detector:
    """A detector of these features."""
    return feature_detector(of, budget, min_rows, "digest")


def rows(seed: int, shift: float = 0.0, size: int = 100, features: int = 2) -> Floats:
    """Rows like the reference's, with the first feature shifted."""
    window = np.random.default_rng(seed).normal(size=(size, features))
    window[:, 0] += shift
    return window


def cells(of: Sequence[Profile], window: Floats) -> NDArray[np.intp]:
    """The cell of each row in each feature: shape `(d, n)`; the one after the last for a row that lacks it."""
    return np.stack([_cells(profile, column) for profile, column in zip(of, window.T, strict=True)])


def _cells(profile: Profile, column: Floats) -> NDArray[np.intp]:
    missing = np.isnan(column)
    found = np.full(column.size, profile.cells.shares.size)
    if profile.kind is not FeatureKind.IGNORED:
        found[~missing] = profile.cells.index(column[~missing])
    return found


def single_rows(of: Sequence[Profile], window: Floats) -> NewRows:
    """Rows that are each a request of its own."""
    return NewRows(cells(of, window), np.arange(window.shape[0]))


def whole_requests(of: Sequence[Profile], *requests: Floats) -> NewRows:
    """Requests of several rows, or of one."""
    lengths = [request.shape[0] for request in requests]
    return NewRows(cells(of, np.vstack(requests)), np.repeat(np.arange(len(requests)), lengths))


def advance(engine: Detector, state: DetectorState, new: NewRows, now: float) -> DetectorState:
    """The state after rows that follow those of the state in the stream."""
    return engine.advance(state, new, state.number + new.requests.size, now)


def known(state: DetectorState, of: DetectorState) -> DetectorState:
    """A state with what another state knows of the dependence between rows, and of that within requests."""
    return replace(state, requests=of.requests, spans=of.spans, correlation=of.correlation)


def experienced(engine: Detector, of: Sequence[Profile], count: int = 3_000) -> DetectorState:
    """The state before the first row, of a detector that knows already that rows are independent."""
    start = engine.start()
    return known(start, advance(engine, start, single_rows(of, rows(77, size=count, features=len(of))), 0.0))
