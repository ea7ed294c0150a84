"""Labels whose response has not come yet: a bounded number, each tried again at longer and longer intervals."""

import heapq
from itertools import count
from typing import Final, final

from driftgauge.inference.payload import ModelKey
from driftgauge.labels.waiting_label import WaitingLabel
from driftgauge.storage.labels import LabelOutcome

CAPACITY: Final = 10_000
"""Most labels that wait: 3 MB."""

_Group = tuple[tuple[ModelKey, ...], LabelOutcome]
"""The models of labels, and what they are if their responses do not come: few of those that are not kept will match."""


@final
class EarlyLabels:
    """The labels that wait for their responses.

    Args:
        capacity: Most labels. Of those of the same models with the same prospect, the most numerous ones lose their
            oldest for a new one.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._numbers = count()
        self._groups: dict[_Group, dict[int, WaitingLabel]] = {}
        self._due: list[tuple[float, int, _Group]] = []
        self._size = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._size

    def count(self, model: ModelKey) -> int:
        """How many wait that may be of a model; one that may be of several is counted for each."""
        return sum(len(labels) for (models, _), labels in list(self._groups.items()) if model in models)

    def put(self, label: WaitingLabel) -> WaitingLabel | None:
        """Let a label wait until it is due. Returns the one that had to go for it, if any."""
        number = next(self._numbers)
        group = label.models, label.found.outcome
        self._groups.setdefault(group, {})[number] = label
        heapq.heappush(self._due, (label.due, number, group))
        self._size += 1
        if self._size <= self._capacity:
            return None
        largest = max(self._groups, key=lambda group: len(self._groups[group]))
        return self._take(largest, next(iter(self._groups[largest])))

    def take_due(self, now: float) -> list[WaitingLabel]:
        """Take out the labels that are due."""
        taken: list[WaitingLabel] = []
        while self._due and self._due[0][0] <= now:
            _, number, group = heapq.heappop(self._due)
            label = self._take(group, number)
            if label is not None:
                taken.append(label)
        return taken

    def take_all(self) -> list[WaitingLabel]:
        """Take out all labels."""
        taken = [label for group in self._groups.values() for label in group.values()]
        self._groups.clear()
        self._due.clear()
        self._size = 0
        return taken

    def _take(self, group: _Group, number: int) -> WaitingLabel | None:
        """Take out a label; `None` if it had to go before it was due."""
        labels = self._groups.get(group, {})
        label = labels.pop(number, None)
        if label is not None:
            self._size -= 1
            if not labels:
                del self._groups[group]
        return label
