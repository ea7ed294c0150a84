"""The rows of a run are read from Redis without the product's own reader, and agree with what its writer wrote."""

from collections.abc import Iterator

import numpy as np
import pytest
from redis import Redis

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.ring import StreamKey
from tests.chaos import ring
from tests.support.redis_server import RedisServer

STREAM = ring.stream_name("cellar", "wine", "request")


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Redis]:
    """A client of the common server, which is empty."""
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client


def append(redis: Redis, last_row: int, rows: list[list[float]]) -> None:
    """Add an entry as a writer does, with the fields that the reader needs."""
    data = np.array(rows, dtype="<f8").tobytes()
    redis.xadd(STREAM, {"rows": len(rows), "data": data}, id=f"{last_row}-1")


def test_name_is_that_of_the_product() -> None:
    """The key of a stream is the one that the product uses."""
    model = ModelKey("cellar", "wine", "predictor", "wine")

    assert STREAM == stream_key(StreamKey(model, Kind.REQUEST))


def test_window_has_the_newest_rows(redis: Redis) -> None:
    """Rows come in order, whole blocks are cut to the window, and entries of other programs are left out."""
    append(redis, 2, [[1.0, 2.0], [3.0, 4.0]])
    redis.xadd(STREAM, {"foreign": "1"}, id="3-1")
    append(redis, 4, [[5.0, 6.0]])

    assert [[3.0, 4.0], [5.0, 6.0]] == ring.window(redis, STREAM, 2).tolist()


def test_rows_are_summed_over_writers(redis: Redis) -> None:
    """Each writer keeps its own number of rows; trimmed and lost rows are included."""
    append(redis, 1, [[1.0, 2.0]])
    redis.hset(f"{STREAM}:writers", mapping={"a": "7:40:1764:0", "b": "9:2:1764:0", "rows": "42"})

    assert 42 == ring.rows_appended(redis, STREAM)


def test_key_of_another_type_has_no_rows(redis: Redis) -> None:
    """A key that another program has taken does not count as an empty stream."""
    redis.set(STREAM, "foreign")

    assert -1 == ring.rows_appended(redis, STREAM)
    assert 0 == len(ring.window(redis, STREAM, 2))


def test_statistic_is_scipys() -> None:
    """D of samples that do not overlap is 1, and of equal samples 0."""
    reference = np.array([[1.0, 1.0], [2.0, 2.0]])
    rows = np.array([[3.0, 1.0], [4.0, 2.0]])

    assert {"alcohol": 1.0, "ph": 0.0} == ring.statistics(reference, rows, ["alcohol", "ph"])
