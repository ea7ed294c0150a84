"""The results on labelled predictions among those that replicas publish for each other."""

import logging
from collections.abc import Callable, Container

from driftgauge.concurrency.worker import Worker
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.latest_outcomes import LatestOutcomes, OutcomeResult
from driftgauge.results.notice import NAMED_WRITERS, Notice, StreamNotice
from driftgauge.results.packed_outcomes import PublishedOutcomes, pack_outcomes, unpack_outcomes
from driftgauge.results.packed_report import report_digest
from driftgauge.storage.ring import StreamKey

_log = logging.getLogger(__name__)


class SharedOutcomes:
    """Packs the results of this replica, and shows those of others.

    Args:
        latest: What this replica shows.
        on_unreadable: Called for each result that cannot be read.
    """

    def __init__(self, latest: LatestOutcomes, on_unreadable: Callable[[], None] = lambda: None) -> None:
        self._latest = latest
        self._on_unreadable = on_unreadable
        self._shown: dict[ModelKey, tuple[str, PublishedOutcomes | None]] = {}
        self._too_large: set[ModelKey] = set()

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the results of models that are not in `models`."""
        for model in [model for model in self._shown if model not in models]:
            del self._shown[model]
        self._too_large = {model for model in self._too_large if model in models}

    async def pack(self, model: ModelKey, worker: Worker) -> tuple[StreamNotice, bytes] | None:
        """The newest result of a model: what the notice says of it, and the rest as bytes; `None` without one."""
        result = self._latest.result(model)
        if result is None:
            return None
        published = PublishedOutcomes(report=result.report, waiting=result.waiting)
        try:
            packed = await worker.run(pack_outcomes, published)
        except ValueError as error:
            if model not in self._too_large:
                self._too_large.add(model)
                _log.warning("other replicas cannot show the results on labels of %s: %s", model, error)
            return None
        return _notice_of(result, report_digest(packed)), packed

    def reference(self, model: ModelKey) -> ReferenceFacts | None:
        """What this replica compares the outcomes of a model with."""
        return self._latest.reference(model)

    def wanted(self, model: ModelKey, notice: Notice) -> dict[StreamKey, str]:
        """The result that a notice describes, if it is not read yet."""
        one = notice.outcomes
        if one is None or self._shown.get(model, ("",))[0] == one.report:
            return {}
        return {StreamKey(model, Kind.OUTCOME): one.report}

    async def unpack(self, model: ModelKey, digest: str, blob: bytes, worker: Worker) -> None:
        """Read a result; one that cannot be read is counted, and not read again."""
        try:
            self._shown[model] = digest, await worker.run(unpack_outcomes, blob)
        except ValueError as error:
            self._shown[model] = digest, None
            self._on_unreadable()
            _log.debug("a result on labels of %s cannot be read: %s", model, error)

    def show(self, model: ModelKey, notice: Notice) -> None:
        """Show the newest result of a model if it was read; else the one before stays."""
        one = notice.outcomes
        digest, published = self._shown.get(model, ("", None))
        result = None
        if one is not None:
            read = published is not None and digest == one.report
            result = _result_of(one, published) if read and published is not None else self._latest.result(model)
        self._latest.follow(model, result, notice.outcome_reference)


def _result_of(one: StreamNotice, published: PublishedOutcomes) -> OutcomeResult:
    return OutcomeResult(
        report=published.report,
        waiting=published.waiting,
        time=one.time,
        duration_seconds=one.duration_seconds,
        window_time=one.window_time,
        state_unsaved=one.state_unsaved,
        counted=one.counted,
    )


def _notice_of(result: OutcomeResult, digest: str) -> StreamNotice:
    return StreamNotice(
        report=digest,
        time=result.time,
        duration_seconds=result.duration_seconds,
        window_time=result.window_time,
        state_unsaved=result.state_unsaved,
        counted=dict(list(result.counted.items())[-NAMED_WRITERS:]),
    )
