"""Bounded copies of bodies, made while the bodies pass."""

from typing import final

from driftgauge.errors import Reason


@final
class MemoryBudget:
    """The memory that all body copies share.

    Args:
        size_bytes: How many bytes they may hold together.
    """

    def __init__(self, size_bytes: int) -> None:
        self.free_bytes = size_bytes


@final
class BodyCopy:
    """The copy of one body; it is given up, and never waits, when there is not enough memory.

    Args:
        budget: Where its bytes are counted.
        max_bytes: Longest body that is copied.

    Attributes:
        size_bytes: Length of the body so far, copied or not.
        loss: Why the copy was given up; `None` if it was not.
    """

    __slots__ = ("_budget", "_copied_bytes", "_max_bytes", "_pieces", "loss", "size_bytes")

    def __init__(self, budget: MemoryBudget, max_bytes: int) -> None:
        self.size_bytes = 0
        self.loss: Reason | None = None
        self._budget = budget
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._copied_bytes = 0

    def add(self, piece: bytes) -> None:
        """Copy a piece of the body, or give up the whole copy."""
        size, budget = len(piece), self._budget
        self.size_bytes += size
        if self.loss is not None:
            return
        if self.size_bytes > self._max_bytes:
            self.give_up(Reason.TOO_LARGE)
        elif size > budget.free_bytes:
            self.give_up(Reason.QUEUE_FULL)
        else:
            budget.free_bytes -= size
            self._copied_bytes += size
            self._pieces.append(piece)

    def give_up(self, reason: Reason) -> None:
        """Free the copy; only the first reason is kept."""
        self.loss = self.loss or reason
        self._free()

    def take(self) -> bytes:
        """Return the copy, which is no longer counted in the budget."""
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._free()
        return body

    def _free(self) -> None:
        self._budget.free_bytes += self._copied_bytes
        self._copied_bytes = 0
        self._pieces = []
