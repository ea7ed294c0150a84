"""What the admin port makes on demand: a model's page, and its window as a file."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from driftgauge.admin.allowed_columns import ALL_COLUMNS, AllowedColumns
from driftgauge.admin.model_lists import other_revisions
from driftgauge.admin.release_view import ReleaseView
from driftgauge.concurrency.worker import Worker
from driftgauge.drift.profile import Profile
from driftgauge.drift.rule import Rule
from driftgauge.errors import StorageError
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.targets import Targets
from driftgauge.page.contents import Facts, Page, Part, part_of
from driftgauge.page.document import render
from driftgauge.page.outcome_part import OutcomePart, with_outcomes
from driftgauge.page.release_part import ReleasePart, with_release
from driftgauge.reference.formats.driftgauge_npz import packed_window
from driftgauge.reference.table import Table
from driftgauge.results.latest import Evaluation, LatestEvaluations, ReferenceFacts
from driftgauge.storage.assembling import NO_ROWS
from driftgauge.storage.ring import StreamKey

if TYPE_CHECKING:
    from driftgauge.admin.label_views import LabelViews  # a process without labels saves its memory
    from driftgauge.admin.labelled_files import ModelInputs

_HEADINGS = {Kind.REQUEST: "Inputs", Kind.RESPONSE: "Predictions"}

_DAY_SECONDS = 86_400


def _no_note(_: ModelKey) -> str:
    return ""


class Views:
    """Renders the newest reports with their windows, one page at a time, off the event loop.

    Args:
        evaluator: Reads windows.
        targets: Finds what each stream is tested against.
        latest: The newest evaluations, and what each stream is compared with.
        rule: The rule of the verdicts.
        clock: Returns the time in seconds since the epoch.
        refresh_seconds: How often a page that is open may load itself.
        labels: Makes the part on labelled predictions; `None` in a process that takes no labels.
        allowed: Which columns may leave the process.
        releases: Makes the part on another revision; `None` in a process that compares none.
        sample_note: Returns a sentence on the sample of a model; empty if all that is configured is read.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        evaluator: Evaluator,
        targets: Targets,
        latest: LatestEvaluations,
        rule: Rule,
        clock: Callable[[], float],
        refresh_seconds: float,
        *,
        labels: "LabelViews | None" = None,
        allowed: AllowedColumns = ALL_COLUMNS,
        releases: ReleaseView | None = None,
        sample_note: Callable[[ModelKey], str] = _no_note,
    ) -> None:
        self._evaluator = evaluator
        self._targets = targets
        self._latest = latest
        self._rule = rule
        self._clock = clock
        self._refresh_seconds = refresh_seconds
        self._labels = labels
        self._allowed = allowed
        self._releases = releases
        self._sample_note = sample_note
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
            evaluations = [self._latest.evaluation(model, kind) for kind in PAYLOAD_KINDS]
            references = [self._latest.reference(model, kind) for kind in PAYLOAD_KINDS]
            notes = [self._targets.notes(StreamKey(model, kind)) for kind in PAYLOAD_KINDS]
            revisions = await self._worker.run(self._other_revisions, model)
            others = other_revisions(model, revisions)
            outcomes = None if self._labels is None else self._labels.part(model)
            names = [one.revision for one in revisions]
            sample_note = self._sample_note(model)
            release = None if self._releases is None else self._releases.part(model, names)
            key = (
                model,
                title,
                up,
                others,
                [None if one is None else one.time for one in evaluations],
                references,
                notes,
                None if outcomes is None else (outcomes.result.time, outcomes.reference),
                release,
                sample_note,
            )
            if self._newest is not None and self._newest[0] == key:  # many readers of one page cost one rendering
                return self._newest[1]
            made = [await self._make_part(StreamKey(model, kind)) for kind in PAYLOAD_KINDS]
            parts = _with_note(tuple(part for part, _ in made if part is not None), sample_note)
            page = Page(title, parts, up, self._refresh_seconds, others)
            text = await self._worker.run(_render, page, outcomes, release)
            self._newest = (key, text) if all(complete for _, complete in made) else None
            return text

    async def capture(self, model: ModelKey) -> bytes | None:
        """Read the window of a model's requests as a file that can serve as reference; returns `None` without rows.

        Raises:
            RefusedColumnError: One of the columns may not leave the process.
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
        self._allowed.check([profile.name for profile in profiles])
        categories = {code: text for profile in profiles for code, text in profile.categories.items()}
        names, kinds = [profile.name for profile in profiles], [profile.kind for profile in profiles]
        table = Table(Path("window"), tuple(names), tuple(kinds), window.rows)
        table = replace(table, categories=categories, missing_words=target.missing_words)
        return await self._worker.run(packed_window, table, window.times, window.numbers, window.ids)

    async def capture_labels(self, model: ModelKey, form: str, *, complete: bool = False) -> bytes | None:
        """Read the window of a model's labelled predictions with their inputs as a file; returns `None` without rows.

        Args:
            model: The model.
            form: `csv` or `npz`.
            complete: Leave out the rows whose inputs are not kept any more.

        Raises:
            RefusedColumnError: One of the columns may not leave the process.
            StorageError: The store is unreachable.
        """
        if self._labels is None:
            return None
        inputs = await self._inputs(model)
        return await self._labels.capture(
            model, form, self._worker, inputs, complete=complete, check_columns=self._allowed.check
        )

    async def _inputs(self, model: ModelKey) -> "ModelInputs | None":
        """The newest inputs of a model and the responses to them; `None` without a reference for either.

        Raises:
            StorageError: The store is unreachable.
        """
        from driftgauge.admin.labelled_files import ModelInputs  # noqa: PLC0415 a process without labels saves memory

        requests, responses = (StreamKey(model, kind) for kind in (Kind.REQUEST, Kind.RESPONSE))
        inputs, outputs = [await self._targets.get(stream, self._clock()) for stream in (requests, responses)]
        if inputs is None:
            return None
        passed = await self._evaluator.read_window(requests, inputs)
        if outputs is None:
            return ModelInputs(inputs.profiles, passed, NO_ROWS, inputs.missing_words)
        replied = await self._evaluator.read_window(responses, outputs)
        return ModelInputs(inputs.profiles, passed, replied, inputs.missing_words)

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

    def _other_revisions(self, model: ModelKey) -> list[ModelKey]:
        known = (one.model for one in self._latest.by_model())
        return [one for one in known if one != model and one[:-1] == model[:-1]]

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


def _with_note(parts: tuple[Part, ...], note: str) -> tuple[Part, ...]:
    """The parts of a page with a note in the first one, if there is one."""
    if not note or not parts:
        return parts
    first = parts[0]
    return (replace(first, facts=replace(first.facts, notes=(*first.facts.notes, note))), *parts[1:])


def _render(page: Page, outcomes: OutcomePart | None, release: ReleasePart | None) -> str:
    page = page if outcomes is None else with_outcomes(page, outcomes)
    return render(page if release is None else with_release(page, release))


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
