"""The states in Redis: they outlive a pod and are shared by replicas.

One state is one string under its stream's key, a colon and its name, and so in the slot of its stream: the
version as a decimal without leading zeros, a line feed, and the blob as it was given.
"""

import re
from typing import cast

from redis.asyncio import Redis, RedisCluster

from driftgauge.storage.redis_client import bounded
from driftgauge.storage.redis_layout import stream_key
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.states import State

_HEAD = re.compile(rb"([1-9][0-9]{0,17})\n")
# Only the head is looked at, since a blob may be large; what has none counts as nothing, as where it is loaded.
_SAVE = r"""
local head = redis.call('GETRANGE', KEYS[1], 0, 18)
local version = string.match(head, '^([1-9]%d*)\n') or '0'
if version ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisStates:
    """A `StateStore` of one string per state; of two replicas that save on one version, one is kept.

    Args:
        client: Answers bytes. One key per command, so a cluster's client will do. It is the ring's too, which
            closes it.
        ttl_seconds: A state is forgotten so long after it was last saved or loaded.
        timeout_seconds: Bound of one call in all.
    """

    def __init__(self, client: Redis | RedisCluster, ttl_seconds: float, timeout_seconds: float) -> None:
        self._client = client
        self._ttl_milliseconds = round(ttl_seconds * 1000)
        self._timeout_seconds = timeout_seconds
        self._save = client.register_script(_SAVE)

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """What was saved last, whose life begins anew; `None` if there is nothing, or nothing of ours.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with bounded("load a state", self._timeout_seconds):
            value = await self._client.getex(_key(stream, name), px=self._ttl_milliseconds)
        return None if value is None else _state(cast("bytes", value))  # the client decodes nothing

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int) -> bool:
        """Keep a blob as version `expected + 1`, in place of version `expected`; whether it was kept.

        Raises:
            StorageError: Redis is away, slow or refuses. After a timeout the blob may have been kept.
        """
        value = b"%d\n%b" % (expected + 1, blob)
        async with bounded("save a state", self._timeout_seconds):
            kept = await self._save(keys=[_key(stream, name)], args=[expected, value, self._ttl_milliseconds])
        return bool(kept)

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Forget a state.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with bounded("delete a state", self._timeout_seconds):
            await self._client.delete(_key(stream, name))


def _key(stream: StreamKey, name: str) -> str:
    return f"{stream_key(stream)}:{name}"


def _state(value: bytes) -> State | None:
    found = _HEAD.match(value)
    return None if found is None else State(value[found.end() :], int(found[1]))
