"""Reads the rows of a model from Redis itself, without the product's reader, and computes D from them."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from redis import Redis, ResponseError
from scipy.stats import ks_2samp

_VALUE_BYTES = 8


def stream_name(namespace: str, service: str, kind: str) -> str:
    """The key of the stream of a model whose name is its InferenceService's."""
    return f"driftgauge:{{{namespace}/{service}/predictor/{service}}}:{kind}"


def rows_appended(redis: Redis, stream: str) -> int:
    """How many rows all writers of a stream have appended to it since ever; -1 if another program has its key.

    Each writer has a field `sequence:rows:milliseconds:...` in the hash beside the stream, so the sum is right although
    old rows were trimmed, and although Redis has lost rows. The other field of the hash has no colon.
    """
    try:
        writers = cast("Mapping[bytes, bytes]", redis.hgetall(f"{stream}:writers"))
        newest = cast("list[tuple[bytes, Any]]", redis.xrevrange(stream, count=1))
    except ResponseError:
        return -1
    if writers:
        return sum(int(value.split(b":")[1]) for value in writers.values() if b":" in value)
    return int(newest[0][0].partition(b"-")[0]) if newest else 0


def window(redis: Redis, stream: str, window_rows: int) -> NDArray[np.float64]:
    """The newest rows of a stream: shape `(n, d)`, `n` at most `window_rows`; none if another program has its key."""
    blocks = []
    try:
        entries = cast("list[tuple[bytes, Mapping[bytes, bytes]]]", redis.xrange(stream))
    except ResponseError:
        entries = []
    for _, fields in entries:
        if b"rows" in fields and b"data" in fields:
            values = np.frombuffer(fields[b"data"], dtype="<f8")
            blocks.append(values.reshape(int(fields[b"rows"]), -1))
    return np.concatenate(blocks)[-window_rows:] if blocks else np.empty((0, 1))


def statistics(reference: NDArray[np.float64], rows: NDArray[np.float64], names: list[str]) -> dict[str, float]:
    """D of each column, by scipy."""
    return {name: float(ks_2samp(reference[:, at], rows[:, at]).statistic) for at, name in enumerate(names)}
