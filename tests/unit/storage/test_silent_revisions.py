"""Which revisions a process finds in a store when it starts."""

from dataclasses import replace

from redis.asyncio import Redis

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.inference.revisions import SILENT_SECONDS
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.silent_revisions import silent_revisions, with_siblings
from tests.support.models import IRIS, WINE
from tests.support.rows import counted

WEEK_SECONDS = 604_800


def request(revision: str, model: ModelKey = WINE) -> StreamKey:
    """The requests of a revision."""
    return StreamKey(model._replace(revision=revision), Kind.REQUEST)


def silent(**idle_seconds: int) -> set[str]:
    """Which of these revisions are silent, by the seconds since the last row of each."""
    left = {request(revision): (WEEK_SECONDS - idle) * 1_000 for revision, idle in idle_seconds.items()}
    return {stream.model.revision for stream in silent_revisions(left)}


def test_a_revision_is_silent_a_day_after_another_one() -> None:
    """Not a day after its own last row: a model that predicts once a week keeps all of them."""
    assert {"a"} == silent(a=SILENT_SECONDS + 60, b=60)
    assert set() == silent(a=SILENT_SECONDS + 59, b=60)
    assert set() == silent(a=5 * SILENT_SECONDS, b=5 * SILENT_SECONDS)


def test_a_revision_with_responses_alone_is_not_silent() -> None:
    """Its two streams count together."""
    responses = replace(request("a"), kind=Kind.RESPONSE)
    left = {request("a"): 0, responses: WEEK_SECONDS * 1_000, request("b"): WEEK_SECONDS * 1_000}

    assert set() == silent_revisions(left)


def test_only_models_of_several_revisions_are_looked_at() -> None:
    """The pods of a model without a revision count as one."""
    streams = [request("a"), request("", IRIS), request(""), request("stable", IRIS._replace(component="transformer"))]

    assert [request("a"), request("")] == with_siblings(streams)


async def test_the_streams_of_silent_revisions_are_not_listed(redis_client: Redis) -> None:
    """Redis has the rows of a week of revisions; the time that each key has left says how old they are."""
    ring = RedisRing(BoundedRedis(redis_client, 5), 10, WEEK_SECONDS)
    old, stable, canary, other = request("old"), request("stable"), request("v2"), request("", IRIS)
    for stream in (old, stable, canary, other):
        await ring.append(stream, counted(0, 1))
    for stream, seconds in ((old, WEEK_SECONDS - SILENT_SECONDS - 60), (canary, WEEK_SECONDS - 60), (other, 60)):
        await redis_client.expire(stream_key(stream), seconds)

    assert sorted([stable, canary, other]) == sorted(await ring.streams())
