"""The states in Redis: they survive a restart and are shared by replicas.

One state is one string. Its key is the key of the stream, a colon and the name of the state, so it lies in the cluster
slot of the stream. Its value is the version as a decimal number without leading zeros, a line feed, and the blob.
"""

import re
from collections.abc import Container
from typing import cast

from driftgauge.inference.payload import ModelKey
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import State

_HEAD = re.compile(rb"([1-9][0-9]{0,17})\n")
# Reads the version only, since a blob may be large. A value without a version counts as no state, as in `load`.
_SAVE = r"""
local head = redis.call('GETRANGE', KEYS[1], 0, 18)
local version = string.match(head, '^([1-9]%d*)\n') or '0'
if version ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisStates:
    """A `StateStore` of one string per state. If two replicas save on one version, one save is kept.

    Args:
        redis: The connection, which its owner closes. Each command has one key, so the client of a cluster works too.
        ttl_seconds: A state expires this long after it was last saved or loaded.
    """

    def __init__(self, redis: BoundedRedis, ttl_seconds: float) -> None:
        self._redis = redis
        self._ttl_milliseconds = round(ttl_seconds * 1000)
        self._save = redis.client.register_script(_SAVE)

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """Read the newest state and restart its time to live; `None` if there is none, or another program's value.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with self._redis.call("load a state", Call.LOAD):
            value = await self._redis.client.getex(_key(stream, name), px=self._ttl_milliseconds)
        return None if value is None else _state(cast("bytes", value))  # the client decodes nothing

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int) -> bool:
        """Save a blob as version `expected + 1`, in place of version `expected`. Returns whether it was saved.

        Raises:
            StorageError: Redis is away, slow or refuses. After a timeout the blob may have been saved.
        """
        value = b"%d\n%b" % (expected + 1, blob)
        async with self._redis.call("save a state", Call.SAVE):
            kept = await self._save(keys=[_key(stream, name)], args=[expected, value, self._ttl_milliseconds])
        return bool(kept)

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Delete a state of any version.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with self._redis.call("delete a state", Call.SAVE):
            await self._redis.client.delete(_key(stream, name))

    def retain(self, models: Container[ModelKey]) -> None:
        """Do nothing: states in Redis expire by themselves, and other processes may use them."""


def _key(stream: StreamKey, name: str) -> str:
    return f"{stream_key(stream)}:{name}"


def _state(value: bytes) -> State | None:
    found = _HEAD.match(value)
    return None if found is None else State(value[found.end() :], int(found[1]))
