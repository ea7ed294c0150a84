"""Streams and blocks of rows to append."""

import numpy as np

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.ring import Block, StreamKey

WINE = ModelKey("cellar", "wine", "predictor", "wine-v1")
REQUESTS = StreamKey(WINE, Kind.REQUEST)
RESPONSES = StreamKey(WINE, Kind.RESPONSE)


def counted(first: int, rows: int, schema: str = "s", width: int = 2, time: float = 0.5) -> Block:
    """A block whose first column counts from `first`; its other columns are a half more each."""
    column = np.arange(first, first + rows, dtype=np.float64)
    return Block(schema, np.ascontiguousarray(column[:, None] + 0.5 * np.arange(width)), time)
