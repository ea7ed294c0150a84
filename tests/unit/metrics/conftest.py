"""Gauges, their clock and their registry."""

import pytest
from prometheus_client import CollectorRegistry

from driftgauge.metrics.drift_gauges import DriftGauges
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """The time at which tests begin is 1,000."""
    return ManualClock()


@pytest.fixture
def gauges(clock: ManualClock) -> DriftGauges:
    """Gauges that go stale after 90 seconds."""
    return DriftGauges(90, clock)


@pytest.fixture
def registry(gauges: DriftGauges) -> CollectorRegistry:
    """A registry that collects the gauges."""
    registry = CollectorRegistry()
    registry.register(gauges)
    return registry
