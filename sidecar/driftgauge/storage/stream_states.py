"""Named states of a stream, such as its detector. A protocol; its adapters are `MemoryStates` and `RedisStates`."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol

from driftgauge.inference.payload import ModelKey
from driftgauge.storage.ring import StreamKey


@dataclass(frozen=True, slots=True)
class State:
    """A saved state.

    Args:
        blob: The saved bytes, unchanged.
        version: 1 after the first save, and one more after each further save.
    """

    blob: bytes
    version: int


class StateStore(Protocol):
    """Keeps named blobs for each stream. Replicas that use the same store share them.

    All methods raise only `StorageError`, and `save` with a token `LeaseLostError`. Names consist of letters, digits
    and hyphens.

    Notes:
        A save names the version that it replaces (optimistic locking). If replicas build on the same version, one save
        succeeds; the other replicas get `False`, load the state, and build on it. After a flush there is no state, and
        after a failover that lost saves there is an older one. A save on a lost version then fails until another
        replica has reached that version again. In that case the save replaces the other replica's state as a whole;
        the two are never mixed.

        A save also names the term of the model's lease. A replica that was stopped for longer than its lease, and goes
        on in the middle of an evaluation, is refused.
    """

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """Read the newest state, and restart its time to live if states expire; `None` if there is none."""

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int, token: str = "") -> bool:
        """Save a blob as version `expected + 1`, in place of version `expected`.

        Args:
            stream: The stream that the state belongs to.
            name: The name of the state.
            blob: Any bytes.
            expected: The version that is replaced; 0 if there must be no state.
            token: The token of the term that the model's lease must have; empty if none is required.

        Returns:
            Whether it was saved. If not, the store has another version or none, and nothing was changed. After a
            `StorageError` it may have been saved: `load` shows it.

        Raises:
            LeaseLostError: The term has ended; nothing was changed.
        """

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Delete a state of any version. Deleting a missing state is no error."""

    def retain(self, models: Container[ModelKey]) -> None:
        """Free the memory of this process for models that are not in `models`. Never blocks, never raises."""
