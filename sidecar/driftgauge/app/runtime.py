"""The parts of a process that both modes have, and what runs in the background."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial

from driftgauge.admin.server import Admin, Ready
from driftgauge.admin.views import Views
from driftgauge.app.model_places import ModelExpiry, ModelHolder, make_models
from driftgauge.app.status_facts import status_facts
from driftgauge.app.stores import open_stores
from driftgauge.app.trust import make_trust
from driftgauge.config.options import Config
from driftgauge.drift.budget import Budget, Decision
from driftgauge.drift.rule import Rule
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import ModelKey
from driftgauge.inference.revisions import LIVE_REVISIONS
from driftgauge.ingest.pipeline import Pipeline, PipelineSettings
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.coordinator import Coordinator
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.model_evaluator import ModelEvaluator
from driftgauge.monitoring.monitor import Monitor, ReferenceWatcher
from driftgauge.monitoring.restoring import ModelRestorer
from driftgauge.monitoring.sharing import SharedResults
from driftgauge.monitoring.targets import ReferenceSize, Targets
from driftgauge.protocol.missing_words import split_words
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.file_limits import FileLimits
from driftgauge.reference.loading import ChildLoader
from driftgauge.reference.store import ReferenceStore
from driftgauge.results.latest import LatestEvaluations
from driftgauge.server.reloaded_files import reload_regularly
from driftgauge.storage.leases import StoreClock

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
        stale_seconds = _MISSED_EVALUATIONS * config.evaluation_interval_seconds
        self.clock = StoreClock()
        self.latest = LatestEvaluations(stale_seconds, self.clock)
        self.metrics = Metrics(code)
        self.trust = make_trust(config, self.metrics)
        self.metrics.watch_evaluations(self.latest, config.max_features)
        self.stores = open_stores(config, self.metrics, self.clock)
        ring, states = self.stores.ring, self.stores.states
        self._references = references = reference_store(config)
        self.models = make_models(config, model, references, self.metrics)

        most = LIVE_REVISIONS * (config.max_models + _MAX_REFERENCED_MODELS)
        outputs = OutputColumns(most, self._report_untested)
        self.pipeline = Pipeline(_pipeline_settings(config), ring, references, self.metrics, outputs, time.monotonic)
        self.metrics.watch_queue(lambda: self.pipeline.waiting, config.queue_payloads)

        rule = decision_rule(config)
        baselines = Baselines(
            ring, states, outputs, min(config.baseline_rows, config.window_rows), self.metrics.count_replaced_key
        )
        self._size = size = ReferenceSize(rule.budget, config.window_rows)
        self._targets = Targets(references, baselines, self.latest, size)
        self._evaluator = Evaluator(ring, states, self.metrics, rule, self.clock)
        self._restorer = ModelRestorer(ring, model, self.models, self._targets, self.metrics)
        self._coordinator = Coordinator(
            self.stores.leases,
            self._targets.reference_identity,
            self.clock,
            stale_seconds,
            self.metrics.count_unreadable_result,
        )
        self.metrics.watch_leases(self._coordinator.evaluated, self._coordinator.known)
        results = self.stores.results
        self._sharing = (
            None
            if results is None
            else SharedResults(results, self.latest, self.clock, self.metrics.count_unreadable_result)
        )
        models = ModelEvaluator(self._evaluator, self._targets, self.metrics, self.latest, self.clock)
        self._monitor = Monitor(self.models, models, self._coordinator, self._sharing, self.metrics, self.latest)
        loader = ChildLoader(file_limits(config).memory_bytes)
        self._reference_watcher = ReferenceWatcher(references, self._targets, self.models, self.metrics, loader)
        holders: list[ModelHolder] = [self.metrics, self.latest, outputs, self._targets, self._evaluator, models]
        holders += [self._coordinator, ring, states, self.stores.leases]
        self._expiry = ModelExpiry(self.models, holders if self._sharing is None else [*holders, self._sharing])
        interval = config.evaluation_interval_seconds
        self.views = Views(self._evaluator, self._targets, self.latest, rule, self.clock, interval)
        if model is not None:
            self.models.add(model)
            self.metrics.model(model)

    def _report_untested(self, model: ModelKey, output: str, cause: str) -> None:
        self.metrics.model(model).untested_outputs.inc()
        _log.warning("output %r of %s is not tested: %s", output[:_SHOWN_CHARS], model, cause)

    def make_admin(self, ready: Ready) -> Admin:
        """Make the server of the admin port.

        Args:
            ready: Returns why the process is not ready.
        """
        capture = self.views.capture if self.config.allow_capture else None
        status = partial(status_facts, self.config, self._model, self._references, self._size)
        guard = self.trust.admin_guard
        authorize = None if guard is None else guard.admits_authorization
        return Admin(
            self.metrics.registry,
            ready,
            self.latest,
            self.views.page,
            capture,
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
            asyncio.create_task(reload_regularly(self.trust.files, self.config.reference_poll_seconds)),
        ]
        if self.stores.follow_master is not None:
            background.append(asyncio.create_task(self.stores.follow_master()))
        try:
            yield
        finally:
            self.pipeline.stop()
            flushing = {pipeline} if flush is None else {pipeline, asyncio.create_task(flush())}
            await asyncio.wait(flushing, timeout=self.config.drain_timeout_seconds)
            await cancel(*flushing, *background)
            await self._release_leases()
            for error in (task.exception() for task in flushing if not task.cancelled()):
                if error is not None:
                    _log.error("rows may be lost: the last flush failed", exc_info=error)
            await self.pipeline.close()
            self._evaluator.close()
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


def decision_rule(config: Config) -> Rule:
    """The rule of the verdicts."""
    budget = Budget(
        config.false_alarm_interval,
        config.evaluation_interval_seconds,
        config.drift_tolerance,
        config.share_tolerance,
        config.tolerance_beyond_reference,
    )
    uses_budget = config.decision is Decision.BUDGET
    return Rule(config.alpha, config.correction, config.min_rows, budget if uses_budget else None)


def reference_store(config: Config) -> ReferenceStore:
    """The store of the references, still empty."""
    time_rules = TimeRules(config.time_column, config.reference_ordered, config.rhythm_timezone)
    rules = ColumnRules(missing_words=split_words(config.missing_words), time=time_rules)
    return ReferenceStore(config.reference, config.reference_dir, rules, file_limits(config))


def file_limits(config: Config) -> FileLimits:
    """How large the file of a reference may be."""
    return FileLimits(config.max_reference_bytes, config.max_reference_values)


def _pipeline_settings(config: Config) -> PipelineSettings:
    return PipelineSettings(
        queue_payloads=config.queue_payloads,
        queue_bytes=config.queue_bytes,
        queue_seconds=config.queue_seconds,
        max_payload_bytes=config.max_payload_bytes,
        window_rows=config.window_rows,
        flush_interval_seconds=config.flush_interval_seconds,
        sample_ratio=config.sample_ratio,
    )
