"""The states in Redis: they survive a restart and are shared by replicas.

One state is one string. Its key is the key of the stream, a colon and the name of the state, so it lies in the cluster
slot of the stream. Its value is the version as a decimal number without leading zeros, a line feed, and the blob.
"""

import re
from collections.abc import Callable, Container
from typing import cast

from redis.exceptions import ReadOnlyError, ResponseError

from driftgauge.errors import LeaseLostError
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import model_key, stream_key
from driftgauge.storage.redis_leases import LEASE
from driftgauge.storage.replaced_keys import ReplacedKeys
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import State

_HEAD = re.compile(rb"([1-9][0-9]{0,17})\n")

# Reads the version only, since a blob may be large. A value without a version, and one of another type (an error, which
# is a table), count as no state, as in `load`.
_SAVE = r"""
if ARGV[4] ~= '' and redis.pcall('GET', KEYS[2]) ~= ARGV[4] then return -1 end
local head = redis.pcall('GETRANGE', KEYS[1], 0, 18)
if type(head) ~= 'string' and not string.find(head.err, 'WRONGTYPE') then return head end
local version = type(head) == 'string' and string.match(head, '^([1-9]%d*)\n') or '0'
if version ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisStates:
    """A `StateStore` of one string per state. If two replicas save on one version, one save is kept.

    Args:
        redis: The connection, which its owner closes. The keys of a command are in one slot, so the client of a cluster
            works too.
        ttl_seconds: A state expires this long after it was last saved or loaded.
        on_replaced: Called for each key that had no state and was deleted.
    """

    def __init__(self, redis: BoundedRedis, ttl_seconds: float, on_replaced: Callable[[], None] = lambda: None) -> None:
        self._redis = redis
        self._replaced_keys = ReplacedKeys("state", on_replaced)
        self._ttl_milliseconds = round(ttl_seconds * 1000)
        self._save = redis.client.register_script(_SAVE)

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """Read the newest state and restart its time to live; `None` if there is none.

        Another program's value is deleted: it would be read again at each evaluation, and never be of use.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        key = _key(stream, name)
        async with self._redis.call("load a state", Call.LOAD, key):
            value = await self._read(key)
            state = None if value is None else _state(value)
            if state is None and value is not None:
                await self._redis.client.delete(key)
                self._replaced_keys.add(key)
        return state

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int, token: str = "") -> bool:
        """Save a blob as version `expected + 1`, in place of version `expected`. Returns whether it was saved.

        Raises:
            StorageError: Redis is away, slow or refuses. After a timeout the blob may have been saved.
            LeaseLostError: The lease of the model does not have this token.
        """
        value = b"%d\n%b" % (expected + 1, blob)
        keys = [_key(stream, name), model_key(stream.model, LEASE)]
        async with self._redis.call("save a state", Call.SAVE, keys[0]):
            saved = await self._save(keys=keys, args=[expected, value, self._ttl_milliseconds, token])
        if int(saved) < 0:
            raise LeaseLostError(f"the lease of {stream.model} has ended")
        return bool(saved)

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Delete a state of any version.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with self._redis.call("delete a state", Call.SAVE, _key(stream, name)):
            await self._redis.client.delete(_key(stream, name))

    async def _read(self, key: str) -> bytes | None:
        """The value of a key; empty if it is of another type."""
        client = self._redis.client
        try:
            try:
                value = await client.getex(key, px=self._ttl_milliseconds)
            except ReadOnlyError:  # a replica, which changes no time to live
                value = await client.get(key)
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            return b""
        return cast("bytes | None", value)  # the client decodes nothing

    def retain(self, models: Container[ModelKey]) -> None:
        """Do nothing: states in Redis expire by themselves, and other processes may use them."""


def _key(stream: StreamKey, name: str) -> str:
    return f"{stream_key(stream)}:{name}"


def _state(value: bytes) -> State | None:
    found = _HEAD.match(value)
    return None if found is None else State(value[found.end() :], int(found[1]))
