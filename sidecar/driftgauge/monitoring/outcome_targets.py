"""Finds what the labels of a model are compared with: the labels of its reference, or a baseline of the first ones."""

import logging
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from driftgauge.concurrency.worker import Worker
from driftgauge.drift.outcomes.labelled_output import LabelledOutputError, LabelledRows, make_labelled_output
from driftgauge.drift.outcomes.outcome_columns import LABEL, Floats, LabelledOutput
from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputLayout
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.baseline import Baselines, BaselineSubject, FirstRows
from driftgauge.monitoring.baseline_rows import Baseline
from driftgauge.monitoring.shared_columns import NewestColumns
from driftgauge.reference.dataset import Reference
from driftgauge.reference.store import ReferenceStore
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.latest_outcomes import BaselineProgress, LatestOutcomes
from driftgauge.storage.labels import LabelLayout, LabelStore
from driftgauge.storage.ring import StreamKey

_log = logging.getLogger(__name__)

_REFERENCE, _BASELINE, _NOTHING = "reference", "baseline", "none"


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTarget:
    """What the labels of a model are compared with.

    Args:
        layout: How the rows of its outcomes are made of.
        outputs: The outputs with labels, at least one.
        digest: Identifies the reference or the baseline, and the layout.
        source: `reference`, `baseline`, or `none`: then the outputs are made of the first rows, with which nothing is
            compared.
        baseline: Shape `(n, d)`: the rows of the baseline; `None` without one.
    """

    layout: LabelLayout
    outputs: tuple[LabelledOutput, ...]
    digest: str
    source: str
    baseline: Floats | None = None

    @property
    def compares(self) -> bool:
        """Whether there is something to compare labels with."""
        return self.source != _NOTHING

    def has_labels_since(self, rows: Floats) -> bool:
        """Whether labels came after those of the baseline; True for a reference.

        Args:
            rows: Shape `(m, d)`: the newest outcome rows, oldest first.
        """
        known = self.baseline
        return known is None or not np.array_equal(rows[-len(known) :], known, equal_nan=True)


@dataclass(slots=True)
class LabelLayouts:
    """The layouts of outcome rows, as columns of a stream that may have a baseline.

    Args:
        predictions: The columns of the models' newest responses, for the texts of their classes.
    """

    predictions: NewestColumns
    known: dict[ModelKey, LabelLayout] = field(default_factory=dict)

    def get(self, model: ModelKey) -> OutputLayout | None:
        """The columns of a model's outcome rows; `None` before a response has waited for labels."""
        layout = self.known.get(model)
        if layout is None:
            return None
        newest = self.predictions.get(model)
        return OutputLayout(
            (*layout.predictions, *(f"{LABEL}{output}" for output in layout.outputs)),
            (*layout.kinds, *layout.output_kinds),
            {} if newest is None else newest.categories,
        )


def layout_of(columns: Sequence[str], kinds: Sequence[FeatureKind]) -> LabelLayout:
    """The layout whose columns `LabelLayouts.get` gives: the last ones that begin with `label:` are those of labels."""
    first = len(columns)
    while first and columns[first - 1].startswith(LABEL):
        first -= 1
    outputs = tuple(column.removeprefix(LABEL) for column in columns[first:])
    return LabelLayout(tuple(columns[:first]), tuple(kinds[:first]), outputs, tuple(kinds[first:]))


OUTCOME_BASELINES = BaselineSubject(
    "labelled rows", "labels", lambda columns, kinds: layout_of(columns, kinds).schema, comes_apart=True
)
"""Baselines of outcomes."""


class OutcomeTargets:
    """Finds the target of a model's outcomes, and records what it is.

    Args:
        references: The mounted datasets.
        labels: Knows the layouts.
        layouts: Where they are kept for the baselines.
        baselines: Used where the reference has no labels.
        latest: Where it is recorded what outcomes are compared with.
        min_rows: From how many labelled rows on they are described, with or without a baseline.
    """

    def __init__(
        self,
        references: ReferenceStore,
        labels: LabelStore,
        layouts: LabelLayouts,
        baselines: Baselines,
        latest: LatestOutcomes,
        *,
        min_rows: int,
    ) -> None:
        self._references = references
        self._labels = labels
        self._layouts = layouts
        self._baselines = baselines
        self._latest = latest
        self._min_rows = min_rows
        self._targets: dict[ModelKey, OutcomeTarget] = {}
        self._progress: dict[ModelKey, BaselineProgress] = {}
        self._remarked: set[tuple[ModelKey, str]] = set()
        self._worker = Worker("labels")

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    async def layout(self, model: ModelKey) -> LabelLayout | None:
        """The layout of a model's outcome rows; `None` if no response ever waited for a label.

        Raises:
            StorageError: The store of the responses that wait is unreachable.
        """
        layout = await self._labels.layout(model)
        if layout is not None:
            self._layouts.known[model] = layout
        return layout

    async def get(self, model: ModelKey, layout: LabelLayout, now: float, token: str | None) -> OutcomeTarget | None:
        """Find the target of a model's outcomes; returns `None` if there is none yet.

        Args:
            model: The model.
            layout: The layout of its outcome rows.
            now: Seconds since the epoch.
            token: The token of the term of the model's lease; `None` without one: then no baseline is taken.

        Raises:
            StorageError: The store of the baselines is unreachable.
            LeaseLostError: The term has ended.
        """
        self._progress.pop(model, None)
        reference = self._references.get(model)
        if reference is not None and reference.labelled:
            self._latest.set_reference(model, _reference_facts(reference))
            digest = f"labels/{reference.identity}/{layout.schema}"
            return self._known(model, digest) or self._keep(
                model, OutcomeTarget(layout, tuple(placed_outputs(reference, layout)), digest, _REFERENCE)
            )
        stream = StreamKey(model, Kind.OUTCOME)
        of = "" if reference is None else reference.digest
        baseline = await self._baselines.get(stream, of, now, token)
        self._latest.set_reference(model, None if baseline is None else _baseline_facts(baseline))
        if baseline is None:
            return await self._of_first_rows(model, await self._baselines.first_rows(stream, of, now))
        return self._known(model, baseline.digest) or await self._made(
            model, baseline, baseline.digest, _BASELINE, baseline.rows
        )

    def progress(self, model: ModelKey) -> BaselineProgress | None:
        """How far the baseline of a model's labels is; `None` if they are compared."""
        return self._progress.get(model)

    async def _of_first_rows(self, model: ModelKey, first: FirstRows | None) -> OutcomeTarget | None:
        """A target that compares with nothing; `None` below `min_rows`, or while rows of a model before are there.

        Its outputs, and so the tasks and the classes, are those of the first `min_rows` rows until there is a baseline.
        """
        if first is None:
            return None
        rows = len(first.rows.rows)
        self._progress[model] = BaselineProgress(rows, first.needed, self._min_rows)
        if rows < self._min_rows or not first.of_one_model:
            return None
        digest = f"first/{first.rows.schema}"
        few = first.rows.first(self._min_rows)
        return self._known(model, digest) or await self._made(model, few, digest, _NOTHING)

    async def _made(
        self, model: ModelKey, first: Baseline, digest: str, source: str, baseline: Floats | None = None
    ) -> OutcomeTarget | None:
        """Make the target of the first rows, and keep it."""
        outputs = await self._worker.run(_outputs_of, first, self._remark(model))
        layout = layout_of(first.columns, first.kinds)
        return self._keep(model, OutcomeTarget(layout, tuple(outputs), digest, source, baseline))

    def texts(self, model: ModelKey) -> dict[float, str]:
        """The texts of the classes that the labels of a model are compared with."""
        target, reference = self._targets.get(model), self._references.get(model)
        outputs = (() if reference is None else reference.labelled) if target is None else target.outputs
        return {code: text for one in outputs for code, text in zip(one.classes, one.class_texts, strict=True)}

    def is_unsaved(self, model: ModelKey) -> bool:
        """Whether the store could not save the newest baseline of a model's outcomes."""
        return self._baselines.is_unsaved(StreamKey(model, Kind.OUTCOME))

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget what is known of models that are not in `models`."""
        self._baselines.retain(models)
        for known in (self._layouts.known, self._targets, self._progress):
            for model in [model for model in known if model not in models]:
                del known[model]
        self._remarked = {one for one in self._remarked if one[0] in models}

    def _known(self, model: ModelKey, digest: str) -> OutcomeTarget | None:
        known = self._targets.get(model)
        return known if known is not None and known.digest == digest else None

    def _keep(self, model: ModelKey, target: OutcomeTarget) -> OutcomeTarget | None:
        """Keep a target until its digest changes; `None` if no output can be compared."""
        remark = self._remark(model)
        for output in target.outputs:
            for clause in output.remarks:
                remark(output.name, clause)
        if not target.outputs:
            return None
        self._targets[model] = target
        return target

    def _remark(self, model: ModelKey) -> Callable[[str, str], None]:
        """Returns a function that logs once what a reader should know of an output's labels."""

        def log(output: str, clause: str) -> None:
            if (model, clause) not in self._remarked:
                self._remarked.add((model, clause))
                _log.warning("the output %r of %s %s", output, model, clause)

        return log


def placed_outputs(reference: Reference, layout: LabelLayout) -> list[LabelledOutput]:
    """The labelled outputs of a reference whose columns outcome rows of this layout have, with their places in these.

    The columns of responses are those of the reference's predictions, so that they differ only while a reference is
    replaced.
    """
    known = {name: place for place, name in enumerate(layout.predictions)}
    places = [known.get(name) for name in reference.prediction_columns]
    placed = []
    for output in reference.labelled:
        own = output.places
        used = (own.prediction, *(() if own.confidence is None else (own.confidence,)), *own.scores)
        if output.name not in layout.outputs or any(places[one] is None for one in used):
            continue
        if layout.output_kinds[layout.outputs.index(output.name)] is not output.label_kind:
            continue  # numbers and codes of the same labels differ: all would be wrong
        moved = replace(
            own,
            prediction=places[own.prediction] or 0,
            label=len(layout.predictions) + layout.outputs.index(output.name),
            confidence=None if own.confidence is None else places[own.confidence],
            scores=tuple(places[one] or 0 for one in own.scores),
        )
        placed.append(replace(output, places=moved))
    return placed


def _outputs_of(baseline: Baseline, remark: Callable[[str, str], None]) -> list[LabelledOutput]:
    """The labelled outputs of a baseline, without those that cannot be compared."""
    layout = layout_of(baseline.columns, baseline.kinds)
    first, found = len(layout.predictions), []
    rows, requests = baseline.rows, baseline.responses
    if requests is not None:
        order = np.argsort(requests, kind="stable")
        rows, requests = rows[order], requests[order]
    for place, output in enumerate(layout.outputs):
        labelled = LabelledRows(
            columns=layout.predictions,
            kinds=layout.kinds,
            predictions=rows[:, :first],
            labels=rows[:, first + place],
            label_kind=layout.output_kinds[place],
            label_place=first + place,
            texts=baseline.categories,
            requests=requests,
        )
        try:
            found.append(make_labelled_output(output, labelled))
        except LabelledOutputError as error:
            remark(output, str(error))
    return found


def _reference_facts(reference: Reference) -> ReferenceFacts:
    rows = max(one.reference.labels.size for one in reference.labelled)
    return ReferenceFacts(rows, reference.digest, str(reference.path), reference.loaded_at)


def _baseline_facts(baseline: Baseline) -> ReferenceFacts:
    rows = baseline.rows.shape[0]
    return ReferenceFacts(rows, baseline.schema, f"first {rows} labelled rows", baseline.taken_at, source=_BASELINE)
