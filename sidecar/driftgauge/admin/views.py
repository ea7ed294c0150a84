"""What the admin port makes on demand: a model's page, and its window as a file."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from driftgauge.admin.model_lists import other_revisions
from driftgauge.concurrency.worker import Worker
from driftgauge.drift.profile import Profile
from driftgauge.drift.rule import Rule
from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.targets import Targets
from driftgauge.page.contents import Facts, Page, Part, part_of
from driftgauge.page.document import render
from driftgauge.reference.formats.driftgauge_npz import packed_window
from driftgauge.reference.table import Table
from driftgauge.results.latest import Evaluation, LatestEvaluations, ReferenceFacts
from driftgauge.storage.ring import StreamKey

_HEADINGS = {Kind.REQUEST: "Inputs", Kind.RESPONSE: "Predictions"}

_DAY_SECONDS = 86_400


class Views:
    """Renders the newest reports with their windows, one page at a time, off the event loop.

    Args:
        evaluator: Reads windows.
        targets: Finds what each stream is tested against.
        latest: The newest evaluations, and what each stream is compared with.
        rule: The rule of the verdicts.
        clock: Returns the time in seconds since the epoch.
        refresh_seconds: How often a page that is open may load itself.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        targets: Targets,
        latest: LatestEvaluations,
        rule: Rule,
        clock: Callable[[], float],
        refresh_seconds: float,
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._latest = latest
        self._rule = rule
        self._clock = clock
        self._refresh_seconds = refresh_seconds
        self._turn = asyncio.Lock()
        self._newest: tuple[object, str] | None = None
        self._worker = Worker("page")

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    async def page(self, model: ModelKey, title: str, up: str) -> str:
        """Render the page of a model as HTML; the newest page is kept until an evaluation or a reference changes.

        Args:
            model: The model.
            title: The title of the page.
            up: The link back to the list of models; empty without one.
        """
        async with self._turn:
            evaluations = [self._latest.evaluation(model, kind) for kind in Kind]
            references = [self._latest.reference(model, kind) for kind in Kind]
            notes = [self._targets.notes(StreamKey(model, kind)) for kind in Kind]
            others = await self._worker.run(self._other_revisions, model)
            key = (
                model,
                title,
                up,
                others,
                [None if one is None else one.time for one in evaluations],
                references,
                notes,
            )
            if self._newest is not None and self._newest[0] == key:  # many readers of one page cost one rendering
                return self._newest[1]
            made = [await self._make_part(StreamKey(model, kind)) for kind in Kind]
            parts = tuple(part for part, _ in made if part is not None)
            text = await self._worker.run(render, Page(title, parts, up, self._refresh_seconds, others))
            self._newest = (key, text) if all(complete for _, complete in made) else None
            return text

    async def capture(self, model: ModelKey) -> bytes | None:
        """Read the window of a model's requests as a file that can serve as reference; returns `None` without rows.

        Raises:
            StorageError: The store is unreachable.
        """
        stream = StreamKey(model, Kind.REQUEST)
        target = await self._targets.get(stream, self._clock())
        if target is None:
            return None
        window = await self._evaluator.read_window(stream, target)
        if not len(window.rows):
            return None
        profiles = target.profiles
        categories = {code: text for profile in profiles for code, text in profile.categories.items()}
        names, kinds = [profile.name for profile in profiles], [profile.kind for profile in profiles]
        table = Table(Path("window"), tuple(names), tuple(kinds), window.rows)
        table = replace(table, categories=categories, missing_words=target.missing_words)
        return await self._worker.run(packed_window, table, window.times, window.numbers, window.ids)

    async def _make_part(self, stream: StreamKey) -> tuple[Part | None, bool]:
        """Make a stream's part of the page.

        Returns:
            The part, `None` if the stream was never evaluated; and whether it is complete, with charts if they need the
            store, which may be unreachable.
        """
        evaluation = self._latest.evaluation(stream.model, stream.kind)
        if evaluation is None:
            return None, True
        notes: tuple[str, ...] = ()
        profiles: Sequence[Profile] = ()
        rows = np.empty((0, 0))
        try:
            target = await self._targets.get(stream, self._clock())
            if target is not None:
                profiles, rows = target.profiles, (await self._evaluator.read_window(stream, target)).rows
        except StorageError as error:
            notes = (f"There are no charts: {error}.",)
        facts = self._facts(stream, evaluation, notes)
        part = await self._worker.run(part_of, _HEADINGS[stream.kind], profiles, rows, evaluation.report, facts)
        return part, not notes

    def _other_revisions(self, model: ModelKey) -> tuple[tuple[str, str], ...]:
        return other_revisions(model, [one.model for one in self._latest.by_model()])

    def _facts(self, stream: StreamKey, evaluation: Evaluation, notes: tuple[str, ...]) -> Facts:
        reference = self._latest.reference(stream.model, stream.kind)
        return Facts(
            window=f"newest {stream.kind}s of {stream.model}",
            reference="" if reference is None else reference.path,
            reference_rows=0 if reference is None else reference.rows,
            digest="" if reference is None or reference.source == "baseline" else reference.digest,
            rule=in_words(self._rule),
            time=evaluation.time,
            notes=(*notes, *_unsaved_note(evaluation), *_reference_notes(reference), *self._targets.notes(stream)),
        )


def in_words(rule: Rule) -> str:
    """The rule of a verdict in words."""
    if rule.budget is None:
        return f"p-value below {rule.alpha:g}, correction {rule.correction}"
    days = rule.budget.false_alarm_seconds / _DAY_SECONDS
    return f"at least {days:.3g} days between false alarms, distances up to {rule.budget.tolerance:g} tolerated"


def _unsaved_note(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.state_unsaved:
        yield "The store cannot save what this evaluation has learned: it is lost if this process ends before it can."


def _reference_notes(reference: ReferenceFacts | None) -> Iterator[str]:
    if reference is not None and reference.rows_needed:
        yield f"The reference is small for the budget: {reference.rows_needed} rows would do, it has {reference.rows}."
    if reference is not None and reference.source == "baseline":
        yield "Predictions are compared with the first responses (a baseline), because the reference has none."
