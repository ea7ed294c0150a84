"""Stores of responses that wait for labels, with the rings that their outcomes are appended to."""

from collections.abc import Sequence

import numpy as np

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import Kind
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelLayout, LabelStore, Match, StoredLabel, WaitingResponse
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import RingBuffer, StreamKey, Window
from tests.support.rows import WINE

NOW = 1.7e9
DAY = 86_400.0
OUTCOMES = StreamKey(WINE, Kind.OUTCOME)
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


def outcomes(matches: Sequence[Match]) -> list[str]:
    """What became of the labels."""
    return [str(one.outcome) for one in matches]


async def window(stores: LabelStores, of: LabelLayout | None = None) -> Window:
    """The rows of outcomes."""
    of = layout() if of is None else of
    return await stores.ring.read(OUTCOMES, of.schema, len(of.predictions) + len(of.outputs))
