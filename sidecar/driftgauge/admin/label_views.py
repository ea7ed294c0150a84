"""What the admin port makes of labels on demand: the page's part on outcomes, and labelled predictions as a file."""

import math
from collections.abc import Callable, Sequence

from driftgauge.admin.joined_export import LabelledWindow
from driftgauge.admin.labelled_files import ModelInputs, as_csv, as_npz, labelled_rows
from driftgauge.concurrency.worker import Worker
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.monitoring.label_evaluator import LabelEvaluator
from driftgauge.monitoring.outcome_targets import LabelLayouts, OutcomeTargets
from driftgauge.page.outcome_part import OutcomePart
from driftgauge.page.outcome_words import duration
from driftgauge.results.latest_outcomes import LatestOutcomes

CSV, NPZ = "csv", "npz"
"""The formats of labelled predictions."""

CheckColumns = Callable[[Sequence[str]], None]
"""Refuses columns that may not leave the process."""

_MEDIAN, _MOST = 0.5, 0.9


class LabelViews:
    """Makes views of the labels of one model at a time.

    Args:
        evaluator: Reads windows.
        targets: Knows how outcome rows are made of.
        layouts: Has the texts of classes.
        latest: The newest results.
        counts: Has the delays of the labels that this process has matched.
        waiting: Returns how many labels of a model wait in this process: to be matched, and for their response.
    """

    def __init__(
        self,
        evaluator: LabelEvaluator,
        targets: OutcomeTargets,
        layouts: LabelLayouts,
        latest: LatestOutcomes,
        counts: LabelCounts,
        waiting: Callable[[ModelKey], tuple[int, int]],
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._layouts = layouts
        self._latest = latest
        self._counts = counts
        self._waiting = waiting

    def part(self, model: ModelKey) -> OutcomePart | None:
        """The page's part on a model's outcomes; `None` if it has none."""
        result = self._latest.result(model)
        if result is None:
            return None
        return OutcomePart(result, self._latest.reference(model), self._delays(model), self._waiting(model))

    async def capture(
        self,
        model: ModelKey,
        form: str,
        worker: Worker,
        inputs: ModelInputs | None,
        *,
        complete: bool,
        check_columns: CheckColumns,
    ) -> bytes | None:
        """Read the window of a model's labelled predictions as a file; returns `None` without rows.

        Args:
            model: The model.
            form: `csv` or `npz`.
            worker: Makes the file.
            inputs: The newest inputs; `None` if none are known.
            complete: Leave out the rows whose inputs are not kept any more.
            check_columns: Refuses columns that may not leave the process.

        Raises:
            RefusedColumnError: One of the columns may not.
            StorageError: The store is unreachable.
        """
        read = await self.read(model)
        if read is None or not len(read.window.rows):
            return None
        return await worker.run(_file, form, read, inputs, complete, check_columns)

    async def read(self, model: ModelKey) -> LabelledWindow | None:
        """Read the window of a model's labelled predictions; returns `None` if no response ever waited for a label.

        Raises:
            StorageError: The store is unreachable.
        """
        layout = await self._targets.layout(model)
        if layout is None:
            return None
        window = await self._evaluator.read_window(model, layout)
        newest = self._layouts.get(model)
        texts = {**({} if newest is None else newest.categories), **self._targets.texts(model)}
        return LabelledWindow(layout, window, texts)

    def _delays(self, model: ModelKey) -> str:
        """How long labels take to come, in words; empty before the first one."""
        half, most = (self._counts.delay_within(model, share) for share in (_MEDIAN, _MOST))
        if half is None or most is None:
            return ""
        return f"half of the labels come {_within(half)}, nine of ten {_within(most)} (those that this replica matched)"


def _within(seconds: float) -> str:
    return f"within {duration(seconds)}" if math.isfinite(seconds) else "later than 30 days"


def _file(
    form: str,
    read: LabelledWindow,
    inputs: ModelInputs | None,
    complete: bool,  # noqa: FBT001 - a thread is given places, not names
    check_columns: CheckColumns,
) -> bytes | None:
    labelled = labelled_rows(read.layout, read.window, read.texts, inputs, complete=complete)
    check_columns(labelled.columns)
    if not len(labelled.rows):
        return None
    return as_csv(labelled) if form == CSV else as_npz(labelled)
