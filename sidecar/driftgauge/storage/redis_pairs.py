"""The store of halves in Redis, since the halves of one inference may reach different replicas.

One pair is one hash, `driftgauge:pair:{<key>}`, of at most three fields. Each value is a time in seconds since the
epoch, as its shortest exact decimal:

    request, response                   the newest completed pair
    alone:request or alone:response     the half that waits
"""

import math
from collections.abc import Sequence

from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Arrival, Half, PutResult
from driftgauge.storage.redis_client import BoundedRedis, Call

_PUT = """
local key, kind, time, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local other = kind == 'request' and 'response' or 'request'
local known = redis.call('HMGET', key, kind, 'alone:' .. kind, 'alone:' .. other)
local completed, alone, waiting = known[1], known[2], known[3]
if time == completed or time == alone then return {'duplicate', '', 0} end
local result
if waiting then
  redis.call('HDEL', key, 'alone:' .. other)
  redis.call('HSET', key, kind, time, other, waiting)
  result = {'completed', waiting, 0}
else
  redis.call('HSET', key, 'alone:' .. kind, time)
  result = {'first', '', alone and 1 or 0}
end
redis.call('PEXPIRE', key, ttl)
return result
"""
_FIELDS = tuple(field for kind in Kind for field in (kind.value, f"alone:{kind}"))


class RedisPairs:
    """A `PairStore` of one small hash per key. Only one of several replicas completes a pair.

    Args:
        redis: The connection, which its owner closes. Each command has one key, so the client of a cluster works too.
        ttl_seconds: A key expires after twice this time without a change, so that `unpaired` still finds it
            after `ttl_seconds`.
    """

    def __init__(self, redis: BoundedRedis, ttl_seconds: float) -> None:
        self._redis = redis
        self._ttl_milliseconds = round(2 * ttl_seconds * 1000)

    async def put(self, halves: Sequence[Half]) -> list[PutResult]:
        """Store halves, in order and in one round trip.

        Raises:
            StorageError: Redis is away, slow or refuses. Some of the halves may have been stored.

        Notes:
            EVAL and not EVALSHA: a script that the server has lost would cost a second round trip, and the pipeline
            of a cluster has no EVALSHA.
        """
        pipeline = self._redis.client.pipeline(transaction=False)
        for half in halves:
            pipeline.eval(_PUT, 1, _key(half), half.kind.value, repr(half.time), self._ttl_milliseconds)
        async with self._redis.call("put halves", Call.PAIR):
            return [_put_result(*reply) for reply in await pipeline.execute()]

    async def unpaired(self, halves: Sequence[Half]) -> int:
        """Count the halves that are still alone or have expired, in one round trip.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        pipeline = self._redis.client.pipeline(transaction=False)
        for half in halves:
            pipeline.hmget(_key(half), _FIELDS)
        async with self._redis.call("look for halves", Call.UNPAIRED):
            replies = await pipeline.execute()
        return sum(map(_is_unpaired, halves, replies))


def _key(half: Half) -> str:
    return f"driftgauge:pair:{{{half.key}}}"


def _put_result(arrival: bytes, other_time: bytes, replaced: int) -> PutResult:
    return PutResult(Arrival(arrival.decode()), _read_time(other_time) if other_time else None, bool(replaced))


def _read_time(text: bytes) -> float:
    """A time that another process has written; NaN, which gives no latency, if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is_unpaired(half: Half, values: Sequence[bytes | None]) -> bool:
    known = dict(zip(_FIELDS, values, strict=True))
    return not any(values) or known[f"alone:{half.kind}"] == repr(half.time).encode()
