"""The store of half pairs in Redis: the halves of one inference may reach different replicas.

One key is one hash, `driftgauge:pair:{<key>}`, of at most three fields, each a time in seconds since the
epoch as its shortest exact decimal:

    request, response                   the newest completed pair
    alone:request or alone:response     the half that waits
"""

from collections.abc import Sequence

from redis.asyncio import Redis, RedisCluster

from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Arrival, Half, PutResult
from driftgauge.storage.redis_client import bounded

_PUT = """
local key, kind, time, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local other = kind == 'request' and 'response' or 'request'
local known = redis.call('HMGET', key, kind, 'alone:' .. kind, 'alone:' .. other)
local completed, alone, waiting = known[1], known[2], known[3]
if time == completed or time == alone then return {'duplicate', '', 0} end
local answer
if waiting then
  redis.call('HDEL', key, 'alone:' .. other)
  redis.call('HSET', key, kind, time, other, waiting)
  answer = {'completed', waiting, 0}
else
  redis.call('HSET', key, 'alone:' .. kind, time)
  answer = {'first', '', alone and 1 or 0}
end
redis.call('PEXPIRE', key, ttl)
return answer
"""
_FIELDS = tuple(field for kind in Kind for field in (kind.value, f"alone:{kind}"))


class RedisPairs:
    """A `PairStore` of one small hash per key; of two replicas only one completes a pair.

    Args:
        client: Answers bytes; closed by `close`. One key per command, so a cluster's client will do.
        ttl_seconds: A half is remembered for twice as long after its key last changed, so that who
            asks for it after `ttl_seconds` still finds the answer.
        timeout_seconds: Bound of one call in all.
    """

    def __init__(self, client: Redis | RedisCluster, ttl_seconds: float, timeout_seconds: float) -> None:
        self._client = client
        self._ttl_milliseconds = round(2 * ttl_seconds * 1000)
        self._timeout_seconds = timeout_seconds

    async def put(self, halves: Sequence[Half]) -> list[PutResult]:
        """Store halves, in order and in one round trip, and say of each what it met.

        Raises:
            StorageError: Redis is away, slow or refuses. Some of the halves may have been stored.

        Notes:
            EVAL, not EVALSHA: a script that the server has lost would cost a second round trip, and
            a cluster's pipeline takes no other.
        """
        pipeline = self._client.pipeline(transaction=False)
        for half in halves:
            pipeline.eval(_PUT, 1, _key(half), half.kind.value, repr(half.time), self._ttl_milliseconds)
        async with bounded("put halves", self._timeout_seconds):
            return [_met(*response) for response in await pipeline.execute()]

    async def unpaired(self, halves: Sequence[Half]) -> int:
        """How many of these halves are still alone or forgotten, asked in one round trip.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        pipeline = self._client.pipeline(transaction=False)
        for half in halves:
            pipeline.hmget(_key(half), _FIELDS)
        async with bounded("look for halves", self._timeout_seconds):
            responses = await pipeline.execute()
        return sum(map(_is_unpaired, halves, responses))

    async def close(self) -> None:
        """Close the client with all its connections."""
        async with bounded("close", self._timeout_seconds):
            await self._client.aclose()


def _key(half: Half) -> str:
    return f"driftgauge:pair:{{{half.key}}}"


def _met(arrival: bytes, other_time: bytes, replaced: int) -> PutResult:
    return PutResult(Arrival(arrival.decode()), float(other_time) if other_time else None, bool(replaced))


def _is_unpaired(half: Half, values: Sequence[bytes | None]) -> bool:
    known = dict(zip(_FIELDS, values, strict=True))
    return not any(values) or known[f"alone:{half.kind}"] == repr(half.time).encode()
