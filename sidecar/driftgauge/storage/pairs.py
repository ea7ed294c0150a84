"""Where the halves of an inference wait for each other. A protocol; its adapters are `memory` and `redis`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from driftgauge.inference.payload import Kind


class Half(NamedTuple):
    """One half of an inference, as the pairing knows it.

    Args:
        key: Digest of (namespace, InferenceService, component, id): fixed length, since ids are untrusted.
        kind: Which half.
        time: When it passed, in seconds since the epoch.
    """

    key: str
    kind: Kind
    time: float


class Arrival(StrEnum):
    """What the arrival of a half meant."""

    FIRST = "first"
    COMPLETED = "completed"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class PutResult:
    """The answer to one half that was put.

    Args:
        arrival: First of its pair, the one that completed it, or seen before (same key, kind and time).
        other_time: Time of the other half, in seconds since the epoch, if `arrival` is completed.
        replaced: This half took the place of one of the same key and kind that was still alone
            (a client that uses an id again): the older one will never be paired.
    """

    arrival: Arrival
    other_time: float | None = None
    replaced: bool = False


class PairStore(Protocol):
    """Remembers halves for a bounded time, shared by all replicas where the store is.

    All methods raise `StorageError` alone.
    """

    async def put(self, halves: Sequence[Half]) -> list[PutResult]:
        """Store halves and say of each what it met; of two replicas only one hears `completed`."""

    async def unpaired(self, halves: Sequence[Half]) -> int:
        """How many of these halves are still alone by now, or forgotten.

        A half that was replaced is not counted: `PutResult.replaced` has told of it.
        """

    async def close(self) -> None:
        """Release what is held."""
