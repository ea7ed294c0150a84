"""What waits for labels of one model in the memory of this process."""

from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from driftgauge.storage.labels import LabelLayout, Match, Matured, Put
from driftgauge.storage.memory_slice import MemorySlice, RowState, Unit


class Unripe(NamedTuple):
    """A response with labels that are not judged yet, in the order in which they will be."""

    time: float
    digest: bytes
    number: int


@dataclass(slots=True)
class MemoryLabelledModel:
    """What waits of one model: its slices by their numbers, and what the last calls returned, step by step."""

    layout: LabelLayout
    slices: dict[int, MemorySlice] = field(default_factory=dict)
    unripe: set[Unripe] = field(default_factory=set)
    puts: list[Put] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    matured: list[Matured] = field(default_factory=list)

    def drop(self, number: int, digest: int) -> None:
        """Remove a response."""
        self.unripe.discard(unripe_of(self.slices[number].drop(digest), digest, number))


def unripe_of(time: float, digest: int, number: int) -> Unripe:
    """A response of the slice of this number, as one that is not judged yet."""
    return Unripe(time, digest.to_bytes(8, "little"), number)


def judge_labels(known: MemoryLabelledModel, one: Unripe) -> list[Unit]:
    """Judge the labels of a response that are not judged yet, by rows and outputs."""
    known.unripe.discard(one)
    own = known.slices[one.number]
    place = own.place(int.from_bytes(one.digest, "little"))
    units = []
    for row, output in product(range(own.row_count(place)), range(len(own.layout(place).outputs))):
        label = own.label(place, row, output)
        if label.state is RowState.LABELLED:
            own.set_label(place, row, output, label._replace(state=RowState.JUDGED))
            units.append(own.unit(place, row, output, label.value))
    return units
