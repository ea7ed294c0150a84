"""The newest evaluations, their clock, and a registry that collects their gauges."""

import pytest
from prometheus_client import CollectorRegistry

from driftgauge.metrics.drift_gauges import DriftGauges
from driftgauge.results.latest import LatestEvaluations
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """A clock at 1,000 seconds."""
    return ManualClock()


@pytest.fixture
def latest(clock: ManualClock) -> LatestEvaluations:
    """Evaluations that are stale after 90 seconds."""
    return LatestEvaluations(90, clock)


@pytest.fixture
def registry(latest: LatestEvaluations) -> CollectorRegistry:
    """A registry that collects the gauges of the evaluations."""
    registry = CollectorRegistry()
    registry.register(DriftGauges(latest))
    return registry
