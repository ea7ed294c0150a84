"""How far the streams in Redis are read by who evaluates them: a field of the hash of each stream's writers.

The hash and its field `rows` go together with the stream, so that no number of an emptied store is taken for one of the
next.
"""

from collections.abc import Sequence
from typing import Final, cast

from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import LOOKED_FIELD, MAX_ROWS, ROWS_FIELD, writers_key
from driftgauge.storage.redis_servers import group_by_server
from driftgauge.storage.ring import Progress, StreamKey

_MAX_DIGITS: Final = 16

_NOTE: Final = f"""
local known = redis.pcall('HMGET', KEYS[1], '{ROWS_FIELD}', '{LOOKED_FIELD}')
if known.err then return 0 end
local rows, looked, number = tonumber(known[1] or nil), tonumber(known[2] or nil), tonumber(ARGV[1])
if not rows or number > rows or looked and looked <= rows and looked >= number then return 0 end
redis.call('HSET', KEYS[1], '{LOOKED_FIELD}', ARGV[1])
return 1
"""
"""Notes a number that is above the last one, if the stream has so many rows. It makes no hash: that has a time to live
from its first append on."""


class RedisLooks:
    """Reads and notes how far streams are read.

    Args:
        redis: The connection, which its owner closes.
    """

    def __init__(self, redis: BoundedRedis) -> None:
        self._redis = redis
        self._note = redis.client.register_script(_NOTE)

    async def progress(self, streams: Sequence[StreamKey]) -> list[Progress]:
        """How far each stream is read, in order: one round trip to each server.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        await self._redis.find_servers(Call.READ)
        found: dict[int, Progress] = {}
        keys = [writers_key(stream) for stream in streams]
        for group in group_by_server(self._redis.client, keys):
            pipeline = self._redis.client.pipeline(transaction=False)
            for index in group:
                pipeline.hmget(keys[index], [ROWS_FIELD, LOOKED_FIELD])
            async with self._redis.call("read how far rows are read", Call.READ, keys[group[0]]):
                replies = await pipeline.execute(raise_on_error=False)
                found.update(zip(group, map(_progress, replies), strict=True))
        return [found[index] for index in range(len(streams))]

    async def note(self, stream: StreamKey, number: int) -> None:
        """Note that all rows up to this number are read.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        key = writers_key(stream)
        async with self._redis.call("note how far rows are read", Call.SAVE, key):
            await self._note(keys=[key], args=[number])


def _progress(reply: object) -> Progress:
    """The two numbers of a hash; 0 where it has none, or something that is not ours.

    Raises:
        Exception: The reply is an error other than that of a key of another type, which the next append replaces.
    """
    if isinstance(reply, Exception):
        if "WRONGTYPE" not in str(reply):
            raise reply
        return Progress(0, 0)
    rows, looked = map(_number, cast("list[bytes | None]", reply))
    return Progress(rows, looked if looked <= rows else 0)


def _number(value: bytes | None) -> int:
    usable = value is not None and value.isdigit() and len(value) <= _MAX_DIGITS and int(value) < MAX_ROWS
    return int(value) if usable and value is not None else 0
