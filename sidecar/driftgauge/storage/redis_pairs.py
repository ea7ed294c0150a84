"""The store of halves in Redis, since the halves of one inference may reach different replicas.

`redis_pair_layout` defines the format.
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from driftgauge.storage.pairs import Half, PutResult
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_pair_layout import PUT, UNPAIRED, last_call_key, place, read_replies, slot_milliseconds
from driftgauge.storage.replaced_keys import ReplacedKeys


class RedisPairs:
    """A `PairStore` of many small hashes. Only one of several replicas completes a pair.

    Args:
        redis: The connection, which its owner closes. All keys of a command have one hash tag, so the client of a
            cluster works too.
        ttl_seconds: How long a half waits. A pair expires 1.45 to 1.95 times this time after its last change, so that
            `unpaired` still finds it after `ttl_seconds`. All replicas should have the same: where two differ, some
            pairs expire earlier.
        on_replaced: Called for each key of another type, which another program has written, and which was deleted.

    Notes:
        EVAL and not EVALSHA: a script that the server has lost would cost a second round trip, and the pipeline of a
        cluster has no EVALSHA. One script for all halves of a hash tag: Redis computes a digest of the script's text
        for each EVAL, which costs more than one half.
    """

    def __init__(self, redis: BoundedRedis, ttl_seconds: float, on_replaced: Callable[[], None] = lambda: None) -> None:
        self._redis = redis
        self._slot_milliseconds = slot_milliseconds(ttl_seconds)
        self._replaced_keys = ReplacedKeys("pairs", on_replaced)
        self._writer = secrets.token_hex(8)
        self._number = 0
        self._turn = asyncio.Lock()

    async def put(self, halves: Sequence[Half], *, again: bool = False) -> list[PutResult]:
        """Store halves, in order and in one round trip. After a connection error, the call is repeated.

        Raises:
            StorageError: Redis is away, slow or refuses. Some of the halves may have been stored.
        """
        groups = _by_tag(halves)
        replies = await self._evaluate(Call.PAIR, "put halves", PUT, groups, again=again)
        results = {
            index: result
            for group, reply in zip(groups, replies, strict=True)
            for index, result in zip(group.indexes, read_replies(reply), strict=True)
        }
        return [results[index] for index in range(len(halves))]

    async def unpaired(self, halves: Sequence[Half], *, remove: bool = False, again: bool = False) -> int:
        """Count the halves that are still alone or have expired, in one round trip.

        Raises:
            StorageError: Redis is away, slow or refuses. Some of the halves may have been removed.
        """
        groups = _by_tag(halves, int(remove))
        return sum(map(int, await self._evaluate(Call.UNPAIRED, "look for halves", UNPAIRED, groups, again=again)))

    async def _evaluate(
        self, call: Call, action: str, script: str, groups: "Sequence[_Group]", *, again: bool
    ) -> list[bytes]:
        """Evaluate a script once for each group, in one round trip. Returns what it replied for each group."""

        async def evaluate() -> list[tuple[list[bytes], bytes]]:
            pipeline = self._redis.client.pipeline(transaction=False)
            for group in groups:
                keys = [last_call_key(group.tag, self._writer), *group.keys]
                pipeline.eval(script, len(keys), *keys, self._number, self._slot_milliseconds, *group.arguments)
            return cast("list[tuple[list[bytes], bytes]]", await pipeline.execute())

        async with self._turn:  # Redis refuses a call after its successor
            self._number += not again
            replies = await self._redis.run(call, action, evaluate, repeatable=True)
        for key in itertools.chain.from_iterable(keys for keys, _ in replies):
            self._replaced_keys.add(key.decode())
        return [reply for _, reply in replies]


@dataclass(slots=True)
class _Group:
    """Halves of one hash tag: their indexes, keys and arguments."""

    tag: int
    arguments: list[bytes | int]
    indexes: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def _by_tag(halves: Sequence[Half], argument: int = 0) -> list[_Group]:
    groups: dict[int, _Group] = {}
    for index, half in enumerate(halves):
        tag, keys, arguments = place(half)
        group = groups.get(tag) or groups.setdefault(tag, _Group(tag, [argument]))
        group.indexes.append(index)
        group.keys.extend(keys)
        group.arguments.extend(arguments)
    return list(groups.values())
