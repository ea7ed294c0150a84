"""A matcher of labels over stores in memory, with responses that a test puts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from prometheus_client import CollectorRegistry

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.label_target import LabelTarget
from driftgauge.inference.payload import ModelKey
from driftgauge.labels.label_results import Candidates, MatcherLimits
from driftgauge.labels.matcher import Matcher
from driftgauge.labels.pace import LabelPace
from driftgauge.labels.waiting_label import waiting_labels
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.protocol.label_values import Label, read_value
from driftgauge.storage.label_slices import IN_MEMORY
from driftgauge.storage.labels import LabelLayout, LabelOutcome, WaitingResponse
from driftgauge.storage.memory import MemoryRing
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.ring import id_digests
from tests.support.clock import ManualClock
from tests.support.failing_labels import FailingLabels, LabelFailure
from tests.support.models import WINE

NUMBER, CATEGORY = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL
LAYOUT = LabelLayout(("quality",), (NUMBER,), ("quality",), (NUMBER,))
EARLY_SECONDS = 300.0


def a_label(inference: str, value: object = 6, row: int = 0, output: str | None = None) -> Label:
    """A label of an inference."""
    number, text = read_value(value)
    return Label(inference, row, output, number, text, None)


class Labelled:
    """A matcher and its store.

    Args:
        failures: When the calls of the matcher fail.
        limits: The limits of the matcher.
        maturity_seconds: How old a row is when it is judged.
        pending: Most responses of a model that wait.
        window_rows: Rows of a window.
    """

    def __init__(
        self,
        failures: Iterator[LabelFailure] | None = None,
        limits: MatcherLimits | None = None,
        maturity_seconds: float = 0.0,
        pending: int = IN_MEMORY.pending,
        window_rows: int = 2_000,
    ) -> None:
        self.clock = ManualClock()
        self.ring = MemoryRing(window_rows)
        bounds = replace(IN_MEMORY, pending=pending, maturity_seconds=maturity_seconds)
        self.store = MemoryLabels(self.ring, bounds, self.clock)
        self.failing = FailingLabels(self.store, failures or iter(()))
        self.registry = CollectorRegistry()
        self.counts = LabelCounts(self.registry, list(LabelOutcome))
        limits = limits or MatcherLimits(EARLY_SECONDS)
        pace = LabelPace(self.ring, window_rows, EARLY_SECONDS, self.clock)
        self.candidates: Candidates = lambda _: ()
        self.matcher = Matcher(self.failing, self.counts, limits, pace, self.clock, self._candidates)

    async def respond(
        self,
        inference: str,
        rows: int = 1,
        model: ModelKey = WINE,
        layout: LabelLayout = LAYOUT,
        further: str | None = None,
    ) -> None:
        """Let a response of the model wait."""
        values = np.full((rows, len(layout.predictions)), 5.0)
        ids = [inference] if further is None else [inference, further]
        response = WaitingResponse(tuple(id_digests(ids).tolist()), self.clock.now, values)
        await self.store.put(model, layout, [response])

    def offer(self, *labels: Label, models: Sequence[ModelKey] = (WINE,)) -> bool:
        """Offer labels that may be of any of the models."""
        return self.matcher.offer([waiting_labels(labels, tuple(models), self.clock.now)])

    def outcomes(self, model: ModelKey = WINE) -> dict[str, int]:
        """What became of the labels of a model, without what did not happen."""
        return {name: number for name, number in self._counted("driftgauge_labels_total", model).items() if number}

    def rows(self, model: ModelKey = WINE) -> dict[str, int]:
        """Rows that were judged, and those without a label."""
        return self._counted("driftgauge_outcomes_total", model)

    def counted(self) -> int:
        """How many labels were counted, of all models."""
        families = (family for family in self.registry.collect() if family.name == "driftgauge_labels")
        return sum(int(sample.value) for family in families for sample in family.samples)

    def _candidates(self, target: LabelTarget) -> tuple[ModelKey, ...]:
        return self.candidates(target)

    def _counted(self, name: str, model: ModelKey) -> dict[str, int]:
        found: Counter[str] = Counter()
        for family in self.registry.collect():
            for sample in family.samples:
                names = sample.labels.get("model_name"), sample.labels.get("revision")
                if sample.name == name and names == (model.model_name, model.revision):
                    found[sample.labels.get("outcome", sample.labels.get("state", ""))] += int(sample.value)
        return dict(found)
