"""The states in this process's memory: for one replica, and states that need not outlive it."""

from sidecar.storage.ring import StreamKey
from sidecar.storage.states import State


class MemoryStates:
    """A `StateStore` in memory; nothing expires."""

    def __init__(self) -> None:
        self._states: dict[tuple[StreamKey, str], State] = {}

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """What was saved last; `None` if there is nothing."""
        return self._states.get((stream, name))

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int) -> bool:
        """Keep a blob as version `expected + 1`, in place of version `expected`; whether it was kept."""
        known = self._states.get((stream, name))
        if expected != (0 if known is None else known.version):
            return False
        self._states[stream, name] = State(bytes(blob), expected + 1)
        return True

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Forget a state."""
        self._states.pop((stream, name), None)
