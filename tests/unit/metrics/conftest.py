"""Gauges, their clock and their registry."""

import pytest
from prometheus_client import CollectorRegistry

from sidecar.metrics import DriftGauges
from tests.support.clock import Wristwatch


@pytest.fixture
def clock() -> Wristwatch:
    """The time at which tests begin is 1,000."""
    return Wristwatch()


@pytest.fixture
def gauges(clock: Wristwatch) -> DriftGauges:
    """Gauges that go stale after 90 seconds."""
    return DriftGauges(90, clock)


@pytest.fixture
def registry(gauges: DriftGauges) -> CollectorRegistry:
    """A registry that collects the gauges."""
    registry = CollectorRegistry()
    registry.register(gauges)
    return registry
