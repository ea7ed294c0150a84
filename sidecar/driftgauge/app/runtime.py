"""The composition root: builds everything by hand, starts it in order, stops it in reverse."""

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from driftgauge import __version__
from driftgauge.admin.server import Admin, Ready
from driftgauge.admin.views import Views
from driftgauge.app.stores import open_stores
from driftgauge.concurrency.worker import low_priority_executor
from driftgauge.config.options import Config, LoggerConfig, ProxyConfig
from driftgauge.drift.budget import Budget, Decision
from driftgauge.drift.rule import Rule
from driftgauge.errors import ConfigError, StorageError
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.models import OVERFLOW, KnownModels, overflow_key
from driftgauge.inference.payload import ModelKey
from driftgauge.ingest.pipeline import Pipeline, PipelineSettings
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.monitor import Monitor
from driftgauge.monitoring.targets import ReferenceSize, Targets
from driftgauge.reference.store import ReferenceStore

_log = logging.getLogger(__name__)

_FIRST_LOAD_SECONDS = 5
"""How long the doors wait for the first load of the references: a volume that hangs must not keep them shut."""

_SWITCH_SECONDS = 0.0005
"""How long a thread that evaluates, decodes or renders may keep the interpreter from the loop, which carries requests
and wants it for microseconds. CPython's own 5 ms would be added to a request at each of its events."""

_PAIRING_INTERVAL_SECONDS = 0.5
_MISSED_EVALUATIONS = 3
"""Evaluations that may fail or be late before the gauges of the last one vanish."""


class Ingress(Protocol):
    """Where payloads come in: `Proxy` or `Receiver`."""

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""

    @property
    def draining(self) -> bool:
        """Whether clients are asked to leave."""

    def begin_drain(self) -> None:
        """Ask clients to leave with each response."""

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more, finish what has begun within the limit."""

    async def close(self) -> None:
        """Close every connection."""


class Runtime:
    """All rooms of one process but its door.

    Args:
        config: The options.
        code: Status code of a usual request: `200`, or empty where codes are not told.
        own: The proxy's model; `None` in the logger.
    """

    def __init__(self, config: Config, code: str, own: ModelKey | None = None) -> None:
        self.config = config
        self._own = own
        self.models = KnownModels(config.max_models, other=OVERFLOW if own is None else overflow_key(own))
        stale_seconds = _MISSED_EVALUATIONS * config.evaluation_interval_seconds
        self.metrics = Metrics(code, stale_seconds, max_features=config.max_features)
        self.stores = open_stores(config, self.metrics)
        self.references = ReferenceStore(config.reference, config.reference_dir)
        outputs = OutputColumns(config.max_models + 1)
        settings = _pipeline_settings(config)
        self.pipeline = Pipeline(settings, self.stores.ring, self.references, self.metrics, outputs)
        self.metrics.watch_queue(lambda: self.pipeline.waiting, config.queue_payloads)
        rule = _rule(config)
        baselines = Baselines(
            self.stores.ring, self.stores.states, outputs, min(config.baseline_rows, config.window_rows)
        )
        targets = Targets(self.references, baselines, self.metrics, ReferenceSize(rule.budget, config.window_rows))
        evaluator = Evaluator(self.stores.ring, self.stores.states, self.metrics, rule, time.time)
        self.monitor = Monitor(evaluator, targets, self.references, self.stores.ring, self.models, self.metrics)
        self._views = Views(self.stores.ring, targets, self.metrics, rule, time.time)
        if own is not None:
            self.models.add(own)
            self.metrics.model(own)

    def admin(self, ready: Ready) -> Admin:
        """The operator's door.

        Args:
            ready: Tells why the process is not ready.
        """
        capture = self._views.capture if self.config.allow_capture else None
        return Admin(self.metrics.registry, ready, self.metrics.drift.fresh, self._views.page, capture)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Every room at work inside; on the way out the queue is flushed within the limit."""
        first_load = await self._first_load()
        pipeline = asyncio.create_task(self.pipeline.run())
        clocks = [
            first_load,
            asyncio.create_task(self.monitor.watch_references(self.config.reference_poll_seconds)),
            asyncio.create_task(self.monitor.run(self.config.evaluation_interval_seconds)),
            asyncio.create_task(self._ping_storage()),
        ]
        try:
            yield
        finally:
            self.pipeline.stop()
            await asyncio.wait({pipeline}, timeout=self.config.drain_timeout_seconds)
            await _cancel(pipeline, *clocks)
            self.pipeline.close()
            self.monitor.close()
            await self.stores.close()

    async def _first_load(self) -> asyncio.Task[None]:
        load = asyncio.create_task(self.monitor.refresh())
        done, _ = await asyncio.wait({load}, timeout=_FIRST_LOAD_SECONDS)
        if not done:
            _log.warning("the references are still being read; serving begins without them")
        return load

    async def _ping_storage(self) -> None:
        try:
            await self.stores.ring.ping()
        except StorageError as error:
            _log.warning("%s; rows are dropped and counted until it answers", error)
        else:
            await self.monitor.recall(self._own)


async def run_proxy(config: ProxyConfig) -> None:
    """Serve as proxy until a signal ends it."""
    from driftgauge.proxy.proxy import Proxy, ProxySettings  # noqa: PLC0415 - the other mode does not pay for it

    name = config.inference_service
    model = ModelKey(config.namespace, name, config.component, name)
    runtime = Runtime(config, "200", model)
    settings = ProxySettings(
        upstream_url=config.upstream_url,
        upstream_timeout_seconds=config.upstream_timeout_seconds,
        max_payload_bytes=config.max_payload_bytes,
        copy_bytes=config.queue_bytes,
        merge_metrics=config.merge_metrics,
    )
    proxy = Proxy(
        settings,
        model=model,
        offer=runtime.pipeline.offer,
        metrics=runtime.metrics,
        models=runtime.models,
    )

    async def ready() -> str | None:
        """Ready while the model server can be reached; Redis has no say."""
        if proxy.draining:
            return "draining"
        return (
            None if await proxy.upstream_reachable() else f"the model server at {config.upstream_url} cannot be reached"
        )

    await _serve(runtime, proxy, runtime.admin(ready), "proxy")


async def run_logger(config: LoggerConfig) -> None:
    """Serve as the target of KServe's loggers until a signal ends it."""
    from driftgauge.logger.pairing import Pairing  # noqa: PLC0415 - the other mode does not pay for it
    from driftgauge.logger.receiver import Receiver  # noqa: PLC0415 - the other mode does not pay for it

    runtime = Runtime(config, "")
    pairing = Pairing(runtime.stores.pairs, runtime.metrics, config.pair_ttl_seconds, time.monotonic)
    receiver = Receiver(
        offer=runtime.pipeline.offer,
        pair=pairing.offer,
        metrics=runtime.metrics,
        models=runtime.models,
        max_event_bytes=config.max_event_bytes,
        budget_bytes=max(config.queue_bytes, config.max_event_bytes),
    )

    async def ready() -> str | None:
        """Ready while it listens."""
        return "draining" if receiver.draining else None

    async with _background(pairing.run(_PAIRING_INTERVAL_SECONDS)):
        await _serve(runtime, receiver, runtime.admin(ready), "logger", pairing.advance)


async def _serve(
    runtime: Runtime, ingress: Ingress, admin: Admin, mode: str, flush: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Open the doors, wait for a signal, and leave in order: unready, finish, flush."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    asyncio.get_running_loop().set_default_executor(low_priority_executor("other", threads=4))
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    config = runtime.config
    async with AsyncExitStack() as stack:
        stack.push_async_callback(admin.close)
        await stack.enter_async_context(runtime.running())
        stack.push_async_callback(ingress.close)
        port = await _listen("port", ingress.start(config.host, config.port))
        # Last, so that whoever sees the process alive can also send to it; closed last too, to be scraped to the end.
        admin_port = await _listen("admin_port", admin.start(config.host, config.admin_port))
        # What stands now stands to the end: a full collection would stop every request for 10 ms to look at it.
        gc.collect()
        gc.freeze()
        _log.info("driftgauge %s %s: data port %d, admin port %d", mode, __version__, port, admin_port)
        await signalled.wait()
        ingress.begin_drain()
        signalled.clear()
        _log.info("draining: unready, serving for another %g s (a second signal ends that)", config.drain_delay_seconds)
        await _within(config.drain_delay_seconds, signalled.wait())
        await ingress.drain(config.drain_timeout_seconds)
        if flush is not None:
            await _within(config.drain_timeout_seconds, flush())
    _log.info("done")


async def _listen(option: str, start: Awaitable[int]) -> int:
    try:
        return await start
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError([f"{option}: cannot listen ({why})"]) from None


async def _within(seconds: float, work: Awaitable[object]) -> None:
    """Wait for work, but no longer."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        pass


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _background(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        await _cancel(task)


def _rule(config: Config) -> Rule:
    budget = Budget(config.false_alarm_interval, config.evaluation_interval_seconds, config.drift_tolerance)
    decided_so = config.decision is Decision.BUDGET
    return Rule(config.alpha, config.correction, config.min_rows, budget if decided_so else None)


def _pipeline_settings(config: Config) -> PipelineSettings:
    return PipelineSettings(
        queue_payloads=config.queue_payloads,
        queue_bytes=config.queue_bytes,
        max_payload_bytes=config.max_payload_bytes,
        window_rows=config.window_rows,
        flush_interval_seconds=config.flush_interval_seconds,
        sample_ratio=config.sample_ratio,
    )
