"""Everything that a process does with Redis, once. A new call to Redis belongs here."""

from dataclasses import replace

from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Half
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_pairs import RedisPairs
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.redis_states import RedisStates
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
    await ring.read(REQUESTS, "s", 2)
    await ring.streams()
    await pairs.put([_ASKED])
    await pairs.unpaired([_ASKED])
    await pairs.put([_RESPONDED])
    await states.save(REQUESTS, "detector", b"x", 0)
    await states.load(REQUESTS, "detector")
    await states.delete(REQUESTS, "detector")
