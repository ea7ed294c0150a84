"""The rows of a model with predictions and labels, as the admin port serves them for `driftgauge export`."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from driftgauge.admin.allowed_columns import AllowedColumns
from driftgauge.admin.joined_export import LabelledWindow, WindowColumns, export_of
from driftgauge.concurrency.worker import Worker
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.shared_columns import NewestColumns
from driftgauge.monitoring.targets import Targets
from driftgauge.reference.dataset import schema_hash
from driftgauge.reference.exported_rows import pack_export
from driftgauge.storage.ring import StreamKey

if TYPE_CHECKING:
    from driftgauge.admin.label_views import LabelViews  # a process without labels saves its memory


class ExportView:
    """Makes the files of exports, one at a time: no more than one of each window of a model is in memory for them.

    Args:
        evaluator: Reads windows.
        targets: Knows the columns of each stream that is tested.
        outputs: Knows the columns of the newest responses.
        clock: Returns the time in seconds since the epoch.
        allowed: Which columns may leave the process.
        labels: Reads labelled predictions; `None` in a process that takes no labels.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        targets: Targets,
        outputs: NewestColumns,
        clock: Callable[[], float],
        allowed: AllowedColumns,
        *,
        labels: "LabelViews | None" = None,
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._outputs = outputs
        self._clock = clock
        self._allowed = allowed
        self._labels = labels
        self._turn = asyncio.Lock()
        self._worker = Worker("export")

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    async def export(self, model: ModelKey) -> bytes | None:
        """The file of a model's rows (`pack_export`); `None` without rows.

        Raises:
            RefusedColumnError: None of its columns may leave the process.
            StorageError: The store is unreachable.
        """
        async with self._turn:
            # In the opposite order of their arrival: what has come with a row is there if the row is.
            outcomes = None if self._labels is None else await self._labels.read(model)
            responses = await self._read(StreamKey(model, Kind.RESPONSE))
            if not responses.names:
                responses = await self._read_untested(model, outcomes)
            requests = await self._read(StreamKey(model, Kind.REQUEST))
            return await self._worker.run(_make_file, requests, responses, outcomes, model.revision, self._allowed)

    async def _read(self, stream: StreamKey) -> WindowColumns:
        """A window with its columns; without rows where the columns are not known."""
        target = await self._targets.get(stream, self._clock())
        if target is None:
            return WindowColumns()
        profiles = target.profiles
        return WindowColumns(
            tuple(profile.name for profile in profiles),
            tuple(profile.kind for profile in profiles),
            await self._evaluator.read_window(stream, target),
            {code: text for profile in profiles for code, text in profile.categories.items()},
            target.missing_words,
        )

    async def _read_untested(self, model: ModelKey, outcomes: LabelledWindow | None) -> WindowColumns:
        """The window of responses that nothing is there to compare with: the reference has none, and no baseline yet.

        Their columns are those of the newest response, or in a replica that has seen none those of the labels.
        """
        newest = self._outputs.get(model)
        names, kinds, texts = ((), (), {}) if newest is None else (newest.columns, newest.kinds, newest.categories)
        if not names and outcomes is not None:
            names, kinds = outcomes.layout.predictions, outcomes.layout.kinds
        if not names:
            return WindowColumns()
        stream = StreamKey(model, Kind.RESPONSE)
        window = await self._evaluator.read_rows(stream, schema_hash(names, kinds), len(names))
        return WindowColumns(names, kinds, window, texts)


def _make_file(
    requests: WindowColumns,
    responses: WindowColumns,
    outcomes: LabelledWindow | None,
    revision: str,
    allowed: AllowedColumns,
) -> bytes | None:
    rows = export_of(requests, responses, outcomes or LabelledWindow(), revision, allowed.allows)
    return None if rows is None else pack_export(rows)
