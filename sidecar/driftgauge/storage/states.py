"""What is kept beside a stream from one evaluation to the next. A protocol; its adapters are `memory` and `redis`."""

from dataclasses import dataclass
from typing import Protocol

from driftgauge.storage.ring import StreamKey


@dataclass(frozen=True, slots=True)
class State:
    """What was saved.

    Args:
        blob: The bytes, as they were given.
        version: 1 at first, and one more with each save.
    """

    blob: bytes
    version: int


class StateStore(Protocol):
    """Keeps named blobs beside each stream, shared by all replicas where the store is.

    All methods raise `StorageError` alone. Names are the code's own: letters, digits and hyphens.

    Notes:
        A save names the version that it replaces, so of replicas that build on the same state one is kept and
        the others hear that they came late: they load, and build on what they find. After a flush there is no
        state, and after a failover that lost saves there is an older one: no save on a version that is gone is
        kept until another replica has come as far again. Then the later save replaces the other replica's line
        with its own; the two are never mixed.
    """

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """What was saved last; `None` if there is nothing. Where states expire, its life begins anew."""

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int) -> bool:
        """Keep a blob as version `expected + 1`, in place of version `expected`.

        Args:
            stream: What it belongs to.
            name: Which of the stream's states.
            blob: Any bytes.
            expected: The version that it was built on; 0 if there must be none.

        Returns:
            Whether it was kept. If not, another version is there, or none; nothing was changed. After a
            `StorageError` it may have been kept: a load tells.
        """

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Forget a state, of whatever version; nothing happens if there is none."""
