"""The parts of a process that both modes have, and what runs in the background."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from driftgauge.admin.allowed_columns import AllowedColumns
from driftgauge.admin.compare_handler import CompareHandler
from driftgauge.admin.export_view import ExportView
from driftgauge.admin.release_view import ReleaseView
from driftgauge.admin.server import Admin, Ready
from driftgauge.admin.views import Views
from driftgauge.app.model_places import ModelExpiry, ModelHolder, make_models
from driftgauge.app.settings import decision_rule, file_limits, pipeline_settings, reference_store
from driftgauge.app.status_facts import status_facts
from driftgauge.app.stores import open_stores
from driftgauge.app.trust import make_trust
from driftgauge.config.options import Config
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import ModelKey
from driftgauge.inference.revisions import LIVE_REVISIONS
from driftgauge.ingest.pipeline import Pipeline
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.coordinator import Coordinator
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.model_evaluator import ModelEvaluator
from driftgauge.monitoring.monitor import Monitor, ReferenceWatcher
from driftgauge.monitoring.release_comparer import ReleaseComparer
from driftgauge.monitoring.restoring import ModelRestorer
from driftgauge.monitoring.sharing import SharedResults
from driftgauge.monitoring.targets import ReferenceSize, Targets
from driftgauge.monitoring.traffic_recorder import TrafficRecorder
from driftgauge.reference.loading import ChildLoader
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_comparisons import LatestComparisons
from driftgauge.server.reloaded_files import Reloadable, reload_regularly
from driftgauge.storage.leases import StoreClock

if TYPE_CHECKING:
    from driftgauge.admin.label_views import LabelViews
    from driftgauge.app.event_parts import EventParts
    from driftgauge.app.label_service import LabelService
    from driftgauge.app.outcome_parts import OutcomeParts

_log = logging.getLogger(__name__)

_FIRST_LOAD_SECONDS = 5
"""How long the ports wait for the first load of the references. A volume that hangs must not keep them closed."""

_MAX_REFERENCED_MODELS = 10_000
"""Models with a reference whose columns of responses are kept, in addition to `max_models`."""

_SHOWN_CHARS = 80
"""Most characters of an output's name in the log, since it comes from the network."""

_RELEASE_SECONDS = 2
"""How long a process that ends takes at most to release its leases."""

_MISSED_EVALUATIONS = 3
"""How many evaluations may fail or be late before the gauges of the last one disappear."""


class Runtime:
    """All parts of a process but its data port.

    Args:
        config: The options.
        code: Status code of an ordinary request: `200`, or empty where status codes are unknown.
        model: The proxy's model; `None` in the logger.
    """

    def __init__(self, config: Config, code: str, model: ModelKey | None = None) -> None:
        self.config = config
        self._model = model
        self._stale_seconds = _MISSED_EVALUATIONS * config.evaluation_interval_seconds
        self.clock = StoreClock()
        self.latest = LatestEvaluations(self._stale_seconds, self.clock)
        self.metrics = Metrics(code, config.sample_ratio)
        self.trust = make_trust(config, self.metrics)
        self.metrics.watch_evaluations(self.latest, config.max_features)
        self.stores = open_stores(config, self.metrics, self.clock)
        self._references = reference_store(config)
        self.models = make_models(config, model, self._references, self.metrics)
        most = LIVE_REVISIONS * (config.max_models + _MAX_REFERENCED_MODELS)
        self._outputs = OutputColumns(most, self._report_untested)
        self.pipeline = self._make_pipeline()

        self._rule = decision_rule(config)
        self._size = ReferenceSize(self._rule.budget, config.window_rows)
        self._targets = self._make_targets()
        self._evaluator = Evaluator(self.stores.ring, self.stores.states, self.metrics, self._rule, self.clock)
        self._coordinator = self._make_coordinator()
        self._outcomes = self._make_outcomes()
        self._sharing = self._make_sharing()
        self._model_evaluator = self._make_model_evaluator()
        self._events = self._make_events()
        changes = None if self._events is None else self._events.outbox
        self._monitor = Monitor(self.models, self._model_evaluator, self._coordinator, self._sharing, changes)
        self._restorer = ModelRestorer(self.stores.ring, model, self.models, self._targets, self.metrics)
        loader = ChildLoader(file_limits(config).memory_bytes)
        self._reference_watcher = ReferenceWatcher(self._references, self._targets, self.models, self.metrics, loader)
        self._traffic = TrafficRecorder(self.metrics, self.stores.states, self.clock)
        self._comparer = self._make_comparer()
        self._comparisons = LatestComparisons()
        self.labels = self._make_labels()
        self._expiry = ModelExpiry(self.models, self._holders())
        allowed = AllowedColumns(config.export_columns)
        labelled = self._make_label_views()
        self.views = self._make_views(labelled, allowed)
        self.export_view = ExportView(
            self._evaluator, self._targets, self._outputs, self.clock, allowed, labels=labelled
        )
        if model is not None:
            self.models.add(model)
            self.metrics.model(model)

    def _make_pipeline(self) -> Pipeline:
        pipeline = Pipeline(
            pipeline_settings(self.config),
            self.stores.ring,
            self._references,
            self.metrics,
            self._outputs,
            time.monotonic,
        )
        self.metrics.watch_queue(lambda: pipeline.waiting, self.config.queue_payloads)
        return pipeline

    def _make_targets(self) -> Targets:
        baselines = Baselines(
            self.stores.ring,
            self.stores.states,
            self._outputs,
            min(self.config.baseline_rows, self.config.window_rows),
            self.metrics.count_replaced_key,
        )
        return Targets(self._references, baselines, self.latest, self._size)

    def _make_coordinator(self) -> Coordinator:
        coordinator = Coordinator(
            self.stores.leases,
            self._targets.reference_identity,
            self.clock,
            self._stale_seconds,
            self.metrics.count_unreadable_result,
        )
        self.metrics.watch_leases(coordinator.evaluated, coordinator.known)
        return coordinator

    def _make_model_evaluator(self) -> ModelEvaluator:
        labelled = None if self._outcomes is None else self._outcomes.models
        return ModelEvaluator(self._evaluator, self._targets, self.metrics, self.latest, self.clock, labelled)

    def _holders(self) -> list[ModelHolder]:
        """All parts that keep something of each model."""
        holders: list[ModelHolder] = [self.metrics, self.latest, self._outputs, self._targets, self._evaluator]
        holders += [self._model_evaluator, self._coordinator]
        holders += [self.stores.ring, self.stores.states, self.stores.leases, self._traffic, self._comparisons]
        labelled = None if self._outcomes is None else self._outcomes.models
        changes = None if self._events is None else self._events.outbox
        return holders + [one for one in (self._sharing, self.labels, labelled, changes) if one is not None]

    def _make_label_views(self) -> "LabelViews | None":
        if self._outcomes is None or self.labels is None:
            return None
        return self._outcomes.views(self.labels.counts, self.labels.matcher.waiting_of)

    def _make_views(self, labelled: "LabelViews | None", allowed: AllowedColumns) -> Views:
        return Views(
            self._evaluator,
            self._targets,
            self.latest,
            self._rule,
            self.clock,
            self.config.evaluation_interval_seconds,
            labels=labelled,
            allowed=allowed,
            releases=ReleaseView(self._comparisons, self.clock),
            sample_note=self.pipeline.sampling.note,
        )

    def _report_untested(self, model: ModelKey, output: str, cause: str) -> None:
        self.metrics.model(model).untested_outputs.inc()
        _log.warning("output %r of %s is not tested: %s", output[:_SHOWN_CHARS], model, cause)

    def _make_outcomes(self) -> "OutcomeParts | None":
        """Make the parts that evaluate labelled predictions; `None` if no labels are taken."""
        if self.stores.labels is None:
            return None
        from driftgauge.app.outcome_parts import OutcomeParts  # noqa: PLC0415 - others save its memory

        return OutcomeParts(
            self.config,
            self.stores.labels,
            self.stores.ring,
            self.stores.states,
            references=self._references,
            outputs=self._outputs,
            metrics=self.metrics,
            inputs=self.latest,
            clock=self.clock,
            stale_seconds=self._stale_seconds,
        )

    def _make_comparer(self) -> ReleaseComparer:
        """Make what compares revisions."""
        stores, window_rows = self.stores, self.config.window_rows
        return ReleaseComparer(
            stores.ring,
            stores.states,
            self._targets,
            self._outputs,
            self.clock,
            window_rows=window_rows,
            labels=stores.labels,
        )

    def _make_sharing(self) -> SharedResults | None:
        """Make what publishes results; `None` without a store that replicas share."""
        results = self.stores.results
        if results is None:
            return None
        outcomes = None if self._outcomes is None else self._outcomes.sharing
        return SharedResults(results, self.latest, self.clock, self.metrics.count_unreadable_result, outcomes)

    def _make_events(self) -> "EventParts | None":
        """Make the parts that send events on changes; `None` if the options have no receiver."""
        if self.config.event_url is None:
            return None
        from driftgauge.app.event_parts import EventParts  # noqa: PLC0415 - others save its memory

        outcomes = None if self._outcomes is None else self._outcomes.latest
        return EventParts(
            self.config,
            self.config.event_url.get_secret_value(),
            self.stores.states,
            metrics=self.metrics,
            latest=self.latest,
            outcomes=outcomes,
            clock=self.clock,
        )

    def _make_labels(self) -> "LabelService | None":
        """Make the parts that take labels; `None` if the options ask for none."""
        if self.stores.labels is None or self._outcomes is None:
            return None
        from driftgauge.app.label_service import LabelService  # noqa: PLC0415 - others save its memory

        guard = self.trust.labels_guard
        if guard is None:
            _log.info("labels_token is not set: whoever reaches labels_port can post labels, which decide alarms")
        authorize = None if guard is None else guard.admits_authorization
        labels = LabelService(
            self.config,
            self.stores.labels,
            self.stores.ring,
            known=self.models,
            metrics=self.metrics,
            authorize=authorize,
            layouts=self._outcomes.layout,
            lowest_ratio=self.pipeline.sampling.lowest,
            on_displaced=self._outcomes.counts.count_displaced,
        )
        self.pipeline.feed_labels(labels.feed)
        return labels

    def make_admin(self, ready: Ready) -> Admin:
        """Make the server of the admin port.

        Args:
            ready: Returns why the process is not ready.
        """
        capture = self.views.capture if self.config.allow_capture else None
        outcomes = None if self._outcomes is None else self._outcomes.latest
        sampling = self.pipeline.sampling
        status = partial(status_facts, self.config, self._model, self._references, self._size, outcomes, sampling)
        guard = self.trust.admin_guard
        authorize = None if guard is None else guard.admits_authorization
        return Admin(
            self.metrics.registry,
            ready,
            self.latest,
            self.views.page,
            capture,
            capture_labels=self.views.capture_labels if self.config.allow_capture else None,
            export=self.export_view.export if self.config.allow_capture else None,
            outcomes=outcomes,
            compare=CompareHandler(self._comparer.compare, self.models, self._comparisons),
            status=status,
            authorize=authorize,
        )

    @asynccontextmanager
    async def running(self, flush: Callable[[], Coroutine[None, None, None]] | None = None) -> AsyncIterator[None]:
        """Run the pipeline, the monitor and the reference watcher during the block, then flush the queue and close.

        Args:
            flush: Writes what else must not be lost; it shares the time limit of the queue.
        """
        first_load = await self._start_first_load()
        pipeline = asyncio.create_task(self.pipeline.run())
        background = [
            first_load,
            asyncio.create_task(self._reference_watcher.run(self.config.reference_poll_seconds)),
            asyncio.create_task(self._monitor.run(self.config.evaluation_interval_seconds, self._restorer)),
            asyncio.create_task(self._expiry.run()),
            asyncio.create_task(self._traffic.run()),
            asyncio.create_task(self.pipeline.sampling.run()),
            asyncio.create_task(reload_regularly(self._reloadables(), self.config.reference_poll_seconds)),
        ]
        if self._events is not None:
            background.append(asyncio.create_task(self._events.sender.run()))
        if self.labels is not None:
            background.append(asyncio.create_task(self.labels.run()))
        if self.stores.follow_master is not None:
            background.append(asyncio.create_task(self.stores.follow_master()))
        try:
            yield
        finally:
            self.pipeline.stop()
            flushing = {pipeline} if flush is None else {pipeline, asyncio.create_task(flush())}
            await asyncio.wait(flushing, timeout=self.config.drain_timeout_seconds)
            await cancel(*flushing, *background)
            if self.labels is not None:
                await self.labels.close()
            if self._events is not None:
                await self._events.close()
            await self._release_leases()
            for error in (task.exception() for task in flushing if not task.cancelled()):
                if error is not None:
                    _log.error("rows may be lost: the last flush failed", exc_info=error)
            await self._close_parts()

    def _reloadables(self) -> tuple[Reloadable, ...]:
        """What to read again when its files change."""
        return self.trust.files if self._events is None else (*self.trust.files, *self._events.files)

    async def _close_parts(self) -> None:
        """Close everything after the last flush, the stores last."""
        if self._outcomes is not None:
            self._outcomes.models.close()
        await self.pipeline.close()
        self._evaluator.close()
        self._comparer.close()
        if self._sharing is not None:
            self._sharing.close()
        self._targets.close()
        await self._reference_watcher.close()
        await self.stores.close()

    async def _release_leases(self) -> None:
        """Let other replicas evaluate at once what this one does; without that they wait for the end of its leases."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._coordinator.release_all()

    async def _start_first_load(self) -> asyncio.Task[None]:
        load = asyncio.create_task(self._reference_watcher.refresh())
        done, _ = await asyncio.wait({load}, timeout=_FIRST_LOAD_SECONDS)
        if not done:
            _log.warning("the references are still being read; serving begins without them")
        return load


async def cancel(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
