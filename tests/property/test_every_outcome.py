"""The ledger of outcomes: every row that was appended is fed to a detector, or skipped, once."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.inference.payload import Kind
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.ring import StreamKey
from tests.support.clock import ManualClock
from tests.support.labelled_wine import LabelledWine, graded, write_reference
from tests.support.models import WINE

WINDOW_ROWS = 100
MIN_ROWS = 20
OUTCOMES = StreamKey(WINE, Kind.OUTCOME)


@dataclass(frozen=True)
class Step:
    """What happens between two looks.

    Args:
        responses: How many responses come.
        labels: Which responses get a label, by their places among all so far, modulo their number; some again.
        wrong: Whether their labels are others than predicted.
        looks: Whether the monitor looks then.
        restarts: Whether the process ends before it, and another one begins.
    """

    responses: int
    labels: list[int]
    wrong: bool
    looks: bool
    restarts: bool


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 60),
        st.one_of(
            st.lists(st.integers(0, 400), max_size=40),
            st.builds(lambda first, size: list(range(first, first + size)), st.integers(0, 100), st.integers(0, 250)),
        ),
        st.booleans(),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=8,
)


class Replicas:
    """One process after another, with the same stores.

    Args:
        directory: The directory of the references.
        maturity: After how many seconds a row is judged.
    """

    def __init__(self, directory: Path, maturity: float) -> None:
        self.ring, self.clock, self.states = MemoryRing(WINDOW_ROWS), ManualClock(), MemoryStates()
        self.store = MemoryLabels(self.ring, LabelSlices(maturity_seconds=maturity), self.clock)
        self._directory = directory
        self._totals: Counter[str] = Counter()
        self.ids: list[int] = []
        self.predictions: list[float] = []

    async def start(self) -> None:
        """Start a process."""
        self.wine = LabelledWine(
            self._directory, self.store, self.ring, self.clock, states=self.states, first_id=1 + len(self.ids)
        )
        await self.wine.watcher.refresh()

    def stop(self) -> None:
        """Stop the process, and remember what it counted."""
        for name in ("detector_rows", "detector_skipped_rows"):
            self._totals[name] += int(self.wine.value(f"driftgauge_{name}_total", kind="outcome") or 0)
        self._totals["outcome_rows"] += int(self.wine.value("driftgauge_outcome_rows_total", output="grade") or 0)
        self.wine.close()

    async def take(self, step: Step) -> None:
        """Do a step."""
        if step.restarts:
            self.stop()
            await self.start()
        if step.responses:
            predictions = graded(step.responses, 1.0, seed=len(self.ids))[0]
            await self.put(predictions.tolist())
        if self.ids and step.labels:
            places = [one % len(self.ids) for one in step.labels]
            labels = [11 - self.predictions[one] if step.wrong else self.predictions[one] for one in places]
            await self.wine.label([self.ids[one] for one in places], np.array(labels))
        await self.store.mature(WINE)
        if step.looks:
            await self.wine.look()

    async def put(self, predictions: list[float]) -> None:
        """Let responses wait."""
        self.ids += await self.wine.respond(np.array(predictions))
        self.predictions += predictions

    async def appended(self) -> int:
        """How many outcome rows were appended."""
        layout = await self.store.layout(WINE)
        assert layout is not None
        window = await self.ring.read(OUTCOMES, layout.schema, len(layout.predictions) + len(layout.outputs))
        return sum(window.totals.values())

    @property
    def totals(self) -> Counter[str]:
        """What all processes that have ended counted."""
        return self._totals


async def assert_every_row_counts_once(directory: Path, maturity: float, steps: list[Step]) -> None:
    """Take the steps, bring enough labels for a verdict, and compare the counters with the rows that were appended."""
    write_reference(directory)
    replicas = Replicas(directory, maturity)
    await replicas.start()
    matched: set[int] = set()
    for step in [*steps, Step(MIN_ROWS, [], wrong=False, looks=False, restarts=False)]:
        await replicas.take(step)
        matched |= {one % len(replicas.ids) for one in step.labels if replicas.ids}
    last = list(range(len(replicas.ids) - MIN_ROWS, len(replicas.ids)))
    await replicas.take(Step(0, last, wrong=False, looks=False, restarts=False))
    replicas.clock.now += maturity
    await replicas.store.mature(WINE)
    await replicas.wine.look()
    replicas.stop()

    appended = await replicas.appended()
    assert appended == len(matched | set(last))
    assert replicas.totals["detector_rows"] + replicas.totals["detector_skipped_rows"] == appended
    assert replicas.totals["detector_rows"] >= MIN_ROWS
    assert replicas.totals["outcome_rows"] <= appended


@settings(max_examples=25, deadline=None)
@given(STEPS, st.sampled_from([0.0, 45.0]))
def test_every_outcome_row_is_fed_or_skipped_once(steps: list[Step], maturity: float) -> None:
    """Whatever comes when, in windows that overlap or leave gaps, and over restarts of the process."""
    with TemporaryDirectory() as directory:
        asyncio.run(assert_every_row_counts_once(Path(directory), maturity, steps))
