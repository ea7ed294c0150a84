"""Everything that a process does with Redis, once. A new call to Redis belongs here."""

import time
from dataclasses import replace
from functools import partial

from driftgauge.inference.payload import Kind
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.leases import StoreClock, Wish
from driftgauge.storage.pairs import Half
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_labels import RedisLabels
from driftgauge.storage.redis_layout import writers_key
from driftgauge.storage.redis_leases import RedisLeases
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_results import RedisResults
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
from tests.support.label_stores import label, layout, response
from tests.support.rows import REQUESTS, WINE, counted

_OTHER_REVISION = replace(REQUESTS, model=WINE._replace(revision="v2"))
_ASKED, _RESPONDED = Half("k", Kind.REQUEST, 1.0), Half("k", Kind.RESPONSE, 2.0)


async def do_everything(redis: BoundedRedis) -> None:
    """Run every kind of call of every store.

    Raises:
        StorageError: One of them failed.
    """
    ring, pairs, states = RedisRing(redis, 10, 60), RedisPairs(redis, 60), RedisStates(redis, 60)
    await ring.ping()
    await ring.append(REQUESTS, counted(0, 2))
    await ring.append(REQUESTS, counted(2, 2))
    await ring.append(_OTHER_REVISION, counted(0, 1))
    await redis.run(Call.APPEND, "replace the counts", partial(_replace_counts, redis))
    await ring.append(REQUESTS, counted(4, 2))
    await ring.settle(REQUESTS)
    await ring.read(REQUESTS, "s", 2)
    await ring.note_looked(REQUESTS, 1)
    await ring.progress([REQUESTS])
    await ring.streams()
    await pairs.put([_ASKED])
    await pairs.remove([_ASKED])
    await pairs.put([_RESPONDED])
    await pairs.put([Half("alone", Kind.REQUEST, 1.0)])
    await pairs.remove([Half("alone", Kind.REQUEST, 1.0)])
    await states.save(REQUESTS, "detector", b"x", 0)
    await states.load(REQUESTS, "detector")
    await states.delete(REQUESTS, "detector")
    await _share(redis)
    await _label(redis)


async def _replace_counts(redis: BoundedRedis) -> None:
    """Leave the count of a writer that has been silent for long, in place of those of all writers."""
    key = writers_key(REQUESTS)
    await redis.client.delete(key)
    await redis.client.hset(key, "old", "1:1:1:0")


async def _share(redis: BoundedRedis) -> None:
    """Acquire, extend and release a lease, wish for it, and publish a result."""
    leases, results, model, token = (
        RedisLeases(redis, 60, StoreClock()),
        RedisResults(redis, 60),
        REQUESTS.model,
        "a1/1",
    )
    for other in (token, "b2/1"):
        await leases.acquire(model, other)
    await leases.wish(model, Wish("b2"))
    await leases.extend(model, token)
    await leases.end_endless(model)
    await results.publish(model, token, b"notice", {Kind.REQUEST: b"report"})
    await leases.look([model])
    await results.read([REQUESTS])
    await RedisStates(redis, 60).save(REQUESTS, "baseline", b"x", 0, token)
    await leases.release(model, token)


async def _label(redis: BoundedRedis) -> None:
    """Let responses wait, match and judge labels, and displace what waits."""
    labels = RedisLabels(redis, 10, 60, LabelSlices(pending=24, maturity_seconds=0.001))
    now = time.time()
    for digest in (3, 1, 1):
        await labels.put(WINE, layout(), [response(digest << 50, [[1.0, 2.0]], now + digest, (9,))])
    await labels.match(WINE, layout(), [label(9, 5.0)])
    await labels.layout(WINE)
    await labels.slices(WINE)
    await labels.sample(WINE, layout(), now, now + 10, 5)
    judging = RedisLabels(redis, 10, 60, LabelSlices(pending=24), lambda: now + 60)
    await judging.mature(WINE)
