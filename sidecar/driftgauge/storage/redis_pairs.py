"""The store of halves in Redis, since the halves of one inference may reach different replicas.

`redis_pair_layout` defines the format.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from driftgauge.errors import StorageError
from driftgauge.storage.pairs import Arrival, Half, PutResult
from driftgauge.storage.redis_client import BoundedRedis, Call
from driftgauge.storage.redis_pair_layout import (
    OWNER_BYTES,
    PUT,
    REMOVE,
    half_id,
    place,
    read_replies,
    read_reports,
    settled_by,
    slot_milliseconds,
    tag_keys,
    tag_of,
)
from driftgauge.storage.redis_servers import group_by_server
from driftgauge.storage.replaced_keys import ReplacedKeys

_REPORT_SECONDS = 0.25
"""Reports about halves that wait are taken no more often than this: the more often, the fewer does a Redis lose that
loses its data."""


class RedisPairs:
    """A `PairStore` of many small hashes. Only one of several replicas completes a pair.

    A half is open from its put until this process learns that it was completed or replaced, or removes it. What
    another replica did to it, that replica has written down for this process in the same step; so a half that is open
    when it is removed was counted by no other, whether Redis still has it or not.

    Args:
        redis: The connection, which its owner closes. All keys of a command have one hash tag, so the client of a
            cluster works too.
        ttl_seconds: How long a half waits. A pair expires 1.45 to 1.95 times this time after its last change, so that
            its other half still finds it after `ttl_seconds`. All replicas should have the same: where two differ,
            some pairs expire earlier.
        on_replaced: Called for each key of another type, which another program has written, and which was deleted.
        clock: Monotonic time in seconds.

    Notes:
        EVAL and not EVALSHA: a script that the server has lost would cost a second round trip, and the pipeline of a
        cluster has no EVALSHA. One script for all halves of a hash tag: Redis computes a digest of the script's text
        for each EVAL, which costs more than one half.
    """

    def __init__(
        self,
        redis: BoundedRedis,
        ttl_seconds: float,
        on_replaced: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds
        self._slot_milliseconds = slot_milliseconds(ttl_seconds)
        self._replaced_keys = ReplacedKeys("pairs", on_replaced)
        self._clock = clock
        self._owner = secrets.token_bytes(OWNER_BYTES)
        self._number = 0
        self._replies: dict[int, bytes] = {}
        self._turn = asyncio.Lock()
        self._groups: list[_Group] = []
        self._results: list[PutResult] | None = None
        self._removed: int | None = None
        self._open: Counter[bytes] = Counter()
        self._open_until: dict[int, float] = {}
        self._asked_at: dict[int, float] = {}

    async def put(self, halves: Sequence[Half], *, again: bool = False) -> list[PutResult]:
        """Store halves, in order and in one round trip to each server, and learn what became of those that wait.

        Raises:
            StorageError: Redis is away, slow or refuses. Some of the halves may have been stored.
        """
        async with self._turn:  # Redis refuses a call after its successor
            if again and self._results is not None:
                return self._results
            groups = self._groups if again else [*(groups := _by_tag(halves)).values(), *self._silent_tags(groups)]
            if not groups:
                return []
            replies = await self._evaluate(Call.PAIR, "put halves", PUT, groups, again=again)
            results = {
                index: result
                for group, reply in zip(groups, replies, strict=True)
                for index, result in zip(group.indexes, read_replies(reply), strict=True)
            }
            self._results = [self._note(half, results[index]) for index, half in enumerate(halves)]
            return self._results

    async def remove(self, halves: Sequence[Half], *, again: bool = False) -> int:
        """Remove halves of this process, in one round trip to each server; returns how many of them were open.

        Raises:
            StorageError: Redis is away, slow or refuses. Some of the halves may have been removed.
        """
        async with self._turn:
            if again and self._removed is not None:
                return self._removed
            still_open = [half for half in halves if half_id(half) in self._open]
            groups = self._groups if again else list(_by_tag(still_open).values())
            if groups:
                await self._evaluate(Call.UNPAIRED, "remove halves", REMOVE, groups, again=again)
            self._removed = self.forget(halves)
            return self._removed

    def forget(self, halves: Sequence[Half]) -> int:
        """Forget halves of this process without a call; returns how many of them were open."""
        return sum(self._close(half_id(half)) for half in halves)

    def _close(self, id_: bytes) -> bool:
        """Note that a half is not open any more; returns whether it was."""
        number = self._open.get(id_, 0)
        if number > 1:  # Redis had forgotten the first one, and this process has put it again
            self._open[id_] = number - 1
        else:
            self._open.pop(id_, None)
        return number > 0

    def _note(self, half: Half, result: PutResult) -> PutResult:
        """Note which halves of this process are open now; returns the result."""
        waited = settled_by(half, result)
        if waited is not None:
            self._close(waited)
        if result.arrival is Arrival.FIRST:
            self._open[half_id(half)] += 1
            self._open_until[tag_of(half)] = self._clock() + 2 * self._ttl_seconds
        return result

    def _silent_tags(self, groups: Container[int]) -> "Iterator[_Group]":
        """Groups without halves for the tags that may have reports and were not asked lately."""
        now = self._clock()
        for tag, until in list(self._open_until.items()):
            if until <= now:
                del self._open_until[tag]
            elif tag not in groups and self._asked_at.get(tag, 0.0) + _REPORT_SECONDS <= now:
                yield _Group(tag)

    async def _evaluate(
        self, call: Call, action: str, script: str, groups: "list[_Group]", *, again: bool
    ) -> list[bytes]:
        """Evaluate a script once for each group, in one round trip to each server. Returns what it replied for each.

        The servers of a cluster are asked side by side, each with its own time limit. If one fails, the others have
        replied nevertheless, and only that one is asked when the call is repeated.
        """
        if not again:
            self._groups, self._results, self._removed = groups, None, None
            self._number += 1
            self._replies.clear()
        await self._redis.find_servers(call)
        left = [group for group in groups if group.tag not in self._replies]
        parts = group_by_server(self._redis.client, [self._key(group) for group in left])
        asks = (self._ask(call, action, script, [left[index] for index in part]) for part in parts)
        errors = [error for error in await asyncio.gather(*asks) if error is not None]
        if errors:
            raise errors[0]
        return [self._replies[group.tag] for group in groups]

    async def _ask(self, call: Call, action: str, script: str, groups: "Sequence[_Group]") -> StorageError | None:
        """Evaluate a script for the groups of one server, and keep what it replied. Returns why it did not."""

        async def evaluate() -> list[tuple[list[bytes], bytes, bytes]]:
            pipeline = self._redis.client.pipeline(transaction=False)
            for group in groups:
                keys = [*tag_keys(group.tag, self._owner), *group.keys]
                head = self._number, self._slot_milliseconds, self._owner
                pipeline.eval(script, len(keys), *keys, *head, *group.arguments)
            return cast("list[tuple[list[bytes], bytes, bytes]]", await pipeline.execute())

        try:
            replies = await self._redis.run(call, action, evaluate, key=self._key(groups[0]), repeatable=True)
        except StorageError as error:
            return error
        now = self._clock()
        for group, (replaced, reply, reports) in zip(groups, replies, strict=True):
            self._replies[group.tag] = reply
            self._asked_at[group.tag] = now
            for id_ in read_reports(reports):
                self._close(id_)
            for key in replaced:
                self._replaced_keys.add(key.decode())
        return None

    def _key(self, group: "_Group") -> str:
        """A key of a group, by which its server is found."""
        return tag_keys(group.tag, self._owner)[0]


@dataclass(slots=True)
class _Group:
    """Halves of one hash tag: their indexes, keys and arguments."""

    tag: int
    indexes: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    arguments: list[bytes] = field(default_factory=list)


def _by_tag(halves: Sequence[Half]) -> dict[int, _Group]:
    groups: dict[int, _Group] = {}
    for index, half in enumerate(halves):
        tag, keys, arguments = place(half)
        group = groups.get(tag) or groups.setdefault(tag, _Group(tag))
        group.indexes.append(index)
        group.keys.extend(keys)
        group.arguments.extend(arguments)
    return groups
