"""Streams and blocks of rows to append."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.ring import Block, StreamKey, id_digests

WINE = ModelKey("cellar", "wine", "predictor", "wine-v1")
REQUESTS = StreamKey(WINE, Kind.REQUEST)
RESPONSES = StreamKey(WINE, Kind.RESPONSE)


def counted(first: int, rows: int, schema: str = "s", width: int = 2, time: float = 0.5) -> Block:
    """A block of rows that came one by one, whose first column counts from `first`; other columns are a half more."""
    column = np.arange(first, first + rows, dtype=np.float64)
    return block_of(np.ascontiguousarray(column[:, None] + 0.5 * np.arange(width)), schema, time)


def block_of(
    rows: NDArray[np.float64], schema: str = "s", time: float = 0.5, lengths: Sequence[int] | None = None
) -> Block:
    """A block of rows that came in payloads of these lengths, by default one by one, all at one time."""
    requests = np.array([1] * len(rows) if lengths is None else lengths, dtype=np.int64)
    ids = id_digests(f"{time}/{index}" for index in range(requests.size))
    return Block(schema, rows, requests, np.full(requests.size, time), ids)
