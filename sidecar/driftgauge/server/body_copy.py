"""Bounded copies of bodies as they pass by. This file does no I/O."""

from driftgauge.errors import Reason


class MemoryBudget:
    """The memory that all taps share.

    Args:
        size_bytes: How many bytes they may hold together.
    """

    def __init__(self, size_bytes: int) -> None:
        self.free_bytes = size_bytes


class BodyCopy:
    """The copy of one body; gives up, never waits, when it cannot hold it.

    Args:
        budget: Where its bytes are counted.
        max_bytes: Longest body that is kept.
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
        """Keep a piece of the body, or give all of it up."""
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
        """Free the copy; the first reason stands."""
        self.loss = self.loss or reason
        self._free()

    def body(self) -> bytes:
        """The copy, which is the caller's from now on and no longer counted here."""
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._free()
        return body

    def _free(self) -> None:
        self._budget.free_bytes += self._copied_bytes
        self._copied_bytes = 0
        self._pieces = []
