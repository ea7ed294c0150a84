"""The leases in Redis, by the lock of redis-py.

The keys of a model are in the cluster slot of its streams: `driftgauge:{<model>}:lease` is a lock whose value is the
token of the term, `:wish` the newest wish, `:notice` what the holder has published. All expire by themselves.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Container, Sequence
from typing import cast

from redis.asyncio import RedisCluster
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, ResponseError

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.leases import Lease, StoreClock, Wish
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_layout import model_key
from driftgauge.storage.redis_servers import group_by_server
from driftgauge.storage.replaced_keys import ReplacedKeys

_log = logging.getLogger(__name__)

LEASE, WISH, NOTICE = "lease", "wish", "notice"

_CLOCK_SECONDS = 10
"""How often the time of the server is read."""

_NO_TIME_TO_LIVE = -1
"""What PTTL replies for a key that never expires."""

_MAX_TOKEN_CHARS = 200


class RedisLeases:
    """A `LeaseStore` of one lock per model.

    Args:
        redis: The connection, which its owner closes.
        lease_seconds: How long a term lasts after it began or was extended.
        clock: Adjusted to the time of the server.
        on_replaced: Called for each key that had no lease and was deleted.
    """

    def __init__(
        self,
        redis: BoundedRedis,
        lease_seconds: float,
        clock: StoreClock,
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis = redis
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._replaced_keys = ReplacedKeys("lease", on_replaced)
        self._locks: dict[ModelKey, Lock] = {}
        self._next_time = -math.inf

    @property
    def is_divided(self) -> bool:
        """Whether it is a cluster: its slots fail alone."""
        return self._redis.is_divided

    async def look(self, models: Sequence[ModelKey]) -> list[Lease]:
        """Read the leases of these models with one call, and now and then the time of a server that has replied.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        leases = await self._look(models)
        now = asyncio.get_running_loop().time()
        if models and now >= self._next_time:
            self._next_time = now + _CLOCK_SECONDS
            await self._read_time(model_key(models[0], LEASE))
        return leases

    async def group(self, models: Sequence[ModelKey]) -> list[list[ModelKey]]:
        """The models whose leases are on one server, for each server.

        Raises:
            StorageError: No server of a cluster says which ones there are.
        """
        await self._redis.find_servers(Call.LEASE)
        groups = group_by_server(self._redis.client, [model_key(model, LEASE) for model in models])
        return [[models[index] for index in group] for group in groups]

    async def acquire(self, model: ModelKey, token: str) -> bool:
        """Begin a term, if no replica holds the lease.

        Raises:
            StorageError: Redis is away, slow or refuses. After a timeout the term may have begun.
        """
        async with self._redis.call("acquire a lease", Call.LEASE, model_key(model, LEASE)):
            lock = self._redis.client.lock(
                model_key(model, LEASE), timeout=self._lease_seconds, blocking=False, thread_local=False
            )
            self._locks[model] = lock
            acquired = await lock.acquire(token=token) or (
                await self._delete_foreign(model) and await lock.acquire(token=token)
            )
            if acquired:  # the wish is fulfilled, or will be renewed; it must not keep others waiting later
                await self._redis.client.delete(model_key(model, WISH))
            return acquired

    async def extend(self, model: ModelKey, token: str) -> bool:
        """Let a term last as long as if it had begun now.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """

        async def extend() -> bool:
            """Whether the lease was still ours."""
            try:
                return await self._lock(model, token).reacquire()  # unlike `extend`, also if it has no time to live
            except (LockError, ResponseError) as error:
                if isinstance(error, LockError) or _is_wrong_type(error):
                    return False
                raise

        return await self._redis.run(Call.LEASE, "extend a lease", extend, key=model_key(model, LEASE), repeatable=True)

    async def release(self, model: ModelKey, token: str) -> None:
        """End a term.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with self._redis.call("release a lease", Call.LEASE, model_key(model, LEASE)):
            try:
                await self._lock(model, token).release()
            except LockError:  # it has expired, or another replica holds it
                return
            finally:
                self._locks.pop(model, None)

    async def end_endless(self, model: ModelKey) -> None:
        """Delete a lease that has no time to live, such as one that another program has written.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        async with self._redis.call("look at a lease", Call.LEASE, model_key(model, LEASE)):
            is_endless = await self._redis.client.pttl(model_key(model, LEASE)) == _NO_TIME_TO_LIVE
        if is_endless:
            await self._delete_unreadable(model)

    async def wish(self, model: ModelKey, wish: Wish) -> None:
        """Replace the wish of a model.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """
        milliseconds = round(self._lease_seconds * 1_000)
        async with self._redis.call("save a wish", Call.LEASE, model_key(model, LEASE)):
            await self._redis.client.set(model_key(model, WISH), f"{wish.replica}/{wish.reference}", px=milliseconds)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the locks of models that are not in `models`; what is in Redis expires by itself."""
        for model in [model for model in self._locks if model not in models]:
            del self._locks[model]

    async def _read_time(self, key: str) -> None:
        """Adjust the clock to that of the server of a key; if it cannot be read, its last difference stays."""
        client = self._redis.client
        try:
            async with self._redis.call("read the time", Call.LEASE, key):
                node = {"target_nodes": client.get_node_from_key(key)} if isinstance(client, RedisCluster) else {}
                seconds, microseconds = await client.time(**node)
        except StorageError as error:
            _log.debug("the clock is not adjusted: %s", error)
            return
        self._clock.adjust(seconds + microseconds / 1_000_000)

    async def _look(self, models: Sequence[ModelKey]) -> list[Lease]:
        keys = [model_key(model, name) for model in models for name in (LEASE, WISH, NOTICE)]
        values = await read_many(self._redis, Call.LEASE, "read leases", keys)
        leases = []
        for model, token, wish, notice in zip(models, values[::3], values[1::3], values[2::3], strict=True):
            if token is not None and not _is_token(token):
                await self._try_to_delete(model)
            readable = token is not None and _is_token(token)
            leases.append(Lease(_text(token) if readable else "", _wish(wish), notice or b""))
        return leases

    def _lock(self, model: ModelKey, token: str) -> Lock:
        """The lock of a term; of one whose acquisition got no reply, a new one."""
        lock = self._locks.get(model)
        if lock is None:
            lock = self._locks[model] = self._redis.client.lock(
                model_key(model, LEASE), timeout=self._lease_seconds, blocking=False, thread_local=False
            )
        lock.local.token = token.encode()
        return lock

    async def _delete_foreign(self, model: ModelKey) -> bool:
        """Delete a key of another type, which no look shows and no acquisition replaces; returns whether it was one."""
        try:
            await self._redis.client.get(model_key(model, LEASE))
        except ResponseError as error:
            if not _is_wrong_type(error):
                raise
            await self._redis.client.delete(model_key(model, LEASE))
            self._replaced_keys.add(model_key(model, LEASE))
            return True
        return False

    async def _try_to_delete(self, model: ModelKey) -> None:
        """Delete a value that is no token; if it cannot be deleted, the next look tries again."""
        try:
            await self._delete_unreadable(model)
        except StorageError as error:
            _log.debug("the lease of %s has no token and is not deleted: %s", model, error)

    async def _delete_unreadable(self, model: ModelKey) -> None:
        async with self._redis.call("delete a key that is no lease", Call.LEASE, model_key(model, LEASE)):
            await self._redis.client.delete(model_key(model, LEASE))
        self._replaced_keys.add(model_key(model, LEASE))


async def read_many(redis: BoundedRedis, call: Call, action: str, keys: Sequence[str]) -> list[bytes | None]:
    """Read the values of keys in any slots; `None` where there is none, or where it is no string.

    Args:
        redis: The connection.
        call: The kind of the call.
        action: What is read, as it reads after "Redis could not".
        keys: The keys.

    Raises:
        StorageError: Redis is away, slow or refuses.
    """
    client = redis.client
    read = client.mget_nonatomic if isinstance(client, RedisCluster) else client.mget

    async def get() -> list[bytes | None]:
        """The values."""
        return cast("list[bytes | None]", await read(keys))  # the client decodes nothing

    return await redis.run(call, action, get, key=keys[0], repeatable=True) if keys else []


def _is_wrong_type(error: Exception) -> bool:
    return "WRONGTYPE" in str(error)


def _is_token(value: bytes) -> bool:
    """Whether a value has the form `<replica>/<term>`; all other values are of other programs."""
    replica, slash, term = value.partition(b"/")
    return bool(slash) and len(value) <= _MAX_TOKEN_CHARS and replica.isalnum() and term.isalnum()


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("ascii", "replace")


def _wish(value: bytes | None) -> Wish | None:
    replica, slash, reference = _text(value).partition("/")
    usable = slash and replica.isalnum() and len(reference) <= _MAX_TOKEN_CHARS
    return Wish(replica, reference) if usable else None
