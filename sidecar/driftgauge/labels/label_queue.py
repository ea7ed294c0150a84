"""The labels that wait for a call to the store: bounded, by the model that is asked next."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, final

from driftgauge.inference.payload import ModelKey
from driftgauge.labels.waiting_label import WaitingLabel

QUEUE_LABELS: Final = 20_000
"""Most labels that are queued for models whose calls do not fail: as many as one body may have, 5 MB."""

_LARGEST_SHARE: Final = 3
"""Most labels in all, in parts of these: models may begin to fail one after the other, each with a full queue."""


@final
class LabelQueue:
    """Labels by model, in the order in which they came.

    Models whose calls fail have places of their own, so that their labels, which wait for minutes, take none of others.

    Args:
        most: Most labels of models whose calls do not fail, and most of those whose calls fail.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._queues: dict[ModelKey, deque[WaitingLabel]] = {}
        self._failing: set[ModelKey] = set()

    def __len__(self) -> int:
        """How many labels are queued."""
        return sum(map(len, list(self._queues.values())))  # a copy: a scrape asks in a thread

    def __contains__(self, model: ModelKey) -> bool:
        """Whether a model has labels."""
        return model in self._queues

    def count(self, model: ModelKey) -> int:
        """How many labels of a model are queued."""
        return len(self._queues.get(model, ()))

    @property
    def models(self) -> list[ModelKey]:
        """The models that have labels."""
        return list(self._queues)

    def offer(self, groups: Sequence[Sequence[WaitingLabel]]) -> bool:
        """Add labels: all of them, or none and return False if they are too many.

        Args:
            groups: The labels; those of a group may be of the same models.
        """
        given = [group for group in groups if group]
        new_failing = sum(len(group) for group in given if self._failing.issuperset(group[0].models))
        new_sound = sum(map(len, given)) - new_failing
        failing = sum(len(self._queues.get(model, ())) for model in self._failing)
        sound = len(self) - failing
        if new_failing and failing + new_failing > self._most:
            return False
        is_full = sound + new_sound > self._most or sound + failing + new_sound > _LARGEST_SHARE * self._most
        if new_sound and is_full:
            return False
        for group in given:
            if self._failing:
                for label in group:
                    self.put(label)
            else:
                self._queues.setdefault(group[0].model, deque()).extend(group)
        return True

    def put(self, label: WaitingLabel) -> None:
        """Add a label, whatever the bounds: for the first of its models that does not fail, else for the next one."""
        if label.model in self._failing and not label.is_at_last:
            label.put_off(self._failing)
        queue = self._queues.get(label.model)
        if queue is None:
            queue = self._queues[label.model] = deque()
        queue.append(label)

    def move(self, model: ModelKey, most: int, into: deque[WaitingLabel]) -> None:
        """Move the next labels of a model, some at most, to where the caller has them in hand."""
        queue = self._queues.get(model, deque())
        for _ in range(min(len(queue), most)):
            into.append(queue.popleft())
        if not queue:
            self._queues.pop(model, None)

    def remove(self, model: ModelKey, until: Callable[[WaitingLabel], bool] = lambda _: False) -> int:
        """Remove the labels of a model up to the first one that `until` is true of. Returns how many."""
        queue = self._queues.get(model, deque())
        before = len(queue)
        while queue and not until(queue[0]):
            queue.popleft()
        if not queue:
            self._queues.pop(model, None)
        return before - len(queue)

    def note_failure(self, model: ModelKey) -> None:
        """Note that the calls of a model fail. Its labels that may be of another model wait for that one first."""
        if model in self._failing:
            return
        self._failing.add(model)
        for label in self._queues.pop(model, ()):
            self.put(label)

    def note_success(self, model: ModelKey) -> None:
        """Note that the calls of a model do not fail any more."""
        self._failing.discard(model)
