"""A monitor whose model's grades get labels: responses that wait in a real store, and labels that meet them."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from driftgauge.app.outcome_parts import label_layout
from driftgauge.drift.outcomes.outcome_report import OutcomeReport
from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputLayout
from driftgauge.inference.payload import Kind
from driftgauge.reference.dataset import schema_hash
from driftgauge.results.latest_outcomes import OutcomeResult
from driftgauge.storage.labels import LabelStore, StoredLabel, WaitingResponse
from driftgauge.storage.leases import LeaseStore
from driftgauge.storage.results import ResultStore
from driftgauge.storage.ring import RingBuffer, StreamKey
from driftgauge.storage.stream_states import StateStore
from tests.support.clock import ManualClock
from tests.support.models import WINE
from tests.support.monitor_fixture import MonitorFixture

COLUMNS, KINDS = ("grade",), (FeatureKind.NUMERIC,)
REFERENCE_ROWS = 2_000

Grades = NDArray[np.float64]


def graded(rows: int, right: float, seed: int = 1) -> tuple[Grades, Grades]:
    """Predicted grades, 5 or 6, and their labels, of which this share is right."""
    dice = np.random.default_rng(seed)
    predictions = dice.choice([5.0, 6.0], size=rows)
    return predictions, np.where(dice.random(rows) < right, predictions, 11 - predictions)


def write_reference(directory: Path, *, labelled: bool = True, right: float = 0.9) -> None:
    """Write a reference of wines with predicted grades, and also with labels where they are wanted."""
    predictions, labels = graded(REFERENCE_ROWS, right, seed=7)
    alcohol = np.random.default_rng(8).normal(10, 1, REFERENCE_ROWS)
    columns = [alcohol, predictions, labels] if labelled else [alcohol, predictions]
    head = "alcohol,prediction:grade,label:grade" if labelled else "alcohol,prediction:grade"
    np.savetxt(directory / "wine.csv", np.column_stack(columns), delimiter=",", header=head, comments="", fmt="%.6g")


class LabelledWine(MonitorFixture):
    """A monitor of wine, with labels.

    Args:
        directory: The directory of the references.
        labels: The store of the responses that wait.
        ring: The store of the windows, to which outcomes are appended.
        clock: Its clock, and that of the labels.
        states: The store of detectors and baselines.
        leases: The store of the leases.
        results: The store of the results.
        options: Options on labels, in place of those of all tests.
        first_id: From which number on it gives ids to responses.
    """

    def __init__(  # noqa: PLR0913 - a test names those that it needs
        self,
        directory: Path,
        labels: LabelStore,
        ring: RingBuffer,
        clock: ManualClock,
        *,
        states: StateStore | None = None,
        leases: LeaseStore | None = None,
        results: ResultStore | None = None,
        options: Mapping[str, object] = MappingProxyType({}),
        first_id: int = 1,
    ) -> None:
        super().__init__(
            directory, ring, states, leases=leases, results=results, labels=labels, clock=clock, options=options
        )
        self.store = labels
        self.references_directory = directory
        self.models.admit(WINE)
        self._ids = count(first_id)

    async def respond(self, predictions: Grades) -> list[int]:
        """Let responses of one row wait, now. Returns their ids."""
        layout = label_layout(self.references.get(WINE), COLUMNS, KINDS)
        assert layout is not None
        self.outputs.record(WINE, OutputLayout(COLUMNS, KINDS, {}))
        ids = [next(self._ids) * 2**40 for _ in predictions]
        waiting = [
            WaitingResponse((one,), self.clock.now, np.array([[value]]))
            for one, value in zip(ids, predictions.tolist(), strict=True)
        ]
        await self.store.put(WINE, layout, waiting)
        stream = StreamKey(WINE, Kind.RESPONSE)
        await self.put(stream, predictions[:, np.newaxis], schema_hash(COLUMNS, KINDS))
        return ids

    async def label(self, ids: list[int], labels: Grades) -> None:
        """Bring the labels of responses."""
        layout = await self.store.layout(WINE)
        assert layout is not None
        stored = [StoredLabel(one, 0, 0, value) for one, value in zip(ids, labels.tolist(), strict=True)]
        await self.store.match(WINE, layout, stored)

    async def serve(self, rows: int, right: float, seed: int = 1) -> None:
        """Let responses wait and bring their labels, 30 s later look at all."""
        predictions, labels = graded(rows, right, seed)
        await self.label(await self.respond(predictions), labels)
        await self.look()

    async def look(self) -> None:
        """Look at all models, 30 s later."""
        self.clock.now += 30
        await self.monitor.evaluate_all()

    @property
    def result(self) -> OutcomeResult | None:
        """The newest result on labels."""
        assert self.outcomes is not None
        return self.outcomes.latest.result(WINE)

    @property
    def report(self) -> OutcomeReport:
        """The newest report on labels."""
        assert self.result is not None
        assert self.result.report is not None
        return self.result.report

    def close(self) -> None:
        """Stop the threads."""
        assert self.outcomes is not None
        self.outcomes.models.close()
