"""The responses that wait for labels in the memory of this process, for a deployment of one replica."""

import asyncio
import math
import time
from collections.abc import Callable, Container, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.label_slices import IN_MEMORY, MATURE_UNITS, LabelSlices, score
from driftgauge.storage.labels import (
    SLICES,
    LabelLayout,
    LabelOutcome,
    Match,
    Matured,
    Put,
    ResponseSample,
    Slice,
    StoredLabel,
    WaitingResponse,
)
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labelled_model import MemoryLabelledModel, judge_labels, unripe_of
from driftgauge.storage.memory_sample import sample_rows
from driftgauge.storage.memory_slice import MemorySlice, RowState, Unit, outcome_rows
from driftgauge.storage.ring import Block, StreamKey

_KEPT_SLICES = 2 * SLICES
"""Slices that are kept at most: those that have ended wait until `mature` counts their rows without a label."""


_STEP_LABELS: Final = 10
"""Labels that are matched without a break, 0.2 ms: an inference waits for one step at each of its turns of the loop."""


class _Found(NamedTuple):
    """A response that waits: the number of its slice, the slice, and its place in it."""

    number: int
    own: MemorySlice
    place: int


class MemoryLabels:
    """A `LabelStore` in memory.

    Args:
        ring: The outcomes are appended to it.
        bounds: The slices.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        ring: MemoryRing,
        bounds: LabelSlices = IN_MEMORY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ring = ring
        self._bounds = bounds
        self._clock = clock
        self._models: dict[ModelKey, MemoryLabelledModel] = {}
        self._matching = asyncio.Lock()

    async def put(
        self, model: ModelKey, layout: LabelLayout, responses: Sequence[WaitingResponse], *, again: bool = False
    ) -> Put:
        """Let responses wait for labels, and remember the layout as the model's newest one."""
        if not responses:
            return Put(0, 0, 0)
        known = self._models.setdefault(model, MemoryLabelledModel(layout))
        known.layout = layout
        if not again:
            known.puts = []
        now = self._clock()
        for response in responses[len(known.puts) :]:
            known.puts.append(self._put(known, layout, response, now))
        oldest = self._bounds.number(now) - _KEPT_SLICES
        for number in [number for number in known.slices if number <= oldest]:
            del known.slices[number]
        return Put(*map(sum, zip(*known.puts, strict=True)))

    async def layout(self, model: ModelKey) -> LabelLayout | None:
        """The newest layout of a model; `None` if no response ever waited."""
        known = self._models.get(model)
        return None if known is None else known.layout

    async def match(
        self, model: ModelKey, layout: LabelLayout, labels: Sequence[StoredLabel], *, again: bool = False
    ) -> list[Match]:
        """Match labels with responses, in order, and append those that are judged at once to the outcomes."""
        known = self._models.get(model)
        if known is None:
            return [Match(LabelOutcome.UNKNOWN)] * len(labels)
        if not again:
            known.matches = []
        async with self._matching:  # one step in each turn of the loop, however many models have labels
            while len(known.matches) < len(labels):
                units: list[Unit] = []
                first, now = len(known.matches), self._clock()
                newest_first = sorted(known.slices.items(), reverse=True)
                for label in labels[first : first + _STEP_LABELS]:
                    known.matches.append(self._match(known, newest_first, layout, label, now, units))
                await self._append(model, units)
                await asyncio.sleep(0)
        return known.matches[:]

    async def mature(self, model: ModelKey, most: int | None = None, *, again: bool = False) -> Matured:
        """Append labelled rows that have matured since the last call, in the order of the responses' times."""
        known = self._models.get(model)
        if known is None:
            return Matured(0, 0)
        if not again:
            known.matured = []
        now = self._clock()
        units: list[Unit] = []
        for one in sorted(one for one in known.unripe if one.time <= now - self._bounds.maturity_seconds):
            if one not in known.unripe:  # it had to leave while rows were appended
                continue
            if most is not None and len(units) + sum(step.labelled for step in known.matured) >= most:
                await self._append_matured(model, known, units, more=True)
                return Matured.sum(known.matured)
            judged = judge_labels(known, one)
            if units and (len(units) >= MATURE_UNITS or (judged and judged[0].layout.schema != units[0].layout.schema)):
                await self._append_matured(model, known, units)
                units = []
            units += judged
        await self._append_matured(model, known, units)
        known.matured.append(Matured(0, self._end(known, now)))
        return Matured.sum(known.matured)

    async def slices(self, model: ModelKey) -> list[Slice]:
        """The slices that are not empty, oldest first."""
        known = self._models.get(model)
        return [] if known is None else [one.counts(start, end) for start, end, one in self._living(known)]

    async def sample(self, model: ModelKey, layout: LabelLayout, start: float, end: float, rows: int) -> ResponseSample:
        """A uniform sample of the rows of all responses of a time, labelled or not: at most so many rows."""
        known = self._models.get(model)
        slices = (
            [] if known is None else [one for first, last, one in self._living(known) if first < end and start < last]
        )
        limit = min((one.threshold for one in slices if one.threshold is not None), default=None)
        copies = [one.copy(layout.schema) for one in slices]
        # Thousands of responses: no inference waits for them.
        return await asyncio.to_thread(sample_rows, copies, len(layout.predictions), (start, end), limit, rows)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what waits of models that are not in `models`."""
        for model in [model for model in self._models if model not in models]:
            del self._models[model]

    def _living(self, known: MemoryLabelledModel) -> list[tuple[float, float, MemorySlice]]:
        """The slices that have not ended, oldest first: the first moment, the end, and the slice."""
        oldest = self._bounds.number(self._clock()) - SLICES + 1
        return [
            (self._bounds.start(number), self._bounds.start(number + 1), known.slices[number])
            for number in sorted(known.slices)
            if number >= oldest
        ]

    def _put(self, known: MemoryLabelledModel, layout: LabelLayout, response: WaitingResponse, now: float) -> Put:
        age = self._bounds.age(response.time, now)
        if age is None:
            return Put(0, 1, 0)
        current = self._bounds.number(now)
        number, digest = current - age, response.ids[0]
        own = known.slices.setdefault(number, MemorySlice())
        if not self._bounds.fits(response) or own.is_beyond(digest):
            own.left_out += 1
            return Put(0, 1, 0)
        if own.has(response, layout):
            return Put(1, 0, 0)
        displaced = 0
        for other in range(current - SLICES + 1, current + 1):
            if other in known.slices and known.slices[other].keeps(digest):
                known.drop(other, digest)
                displaced += 1
        own.add(response, layout)
        kept, left_out = 1, 0
        while len(own) > self._bounds.responses or own.bytes > self._bounds.bytes:
            largest = own.largest()
            known.drop(number, largest)
            own.threshold = score(largest)
            kept -= largest == digest
            left_out += 1
        own.left_out += left_out
        return Put(kept, left_out, displaced)

    def _match(
        self,
        known: MemoryLabelledModel,
        newest_first: Sequence[tuple[int, MemorySlice]],
        layout: LabelLayout,
        label: StoredLabel,
        now: float,
        units: list[Unit],
    ) -> Match:
        current, beyond = self._bounds.number(now), False
        ages = self._bounds.ages(label.time, now)
        for number, one in newest_first:
            if current - number not in ages:
                continue
            place = one.find(label.id)
            if place is not None and one.layout(place).schema == layout.schema:
                return self._meet(known, _Found(number, one, place), label, now, units)
            if place is not None:
                return Match(LabelOutcome.UNKNOWN)
            beyond = beyond or one.is_beyond(label.id)
        living = (one for number, one in known.slices.items() if number > current - SLICES)
        may_come = any(one.has_aliases for one in living)
        return Match(LabelOutcome.NOT_KEPT if beyond else LabelOutcome.UNKNOWN, may_come=may_come)

    def _meet(
        self, known: MemoryLabelledModel, found: _Found, label: StoredLabel, now: float, units: list[Unit]
    ) -> Match:
        """What becomes of a label whose response waits."""
        own, place, value = found.own, found.place, label.value
        if not is_possible(label, own.row_count(place), len(own.layout(place).outputs)):
            return Match(LabelOutcome.MALFORMED)
        time = own.time(place)
        is_mature = now - time >= self._bounds.maturity_seconds
        first = own.take_label(place, label, RowState.JUDGED if is_mature else RowState.LABELLED)
        if first is not None:
            if first.value == value:
                return Match(LabelOutcome.DUPLICATE)
            if first.state is RowState.JUDGED:
                return Match(LabelOutcome.TOO_LATE)
            own.set_label(place, label.row, label.output, first._replace(value=value))
            return Match(LabelOutcome.CORRECTED)
        if is_mature:
            units.append(own.unit(place, label.row, label.output, value))
        else:
            known.unripe.add(unripe_of(time, own.digest(place), found.number))
        return Match(LabelOutcome.MATCHED, max(now - time, 0.0), is_judged=is_mature)

    def _end(self, known: MemoryLabelledModel, now: float) -> int:
        """Remove the slices that have ended. Returns their rows without a label."""
        oldest, unlabelled = self._bounds.number(now) - SLICES + 1, 0
        for number in [number for number in known.slices if number < oldest]:
            one = known.slices.pop(number)
            unlabelled += one.rows - one.labelled_rows
        known.unripe = {one for one in known.unripe if one.number >= oldest}
        return unlabelled

    async def _append_matured(
        self, model: ModelKey, known: MemoryLabelledModel, units: list[Unit], *, more: bool = False
    ) -> None:
        known.matured.append(Matured(len(units), 0, more))
        if units:
            await self._append(model, units)
            await asyncio.sleep(0)

    async def _append(self, model: ModelKey, units: Sequence[Unit]) -> None:
        """Append a row of outcomes for each label. Those of one response that follow each other came together."""
        if not units:
            return
        responses = [list(own) for _, own in groupby(units, key=attrgetter("digest", "time"))]
        block = Block(
            units[0].layout.schema,
            outcome_rows(units),
            np.array([len(own) for own in responses], dtype=np.int64),
            np.array([own[0].time for own in responses]),
            np.array([own[0].digest for own in responses], dtype=np.uint64),
            places=np.array([unit.row for unit in units], dtype=np.int64),
        )
        await self._ring.append(StreamKey(model, Kind.OUTCOME), block)


def is_possible(label: StoredLabel, rows: int, outputs: int) -> bool:
    """Whether a response of so many rows may have this label."""
    return 0 <= label.row < rows and 0 <= label.output < outputs and math.isfinite(label.value)
