"""A monitor whose budget is a false alarm an hour, so that its detector alarms soon."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.detector_record import read_state
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture

REQUESTS = StreamKey(WINE, Kind.REQUEST)
HOURLY = Rule(0.05, Correction.HOLM, min_rows=20, budget=Budget(3_600, 30, 0.05))
"""One false alarm an hour is allowed: the threshold of the evidence is 4 x 3,600 seconds."""
REFERENCE_ROWS = 2_000
FED = "driftgauge_detector_rows_total"
FAILURES = "driftgauge_evaluation_failures_total"


def calm(rows: int, seed: int = 1) -> NDArray[np.float64]:
    """Rows with the distribution of the reference."""
    return np.random.default_rng(seed).standard_normal((rows, 2))


async def saved_state(fixture: MonitorFixture) -> DetectorState:
    """Load the detector's state from the store."""
    state = await fixture.states.load(REQUESTS, "detector")
    assert state is not None
    unpacked = read_state(state.blob)
    assert unpacked is not None
    return unpacked


async def evaluate(fixture: MonitorFixture, seconds: float = 30) -> None:
    """Evaluate all streams some seconds later."""
    fixture.clock.now += seconds
    await fixture.monitor.evaluate_all()


async def started(directory: Path, **shared: object) -> MonitorFixture:
    """Make a fixture that has loaded its reference."""
    fixture = MonitorFixture(directory, rule=HOURLY, **shared)  # type: ignore[arg-type] # the keywords of MonitorFixture
    await fixture.watcher.refresh()
    return fixture
