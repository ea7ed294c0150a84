"""Stores of responses that wait for labels, with the rings that their outcomes are appended to."""

from collections.abc import Sequence

import numpy as np

from driftgauge.drift.profile import FeatureKind
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelLayout, LabelStore, StoredLabel, WaitingResponse
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import RingBuffer

NOW = 1.7e9
CAPACITY_ROWS = 5000
_TTL_SECONDS = 3600.0


class LabelStores:
    """A store and its ring, in memory or in Redis.

    Args:
        redis: `None` for memory.
        bounds: The slices.
    """

    def __init__(self, redis: BoundedRedis | None, bounds: LabelSlices) -> None:
        self.now = NOW
        self.is_shared = redis is not None
        self.labels: LabelStore
        self.ring: RingBuffer
        if redis is None:
            self.ring = MemoryRing(CAPACITY_ROWS)
            self.labels = MemoryLabels(self.ring, bounds, lambda: self.now)
        else:
            self.ring = RedisRing(redis, CAPACITY_ROWS, _TTL_SECONDS)
            self.labels = RedisLabels(redis, CAPACITY_ROWS, _TTL_SECONDS, bounds, lambda: self.now)


def layout(name: str = "quality") -> LabelLayout:
    """Two predictions, both with labels; the first one has this name."""
    kinds = (FeatureKind.NUMERIC, FeatureKind.CATEGORICAL)
    return LabelLayout((name, "colour"), kinds, (name, "colour"), kinds)


def response(
    digest: int, rows: Sequence[Sequence[float]], time: float = NOW, aliases: tuple[int, ...] = ()
) -> WaitingResponse:
    """A response that passed at `time`."""
    return WaitingResponse((digest, *aliases), time, np.array(rows, dtype=np.float64))


def label(digest: int, value: float, row: int = 0, output: int = 0, time: float | None = None) -> StoredLabel:
    """A label of an output of a row of the response with this digest."""
    return StoredLabel(digest, row, output, value, time)
