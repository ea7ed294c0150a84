"""Where halves of inferences wait for their other half. A protocol; its adapters are `MemoryPairs` and `RedisPairs`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from driftgauge.inference.payload import Kind, ModelKey


class Half(NamedTuple):
    """One half of an inference: its request or its response.

    Args:
        key: Digest of (namespace, InferenceService, component, id, revision): of fixed length, since ids are untrusted.
        kind: Request or response.
        time: When it passed, in seconds since the epoch.
        model: Whose half it is, the same for all halves of a key. In memory, halves of one model do not displace those
            of another.
    """

    key: str
    kind: Kind
    time: float
    model: ModelKey | None = None


class Arrival(StrEnum):
    """What a half was when it was put into the store."""

    FIRST = "first"
    COMPLETED = "completed"
    DUPLICATE = "duplicate"


class PutResult(NamedTuple):
    """What happened to one half that was put into the store.

    Args:
        arrival: The half is the first of its pair, or completed it, or is a duplicate (same key, kind and time).
        other_time: Time of the half that waited, in seconds since the epoch, if this one completed or replaced it.
        replaced: This half replaced an older one of the same key and kind that was still alone (a client uses an
            id again). The older half will never be paired.
    """

    arrival: Arrival
    other_time: float | None = None
    replaced: bool = False


class PairStore(Protocol):
    """Remembers halves for a bounded time. Replicas that use the same store share them.

    A half that this process put as the first of its pair is open until some replica completes, replaces or removes it,
    and counts as unpaired only while it is open. So each half counts once, however late this process is.

    All methods raise only `StorageError`. A call that failed may have been executed in part. With `again` the same
    halves get what the last call would have returned, and nothing is done twice: without it, halves that were stored
    would be duplicates of themselves, and no replica would observe their latency.
    """

    async def put(self, halves: Sequence[Half], *, again: bool = False) -> list[PutResult]:
        """Store halves, in order. Returns one result per half; a pair is `completed` in one replica only.

        Args:
            halves: Any number. Without one, the store only learns what other replicas did to the halves that wait.
            again: Repeat the last call of this store, which was a put of the same halves and failed.
        """

    async def remove(self, halves: Sequence[Half], *, again: bool = False) -> int:
        """Remove halves that this process put; returns how many of them were open. No replica will pair these.

        A half that was replaced is not counted here: `PutResult.replaced` has reported it.

        Args:
            halves: Any number.
            again: Repeat the last call of this store, which had the same halves and failed.
        """

    def forget(self, halves: Sequence[Half]) -> int:
        """Forget halves that this process put, without a call; returns how many were open, as far as it knows."""
