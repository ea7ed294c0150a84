"""Labels and responses in a cluster of which one server hangs: those of models on the others wait for nothing of it."""

import asyncio
from collections import Counter

import numpy as np
from prometheus_client import CollectorRegistry
from redis.crc import key_slot

from driftgauge.inference.payload import ModelKey
from driftgauge.ingest.label_feed import FedRows, LabelFeed, layout_of_columns
from driftgauge.labels.label_results import MatcherLimits
from driftgauge.labels.matcher import Matcher
from driftgauge.labels.pace import LabelPace
from driftgauge.labels.waiting_label import waiting_labels
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import LabelOutcome, WaitingResponse
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import id_digests
from tests.support.clock import ManualClock
from tests.support.labelled import EARLY_SECONDS, LAYOUT, NUMBER, a_label
from tests.support.models import WINE
from tests.support.redis_cluster import RedisCluster
from tests.support.rows import block_of
from tests.support.waiting import until

NOW = 1.7e9
MODELS = [WINE._replace(namespace=f"cellar{number}", model_name=f"wine{number}") for number in range(40)]
"""A third of them is on each server, more than one may have calls at a time."""

HANGS_SECONDS = 60
"""The time limit of a call, within which the server that hangs lets none end."""

LABELS = 120


def matched(registry: CollectorRegistry) -> Counter[str]:
    """How many labels were matched, by the names of models."""
    samples = [sample for family in registry.collect() for sample in family.samples]
    found = {one.labels["model_name"]: int(one.value) for one in samples if one.labels.get("outcome") == "matched"}
    return +Counter(found)


async def test_a_server_that_hangs_delays_no_label_of_others() -> None:
    """While its calls do not end, other models' responses are put and their labels matched; then its own are, once."""
    registry, clock = CollectorRegistry(), ManualClock()
    put: Counter[ModelKey] = Counter()
    with RedisCluster("--cluster-require-full-coverage", "no", "--cluster-replica-no-failover", "yes") as cluster:
        redis = BoundedRedis(connect(cluster.url, HANGS_SECONDS), HANGS_SECONDS)
        store = RedisLabels(redis, 2_000, 3_600, LabelSlices(), lambda: NOW)
        ids = id_digests(map(str, range(LABELS))).tolist()
        for model in MODELS:
            await store.put(model, LAYOUT, [WaitingResponse((one,), NOW, np.ones((1, 1))) for one in ids])
        owner = {model: cluster.owner(key_slot(model_key(model, "pending").encode())) for model in MODELS}
        others = {model for model in MODELS if owner[model] is not cluster.nodes[0]}
        pace = LabelPace(RedisRing(redis, 2_000, 3_600), 2_000, EARLY_SECONDS, clock)
        matcher = Matcher(store, LabelCounts(registry, [*LabelOutcome]), MatcherLimits(EARLY_SECONDS), pace, clock)
        feed = LabelFeed(
            store,
            lambda _, columns, kinds: layout_of_columns(columns, kinds),
            lambda model, number: put.subtract({model: number}),
            on_put=lambda model, result: put.update({model: sum(result)}),
        )
        feed.start()
        cluster.nodes[0].pause()
        try:
            working = asyncio.create_task(matcher.run(0.1))
            labels = [a_label(str(number)) for number in range(LABELS)]
            for model in MODELS:
                assert matcher.offer([waiting_labels(labels, (model,), clock.now)])
                feed.offer(model, FedRows(("quality",), (NUMBER,), block_of(np.ones((2, 1)))))
            served = {model.model_name: LABELS for model in others}
            await until(lambda: matched(registry) == served and len(put) == len(others))
            first = set(put)
        finally:
            cluster.nodes[0].resume()
        await until(lambda: matcher.waiting == 0 and feed.waiting == 0)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await matcher.close()
        await feed.close(5)
        await redis.close()

    assert 0 < len(others) < len(MODELS)
    assert others == first
    assert dict.fromkeys((model.model_name for model in MODELS), LABELS) == matched(registry)
    assert dict.fromkeys(MODELS, 2) == put
