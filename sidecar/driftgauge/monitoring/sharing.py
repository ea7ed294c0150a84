"""Publishes the results of the models that this replica evaluates, and shows those that other replicas publish."""

import logging
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

from driftgauge.concurrency.gil_yield import GilYield
from driftgauge.concurrency.worker import Worker
from driftgauge.drift.result import DriftReport
from driftgauge.errors import StorageError
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey
from driftgauge.monitoring.choosing import Candidate, replaced_by
from driftgauge.monitoring.coordinator import Duty
from driftgauge.monitoring.reading import read_models
from driftgauge.monitoring.shared_outcomes import SharedOutcomes
from driftgauge.results.latest import Evaluation, LatestEvaluations
from driftgauge.results.notice import NAMED_WRITERS, Notice, StreamNotice, pack_notice
from driftgauge.results.packed_report import pack_report, report_digest, unpack_report
from driftgauge.storage.results import ResultStore
from driftgauge.storage.ring import StreamKey

_log = logging.getLogger(__name__)


class SharedResults:
    """Publishes results, and shows those of others.

    Args:
        store: Where they are published.
        latest: What this replica shows.
        clock: Returns the time of the store in seconds since the epoch.
        on_unreadable: Called for each report that cannot be read.
        outcomes: The results on labelled predictions; `None` in a process that takes no labels.
    """

    def __init__(
        self,
        store: ResultStore,
        latest: LatestEvaluations,
        clock: Callable[[], float],
        on_unreadable: Callable[[], None] = lambda: None,
        outcomes: SharedOutcomes | None = None,
    ) -> None:
        self._store = store
        self._latest = latest
        self._clock = clock
        self._on_unreadable = on_unreadable
        self._outcomes = outcomes
        self._shown: dict[StreamKey, tuple[str, DriftReport | None]] = {}
        self._unpublished: set[ModelKey] = set()
        self._too_large: set[StreamKey] = set()
        self._worker = Worker("results")

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the results of models that are not in `models`."""
        for stream in [stream for stream in self._shown if stream.model not in models]:
            del self._shown[stream]
        self._too_large = {stream for stream in self._too_large if stream.model in models}
        self._unpublished = {model for model in self._unpublished if model in models}
        if self._outcomes is not None:
            self._outcomes.retain(models)

    async def publish(self, model: ModelKey, duty: Duty) -> bool:
        """Publish the newest evaluations of a model; a store that cannot save them is logged once.

        Returns:
            Whether the term of the model's lease goes on.
        """
        if duty.token is None:
            return True
        streams: dict[Kind, StreamNotice] = {}
        reports: dict[Kind, bytes] = {}
        for kind in PAYLOAD_KINDS:
            evaluation = self._latest.evaluation(model, kind)
            packed = None if evaluation is None else await self._pack(StreamKey(model, kind), evaluation.report)
            if evaluation is not None and packed is not None:
                reports[kind], streams[kind] = packed, _notice_of(evaluation, report_digest(packed))
        labelled = None if self._outcomes is None else await self._outcomes.pack(model, self._worker)
        if labelled is not None:
            reports[Kind.OUTCOME] = labelled[1]
        about = self._notice(duty.candidate, duty.notice, streams)
        notice = pack_notice(about if labelled is None else replace(about, outcomes=labelled[0]))
        try:
            published = await self._store.publish(model, duty.token, notice, reports)
        except StorageError as error:
            if model not in self._unpublished:
                self._unpublished.add(model)
                _log.warning("the results of %s cannot be published: %s", model, error)
            return True
        self._unpublished.discard(model)
        return published

    async def follow(self, notices: Mapping[ModelKey, Notice]) -> dict[ModelKey, StorageError]:
        """Show what the evaluators of models have published.

        Returns:
            Why it cannot be shown, for each model whose results cannot be read.

        Raises:
            StorageError: The store is away or slow for all of them.
        """
        wanted = {model: self._wanted(model, notice) for model, notice in notices.items()}

        async def read(models: Sequence[ModelKey]) -> list[list[bytes | None]]:
            """The reports of each of these models."""
            blobs = iter(await self._store.read([stream for model in models for stream in wanted[model]]))
            return [[next(blobs) for _ in wanted[model]] for model in models]

        failed = {}
        found = await read_models(read, list(notices), self._store.group)
        for (model, notice), blobs in zip(notices.items(), found, strict=True):
            if isinstance(blobs, StorageError):
                failed[model] = blobs
                continue
            for (stream, digest), blob in zip(wanted[model].items(), blobs, strict=True):
                if blob is not None and report_digest(blob) == digest:  # else it was replaced meanwhile
                    await self._unpack(stream, digest, blob)
            self._show(model, notice)
            if self._outcomes is not None:
                self._outcomes.show(model, notice)
        return failed

    def _wanted(self, model: ModelKey, notice: Notice) -> dict[StreamKey, str]:
        """The reports that a notice names and that are not read yet."""
        streams = {StreamKey(model, kind): stream.report for kind, stream in notice.streams.items()}
        new = {stream: report for stream, report in streams.items() if self._shown.get(stream, ("",))[0] != report}
        return new if self._outcomes is None else new | self._outcomes.wanted(model, notice)

    def _show(self, model: ModelKey, notice: Notice) -> None:
        """Show the newest evaluations of a model whose reports were read; the others stay as they are."""
        evaluations = {}
        for kind, stream in notice.streams.items():
            digest, report = self._shown.get(StreamKey(model, kind), ("", None))
            if report is not None and digest == stream.report:
                evaluations[kind] = Evaluation(
                    report,
                    stream.time,
                    stream.duration_seconds,
                    stream.window_time,
                    stream.state_unsaved,
                    stream.counted,
                )
            else:
                before = self._latest.evaluation(model, kind)
                if before is not None:
                    evaluations[kind] = before
        self._latest.follow(model, evaluations, notice.references)

    async def _pack(self, stream: StreamKey, report: DriftReport) -> bytes | None:
        """Pack a report; returns `None` if it is too large, which is logged once for each model."""
        try:
            return await self._worker.run(pack_report, report, GilYield())
        except ValueError as error:
            if stream not in self._too_large:
                self._too_large.add(stream)
                text = "other replicas cannot show the results of %ss of %s: %s"
                _log.warning(text, stream.kind, stream.model, error)
            return None

    async def _unpack(self, stream: StreamKey, digest: str, blob: bytes) -> None:
        """Read a report; one that cannot be read is counted, and not read again."""
        if stream.kind is Kind.OUTCOME and self._outcomes is not None:
            await self._outcomes.unpack(stream.model, digest, blob, self._worker)
            return
        try:
            self._shown[stream] = digest, await self._worker.run(unpack_report, blob, GilYield())
        except ValueError as error:
            self._shown[stream] = digest, None
            self._on_unreadable()
            _log.debug("a result of %ss of %s cannot be read: %s", stream.kind, stream.model, error)

    def _notice(self, me: Candidate, before: Notice | None, streams: Mapping[Kind, StreamNotice]) -> Notice:
        references = {
            kind: self._latest.reference(me.model, kind) for kind in PAYLOAD_KINDS if self._latest.knows(me.model, kind)
        }
        return Notice(
            replica=me.replica,
            time=self._clock(),
            reference=me.reference,
            replaced=replaced_by(me, before),
            streams=streams,
            references=references,
            outcome_reference=None if self._outcomes is None else self._outcomes.reference(me.model),
        )


def _notice_of(evaluation: Evaluation, digest: str) -> StreamNotice:
    return StreamNotice(
        report=digest,
        time=evaluation.time,
        duration_seconds=evaluation.duration_seconds,
        window_time=evaluation.window_time,
        state_unsaved=evaluation.state_unsaved,
        counted=dict(list(evaluation.counted.items())[-NAMED_WRITERS:]),
    )
