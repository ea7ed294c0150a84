"""When outcomes are looked at before their time: labels come in lumps, and only so many rows are kept."""

from collections.abc import Container, Sequence
from typing import Final, final

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.ring import RingBuffer, StreamKey, kept_rows

DUE_SHARE: Final = 0.25
"""The share of the rows that a stream keeps from which on it is looked at early. Those who match labels wait at twice
as many (`labels/pace.py`), so that a look begins before they wait."""

_UNKNOWN: Final = 0
"""The columns of outcomes before the first look at them: then no more than one window counts as kept."""

_ASKED_AT_ONCE: Final = 200
"""Most models that are asked for in one call: 2 ms of Redis and as much to read the reply."""


@final
class EarlyLooks:
    """Knows of the models that this replica evaluates how many outcomes no look has read.

    An early look changes nothing but when rows are fed. The evidence grows by the time of the responses, and never by
    more than has passed, so that it may be compared with the threshold at any moment: the promise is of the time to the
    first alarm, not of the number of looks (`drift/detector`).

    Args:
        ring: The store of the outcomes.
        window_rows: Rows of a window.
    """

    def __init__(self, ring: RingBuffer, window_rows: int) -> None:
        self._ring = ring
        self._window_rows = window_rows
        self._widths: dict[ModelKey, int] = {}

    async def begin(self, model: ModelKey, layout: LabelLayout) -> int:
        """Note that a model takes labels. Returns the number of its newest outcome, which a look that begins now reads.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        self._widths[model] = layout.width
        return (await self._ring.progress([StreamKey(model, Kind.OUTCOME)]))[0].appended

    async def end(self, model: ModelKey, appended: int) -> None:
        """Note that a look has read the outcomes up to this one, and that this is saved.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        await self._ring.note_looked(StreamKey(model, Kind.OUTCOME), appended)

    async def due(self, models: Sequence[ModelKey]) -> list[ModelKey]:
        """Those of these models of whose kept rows a quarter is unread. At most 200 are asked for, each in its turn.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        for model in models:
            self._widths.setdefault(model, _UNKNOWN)
        wanted = frozenset(models)
        asked = [model for model in self._widths if model in wanted][:_ASKED_AT_ONCE]
        if not asked:
            return []
        for model in asked:  # the others come first the next time
            self._widths[model] = self._widths.pop(model)
        found = await self._ring.progress([StreamKey(model, Kind.OUTCOME) for model in asked])
        return [
            model
            for model, progress in zip(asked, found, strict=True)
            if progress.unread >= DUE_SHARE * self._kept_rows(model)
        ]

    def _kept_rows(self, model: ModelKey) -> int:
        width = self._widths[model]
        return self._window_rows if width == _UNKNOWN else kept_rows(Kind.OUTCOME, self._window_rows, width)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget models that are not in `models`."""
        self._widths = {model: width for model, width in self._widths.items() if model in models}
