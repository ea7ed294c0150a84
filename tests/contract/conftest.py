"""Stores of responses that wait for labels, as the contract tests have them."""

import pytest

from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.redis_client import BoundedRedis
from tests.support.label_stores import DAY, LabelStores


@pytest.fixture
def stores(bounded_redis: BoundedRedis | None) -> LabelStores:
    """A store that judges labels when they come, and its ring."""
    return LabelStores(bounded_redis, LabelSlices(ttl_seconds=23 * DAY, pending=24 * 4))


@pytest.fixture
def ripening(bounded_redis: BoundedRedis | None) -> LabelStores:
    """A store that judges labels when their responses are an hour old, and its ring."""
    return LabelStores(bounded_redis, LabelSlices(ttl_seconds=23 * DAY, pending=24 * 8, maturity_seconds=3600))
