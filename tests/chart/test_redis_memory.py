"""The formula of the memory of Redis is at most 15 % above what the real code writes, and never below."""

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray
from redis.asyncio import Redis

from charts.redis_memory import (
    STREAM_BYTES,
    WRITER_BYTES,
    Load,
    model_bytes,
    outcome_row_bytes,
    slot_bytes,
    waiting_bytes,
)
from driftgauge.drift.detector.detector_state import pack as pack_state
from driftgauge.drift.profile import FeatureKind, numeric_profile
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind
from driftgauge.monitoring.baseline_rows import Baseline
from driftgauge.monitoring.baseline_rows import pack as pack_baseline
from driftgauge.results.packed_report import pack_report
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelLayout, StoredLabel, WaitingResponse
from driftgauge.storage.pairs import Half
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from driftgauge.storage.ring import StreamKey
from tests.support.rows import WINE, block_of
from tests.support.streams import Stream
from tests.support.watched_stream import RULE

HOLDER = "a-replica/1"


async def usage(client: Redis) -> int:
    """The sum of MEMORY USAGE over all keys, without those of the last calls, which are the connections' share."""
    pipeline = client.pipeline(transaction=False)
    for key in cast("list[bytes]", await client.keys()):
        if b":last:" not in key:
            pipeline.memory_usage(key.decode(), samples=0)
    return sum(await pipeline.execute())


async def write_model(client: Redis, load: Load) -> None:
    """Write all that one model has, by the code that writes it in production."""
    redis = BoundedRedis(client, timeout_seconds=30)
    states, results = RedisStates(redis, 3600), RedisResults(redis, 3600)
    random = np.random.default_rng(1)
    reports = {}
    for kind, columns in ((Kind.REQUEST, load.features), (Kind.RESPONSE, load.predictions)):
        stream, rows = StreamKey(WINE, kind), random.random((load.window_rows, columns))
        for _ in range(load.replicas):
            ring = RedisRing(redis, load.window_rows, 3600)
            for row in rows:
                await ring.append(stream, block_of(row[None, :]))
        evaluation = evaluate(rows)
        assert evaluation.state is not None
        await states.save(stream, "detector", pack_state(evaluation.state), 0)
        reports[kind] = pack_report(evaluation.report)
    names = tuple(f"output_{index}" for index in range(load.predictions))
    kinds = (FeatureKind.NUMERIC,) * load.predictions
    baseline = Baseline("a" * 64, names, kinds, rows, {}, 1.7e9)
    await states.save(StreamKey(WINE, Kind.RESPONSE), "baseline", pack_baseline(baseline), 0)
    await client.set(model_key(WINE, "lease"), HOLDER)
    await results.publish(WINE, HOLDER, b"{}" * 500, reports)


def evaluate(rows: NDArray[np.float64]) -> StreamEvaluation:
    """An evaluation of these rows, with the detector's state."""
    sorted_columns = np.sort(np.random.default_rng(2).random((rows.shape[1], 5000)), axis=1)
    profiles = [numeric_profile(f"feature_{index}", column) for index, column in enumerate(sorted_columns)]
    stream = Stream(StreamEvaluator(profiles, RULE, "digest"), rows.shape[0])
    stream.append(rows)
    return stream.look()


@pytest.mark.parametrize(("features", "predictions"), [(4, 1), (13, 3), (100, 1)])
async def test_a_model_takes_what_the_formula_says(redis_client: Redis, features: int, predictions: int) -> None:
    """Rows, writers, detectors, baseline, results and lease of one model."""
    load = Load(models=1, features=features, predictions=predictions, window_rows=500)
    await write_model(redis_client, load)
    measured = await usage(redis_client)

    assert measured <= model_bytes(load) <= 1.15 * measured


@pytest.mark.parametrize("pairs", [20_000, 140_000])
async def test_pairs_take_what_the_formula_says(redis_client: Redis, pairs: int) -> None:
    """The pairs of one slot, at rates of some 130 and 930 inferences a second."""
    store = RedisPairs(BoundedRedis(redis_client, timeout_seconds=30), 100_000)
    for start in range(0, pairs, 1000):
        names = [str(number) for number in range(start, start + 1000)]
        await store.put([Half(name, kind, 1.7e9 + 0.123) for name in names for kind in PAYLOAD_KINDS])
    measured = await usage(redis_client)

    assert measured <= slot_bytes(pairs) <= 1.15 * measured


@pytest.mark.parametrize(
    ("predictions", "labelled", "further_ids"), [(1, 0.0, 0), (1, 1.0, 0), (3, 0.5, 1), (40, 1.0, 0)]
)
async def test_responses_that_wait_for_labels_take_what_the_formula_says(
    redis_client: Redis, predictions: int, labelled: float, further_ids: int
) -> None:
    """One full slice of the default, without outcomes and what is known of the last calls."""
    bounds = LabelSlices()
    load = Load(pending=bounds.responses, predictions=predictions, labelled=labelled, further_ids=further_ids)
    store = RedisLabels(BoundedRedis(redis_client, timeout_seconds=30), 10, 3600, bounds, lambda: 1.7e9)
    names = tuple(f"output_{index}" for index in range(predictions))
    kinds = (FeatureKind.NUMERIC,) * predictions
    layout = LabelLayout(names, kinds, names[:1], kinds[:1])
    random = np.random.default_rng(1)
    digests = random.integers(0, 2**64, (load.pending, 1 + further_ids), dtype=np.uint64).tolist()
    rows = random.random((load.pending, 1, predictions))
    responses = [WaitingResponse(tuple(ids), 1.7e9, row) for ids, row in zip(digests, rows, strict=True)]
    await store.put(WINE, layout, responses)
    labels = [StoredLabel(one.ids[0], 0, 0, 1.0, 1.7e9) for one in responses[: round(labelled * load.pending)]]
    await store.match(WINE, layout, labels)
    await redis_client.delete(model_key(WINE, "outcome"), model_key(WINE, "outcome:writers"))
    measured = await usage(redis_client)

    assert measured <= waiting_bytes(load) <= 1.15 * measured


@pytest.mark.parametrize("predictions", [1, 4, 40])
async def test_outcomes_take_what_the_formula_says(redis_client: Redis, predictions: int) -> None:
    """Rows whose labels came one by one, each a block of its own, and their writer."""
    load = Load(predictions=predictions, window_rows=1_000, replicas=1)
    store = RedisLabels(BoundedRedis(redis_client, timeout_seconds=30), 1_000, 3600, LabelSlices(), lambda: 1.7e9)
    names = tuple(f"output_{index}" for index in range(predictions))
    kinds = (FeatureKind.NUMERIC,) * predictions
    layout = LabelLayout(names, kinds, names[:1], kinds[:1])
    random = np.random.default_rng(1)
    ids = random.integers(0, 2**64, load.window_rows, dtype=np.uint64).tolist()
    for start in range(0, load.window_rows, 200):
        rows = random.random((200, 1, predictions))
        responses = [WaitingResponse((one,), 1.7e9, row) for one, row in zip(ids[start:], rows, strict=False)]
        await store.put(WINE, layout, responses)
    for one in ids:
        await store.match(WINE, layout, [StoredLabel(one, 0, 0, 1.0, 1.7e9)])
    keys = [model_key(WINE, name) for name in ("outcome", "outcome:writers")]
    measured = sum([int(await redis_client.memory_usage(key, samples=0) or 0) for key in keys])

    assert measured <= outcome_row_bytes(load) + WRITER_BYTES + STREAM_BYTES <= 1.15 * measured
