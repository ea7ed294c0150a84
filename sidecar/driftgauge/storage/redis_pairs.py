"""The store of halves in Redis, since the halves of one inference may reach different replicas.

`redis_pair_layout` defines the format.
"""

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

from driftgauge.storage.pairs import Half, PutResult
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_pair_layout import PUT, UNPAIRED, place, read_reply, slot_milliseconds

_log = logging.getLogger(__name__)


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
        self._on_replaced = on_replaced

    async def put(self, halves: Sequence[Half], *, again: bool = False) -> list[PutResult]:
        """Store halves, in order and in one round trip. After a connection error, they are put again.

        Raises:
            StorageError: Redis is away, slow or refuses. Some of the halves may have been stored.
        """
        attempts = 0

        async def put() -> dict[int, PutResult]:
            nonlocal attempts
            attempts += 1
            groups = _by_tag(halves)
            replies = await self._evaluate(PUT, groups, again or attempts > 1)
            return {
                index: read_reply(reply)
                for (indexes, _, _), result in zip(groups, replies, strict=True)
                for index, reply in zip(indexes, result, strict=True)
            }

        results = await self._redis.run(Call.PAIR, "put halves", put, repeatable=True)
        return [results[index] for index in range(len(halves))]

    async def unpaired(self, halves: Sequence[Half], *, remove: bool = False) -> int:
        """Count the halves that are still alone or have expired, in one round trip.

        Raises:
            StorageError: Redis is away, slow or refuses.
        """

        async def count() -> int:
            return sum(await self._evaluate(UNPAIRED, _by_tag(halves), remove))

        return await self._redis.run(Call.UNPAIRED, "look for halves", count, repeatable=True)

    async def _evaluate(self, script: str, groups: "list[_Group]", flag: bool) -> list[Any]:  # noqa: FBT001 an argument of the script
        """Evaluate a script once for each group, in one round trip. Returns what it replied for each group."""
        pipeline = self._redis.client.pipeline(transaction=False)
        for _, keys, arguments in groups:
            pipeline.eval(script, len(keys), *keys, self._slot_milliseconds, int(flag), *arguments)
        replies = cast("list[tuple[list[bytes], Any]]", await pipeline.execute())
        for key in itertools.chain.from_iterable(keys for keys, _ in replies):
            _log.warning("the key %r in Redis is of another program; it is replaced", key)
            self._on_replaced()
        return [reply for _, reply in replies]


_Group = tuple[list[int], list[str], list[bytes]]
"""Halves of one hash tag: their indexes, keys and arguments."""


def _by_tag(halves: Sequence[Half]) -> list[_Group]:
    groups: dict[int, _Group] = {}
    for index, half in enumerate(halves):
        tag, keys, arguments = place(half)
        group = groups.setdefault(tag, ([], [], []))
        group[0].append(index)
        group[1].extend(keys)
        group[2].extend(arguments)
    return list(groups.values())
