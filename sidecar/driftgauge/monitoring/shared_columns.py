"""The columns of responses, shared by replicas: the one that evaluates a model may have seen none of its responses."""

import json
import logging
from collections.abc import Container
from typing import Protocol

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import StorageError
from driftgauge.features.output_columns import OutputLayout
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import StateStore

_log = logging.getLogger(__name__)

_STATE_NAME = "columns"

_REFRESH_SECONDS = 60.0
"""How often shared columns are saved, and loaded, again: so they do not expire, and new ones become known."""


class NewestColumns(Protocol):
    """What the columns of a model's newest rows are."""

    def get(self, model: ModelKey) -> OutputLayout | None:
        """The columns; `None` before the first row."""


class SharedColumns:
    """Knows the columns of responses: those that this replica has seen, else those that another one has shared.

    Args:
        states: Where they are shared.
        outputs: The columns that this replica has seen.
    """

    def __init__(self, states: StateStore, outputs: NewestColumns) -> None:
        self._states = states
        self._outputs = outputs
        self._saved: dict[StreamKey, tuple[tuple[str, ...], float]] = {}
        self._loaded: dict[StreamKey, tuple[OutputLayout, float]] = {}

    async def share(self, stream: StreamKey, now: float) -> None:
        """Save the columns that this replica has seen, unless it did so in the last minute. Never raises.

        Args:
            stream: The responses of one model.
            now: Seconds since the epoch.
        """
        layout = self._outputs.get(stream.model)
        if layout is None:
            return
        columns, saved_at = self._saved.get(stream, ((), 0.0))
        if columns == layout.columns and abs(now - saved_at) < _REFRESH_SECONDS:
            return
        self._saved[stream] = layout.columns, now
        try:
            state = await self._states.load(stream, _STATE_NAME)
            await self._states.save(stream, _STATE_NAME, pack_columns(layout), 0 if state is None else state.version)
        except StorageError as error:
            del self._saved[stream]
            _log.debug("the columns of the responses of %s are not shared: %s", stream.model, error)

    async def find(self, stream: StreamKey, now: float) -> OutputLayout | None:
        """The columns of a stream; `None` if no replica has shared any.

        Args:
            stream: The responses of one model.
            now: Seconds since the epoch.

        Raises:
            StorageError: The store is unreachable.
        """
        own = self._outputs.get(stream.model)
        if own is not None:
            return own
        loaded, loaded_at = self._loaded.get(stream, (None, 0.0))
        if loaded is not None and abs(now - loaded_at) < _REFRESH_SECONDS:
            return loaded
        state = await self._states.load(stream, _STATE_NAME)
        layout = None if state is None else unpack_columns(state.blob)
        if layout is not None:
            self._loaded[stream] = layout, now
        return layout

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the columns of models that are not in `models`."""
        for known in (self._saved, self._loaded):
            for stream in [stream for stream in known if stream.model not in models]:
                del known[stream]


def pack_columns(layout: OutputLayout) -> bytes:
    """The bytes of columns, as JSON."""
    texts = [[code, text] for code, text in layout.categories.items()]
    return json.dumps([layout.columns, layout.kinds, texts]).encode("utf-8", "surrogatepass")


def unpack_columns(blob: bytes) -> OutputLayout | None:
    """The columns of bytes; `None` if these are not as `pack_columns` makes them."""
    try:
        columns, kinds, texts = json.loads(blob)
        layout = OutputLayout(
            tuple(map(str, columns)), tuple(map(FeatureKind, kinds)), {float(code): str(text) for code, text in texts}
        )
    except (ValueError, TypeError, OverflowError, RecursionError):  # the last one for JSON that is nested too deeply
        return None
    return layout if len(layout.columns) == len(layout.kinds) > 0 else None
