"""How fast labels are matched: no faster than the outcomes that they make are looked at, so that none is missed."""

import math
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Final, final

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.ring import RingBuffer, StreamKey, kept_rows

_FULL_SHARE: Final = 0.5
"""The share of the rows that a stream keeps of which so many are unread that labels wait. The other half is for
what replicas append before each of them knows, and for rows that one look reads while others come."""

_STEPS: Final = 20
"""Into so many parts what a stream keeps is divided: after each part of its own rows a process asks how many are
unread. So up to ten processes together never exceed what is kept."""

ASK_SECONDS: Final = 1.0
"""How often a process that waits asks."""


@dataclass(slots=True)
class _ModelPace:
    """What is known of one model.

    Args:
        allowed: Rows that may be appended before the next question.
        next_question: When to ask next if none may be, by the clock.
        looked: The newest row that a look has read, as far as is known.
        since: Since when labels wait and no look has read any row; `None` if they do not wait.
    """

    allowed: int = 0
    next_question: float = -math.inf
    looked: int = -1
    since: float | None = None


@final
class LabelPace:
    """Says how many rows of outcomes a process may append now.

    Labels wait while too many outcomes are unread. If no look reads any for some minutes, whoever evaluates them has
    ended, or takes no labels: then they go on until the next look, and what is not kept counts as skipped.

    Args:
        ring: The store of the outcomes.
        window_rows: Rows of a window.
        wait_seconds: How long labels wait without any look.
        clock: Monotonic time in seconds.
    """

    def __init__(self, ring: RingBuffer, window_rows: int, wait_seconds: float, clock: Callable[[], float]) -> None:
        self._ring = ring
        self._window_rows = window_rows
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._models: dict[ModelKey, _ModelPace] = {}

    async def allowed(self, model: ModelKey, width: int | None) -> int:
        """How many outcomes of a model may be appended now; 0 if its labels are to wait.

        Args:
            model: The model.
            width: Columns of a row of its outcomes; `None` if unknown: then no more than a window counts as kept.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        known = self._models.setdefault(model, _ModelPace())
        if known.allowed > 0:
            return known.allowed
        now = self._clock()
        if now < known.next_question:
            return 0
        progress = (await self._ring.progress([StreamKey(model, Kind.OUTCOME)]))[0]
        kept = self._window_rows if width is None else kept_rows(Kind.OUTCOME, self._window_rows, width)
        step, free = max(1, kept // _STEPS), math.ceil(_FULL_SHARE * kept) - progress.unread
        if progress.looked != known.looked or free > 0:
            known.looked, known.since = progress.looked, None
        if free > 0:
            known.allowed = min(free, step)
        else:
            known.since = now if known.since is None else known.since
            known.allowed = step if now - known.since >= self._wait_seconds else 0
            known.next_question = now + ASK_SECONDS
        return known.allowed

    def note(self, model: ModelKey, rows: int) -> None:
        """Note that so many outcomes of a model were appended."""
        known = self._models.get(model)
        if known is not None:
            known.allowed = max(0, known.allowed - rows)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget models that are not in `models`."""
        self._models = {model: known for model, known in self._models.items() if model in models}
