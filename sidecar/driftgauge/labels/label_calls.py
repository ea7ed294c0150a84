"""The calls to the store that match labels: at most one of each model at a time, made again when it failed."""

import math
from collections import deque
from collections.abc import Callable, Container, Sequence
from typing import Final, NamedTuple, final

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.labels.expected_outputs import ExpectedOutputs
from driftgauge.labels.label_queue import LabelQueue
from driftgauge.labels.label_results import LabelResults
from driftgauge.labels.waiting_label import WaitingLabel
from driftgauge.storage.labels import LabelLayout, LabelOutcome, LabelStore, Match, StoredLabel

_BATCH_LABELS: Final = 50
"""Most labels of one call to the store, so that Redis is busy for 2 ms at most."""

_LAYOUT_SECONDS: Final = 5.0
"""How long a model's layout is used before it is asked for again."""


class _Batch(NamedTuple):
    """Labels of one call whose results are unknown."""

    layout: LabelLayout
    waiting: Sequence[WaitingLabel]
    labels: Sequence[StoredLabel]


@final
class LabelCalls:
    """Takes labels from the queue, asks the store, and hands on what it says.

    Between two turns of the event loop each label is in one place: in the queue, sent (a call was begun, and its
    results are unknown), or where the results let it wait. Within a turn it may be in hand, on its way.

    Args:
        store: Has the responses.
        queue: Has the labels.
        results: Takes what the store says.
        clock: Monotonic time in seconds.
    """

    def __init__(self, store: LabelStore, queue: LabelQueue, results: LabelResults, clock: Callable[[], float]) -> None:
        self._store = store
        self._queue = queue
        self._results = results
        self._clock = clock
        self._sent: dict[ModelKey, _Batch] = {}
        self._in_hand: deque[WaitingLabel] = deque()
        self._layouts: dict[ModelKey, tuple[LabelLayout | None, float]] = {}

    def __len__(self) -> int:
        """How many labels are sent."""
        return sum(len(batch.waiting) for batch in list(self._sent.values()))  # a copy: a scrape asks in a thread

    def __contains__(self, model: ModelKey) -> bool:
        """Whether labels of a model are sent."""
        return model in self._sent

    def count(self, model: ModelKey) -> int:
        """How many labels of a model are sent."""
        batch = self._sent.get(model)
        return 0 if batch is None else len(batch.waiting)

    @property
    def models(self) -> list[ModelKey]:
        """The models that have labels which are sent."""
        return list(self._sent)

    def oldest(self, model: ModelKey) -> float:
        """When the first of the labels of a model that are sent came, in monotonic seconds; infinite without any."""
        batch = self._sent.get(model)
        return math.inf if batch is None else batch.waiting[0].offered

    def width(self, model: ModelKey) -> int | None:
        """Columns of a row of outcomes of a model, as far as its layout is known."""
        layout = self._layouts.get(model, (None, 0.0))[0]
        return None if layout is None else layout.width

    async def outputs(self, models: Sequence[ModelKey]) -> ExpectedOutputs:
        """The outputs that labels may be of, whichever of these models they are of."""
        layouts: list[LabelLayout | None] = []
        for model in models:
            try:
                layouts.append(await self._layout(model))
            except StorageError:
                layouts.append(None)  # it is asked again when the labels are matched
        return ExpectedOutputs.of(layouts)

    async def match_next(self, model: ModelKey, most: int) -> int:
        """Match the next labels of a model; first those whose results are unknown, which the store remembers.

        Args:
            model: The model.
            most: Most further labels.

        Returns:
            How many of them were judged.

        Raises:
            StorageError: The store failed. The labels of the call are sent, or still queued.
        """
        if model in self._sent:
            sent = self._sent[model]
            return self._record(model, sent, await self._store.match(model, sent.layout, sent.labels, again=True))
        layout = await self._layout(model)
        self._queue.move(model, min(most, _BATCH_LABELS), self._in_hand)
        batch = self._sort_out(model, layout)
        if batch is None:
            return 0
        return self._record(model, batch, await self._store.match(model, batch.layout, batch.labels))

    def give_up(self, model: ModelKey) -> None:
        """Count the labels of a call as dropped: they may have been matched, which no one can say any more."""
        batch = self._sent.pop(model, None)
        lost = len(self._in_hand) + (0 if batch is None else len(batch.waiting))
        self._in_hand.clear()
        self._results.drop(model, lost)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the layouts of models that are not in `models`."""
        self._layouts = {model: known for model, known in self._layouts.items() if model in models}

    def _sort_out(self, model: ModelKey, layout: LabelLayout | None) -> _Batch | None:
        """Of the labels in hand, send those that fit the model's outputs, as a batch; go on with the others."""
        stored = [None if layout is None else label.as_stored(layout) for label in self._in_hand]
        fitting = [(label, one) for label, one in zip(self._in_hand, stored, strict=True) if one is not None]
        others = [label for label, one in zip(self._in_hand, stored, strict=True) if one is None]
        self._in_hand = deque(others)
        batch = None
        if layout is not None and fitting:
            batch = self._sent[model] = _Batch(layout, [label for label, _ in fitting], [one for _, one in fitting])
        outcome = LabelOutcome.UNKNOWN if layout is None else LabelOutcome.MALFORMED
        while self._in_hand:
            self._results.go_on(self._in_hand[0], model, outcome, may_come=False, has_traffic=layout is not None)
            self._in_hand.popleft()
        return batch

    async def _layout(self, model: ModelKey) -> LabelLayout | None:
        known, until = self._layouts.get(model, (None, -math.inf))
        now = self._clock()
        if now < until and known is not None:
            return known
        layout = await self._store.layout(model)
        self._layouts[model] = layout, now + _LAYOUT_SECONDS
        return layout

    def _record(self, model: ModelKey, batch: _Batch, matches: Sequence[Match]) -> int:
        """Hand on the results of a call, unless its labels were counted meanwhile. Returns how many were judged.

        Raises:
            RuntimeError: The store returned another number of results. The labels are sent.
        """
        if self._sent.get(model) is not batch:
            return 0
        if len(matches) != len(batch.waiting):
            raise RuntimeError(f"the store returned {len(matches)} results for {len(batch.waiting)} labels")
        del self._sent[model]
        self._in_hand = deque(batch.waiting)
        others = self._results.settle(model, [*zip(batch.waiting, matches, strict=True)])
        self._in_hand = deque(label for label, _ in others)
        for label, match in others:
            self._results.go_on(label, model, match.outcome, may_come=match.may_come)
            self._in_hand.popleft()
        return sum(match.is_judged for match in matches)
