"""The composition root: builds everything by hand, starts it in order, stops it in reverse."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from sidecar import __version__
from sidecar.admin import Admin
from sidecar.config import Config, LoggerConfig, ProxyConfig
from sidecar.drift.report import Rule
from sidecar.errors import ConfigError, StorageError
from sidecar.metrics import Metrics
from sidecar.models import OTHER, KnownModels, folded
from sidecar.monitor import Monitor
from sidecar.pairing import Pairing
from sidecar.payload import ModelKey
from sidecar.pipeline import Pipeline, PipelineSettings
from sidecar.proxy import Proxy, ProxySettings
from sidecar.receiver import Receiver
from sidecar.reference import References
from sidecar.storage.memory import MemoryRing
from sidecar.storage.memory_pairs import MemoryPairs
from sidecar.storage.observed import ObservedPairs, ObservedRing, Report
from sidecar.storage.pairs import PairStore
from sidecar.storage.redis import RedisRing
from sidecar.storage.redis_client import connect
from sidecar.storage.redis_pairs import RedisPairs
from sidecar.storage.ring import RingBuffer

_log = logging.getLogger(__name__)

_FIRST_LOAD_SECONDS = 5
"""How long the doors wait for the first load of the references: a volume that hangs must not keep them shut."""

_PAIRING_INTERVAL_SECONDS = 0.5
_MISSED_EVALUATIONS = 3
"""Evaluations that may fail or be late before the gauges of the last one vanish."""

_PAIR_CAPACITY = 200_000
"""Halves that the in-memory store keeps: some 50 MB when it is full."""


class Door(Protocol):
    """Where payloads come in: `Proxy` or `Receiver`."""

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""

    def announce(self) -> None:
        """From now on ask clients to leave with each answer."""

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more, finish what has begun within the limit."""

    async def close(self) -> None:
        """Close every connection."""


class House:
    """All rooms of one process but its door.

    Args:
        config: The options.
        code: Status code of a usual request: `200`, or empty where codes are not told.
        own: The proxy's model; `None` in the logger.
    """

    def __init__(self, config: Config, code: str, own: ModelKey | None = None) -> None:
        self.config = config
        self.draining = False
        self._own = own
        self.models = KnownModels(config.max_models, other=OTHER if own is None else folded(own))
        self.metrics = Metrics(code, _MISSED_EVALUATIONS * config.evaluation_interval_seconds)
        self.ring, self.pairs = _storage(config, self.metrics)
        self.references = References(config.reference, config.reference_dir)
        self.pipeline = Pipeline(_pipeline_settings(config), self.ring, self.references, self.metrics)
        self.metrics.watch_queue(lambda: self.pipeline.waiting, config.queue_payloads)
        rule = Rule(config.alpha, config.correction, config.min_rows)
        self.monitor = Monitor(self.ring, self.references, self.models, self.metrics, rule)
        if own is not None:
            self.models.add(own)
            self.metrics.model(own)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Every room at work inside; on the way out the queue is flushed within the limit."""
        first_load = await self._first_load()
        pipeline = asyncio.create_task(self.pipeline.run())
        clocks = [
            first_load,
            asyncio.create_task(self.monitor.watch_references(self.config.reference_poll_seconds)),
            asyncio.create_task(self.monitor.run(self.config.evaluation_interval_seconds)),
            asyncio.create_task(self._greet_storage()),
        ]
        try:
            yield
        finally:
            self.pipeline.stop()
            await asyncio.wait({pipeline}, timeout=self.config.drain_timeout_seconds)
            await _cancel(pipeline, *clocks)
            self.pipeline.close()
            self.monitor.close()
            await self.pairs.close()
            await self.ring.close()

    async def _first_load(self) -> asyncio.Task[None]:
        load = asyncio.create_task(self.monitor.refresh())
        done, _ = await asyncio.wait({load}, timeout=_FIRST_LOAD_SECONDS)
        if not done:
            _log.warning("the references are still being read; serving begins without them")
        return load

    async def _greet_storage(self) -> None:
        try:
            await self.ring.ping()
        except StorageError as error:
            _log.warning("%s; rows are dropped and counted until it answers", error)
        else:
            await self.monitor.recall(self._own)


async def run_proxy(config: ProxyConfig) -> None:
    """Serve as proxy until a signal ends it."""
    name = config.inference_service
    model = ModelKey(config.namespace, name, config.component, name)
    house = House(config, "200", model)
    settings = ProxySettings(
        upstream_url=config.upstream_url,
        upstream_timeout_seconds=config.upstream_timeout_seconds,
        max_payload_bytes=config.max_payload_bytes,
        tap_bytes=config.queue_bytes,
        merge_metrics=config.merge_metrics,
    )
    proxy = Proxy(settings, model, house.pipeline.offer, house.metrics, house.models)

    async def ready() -> str | None:
        """Ready while the model server can be reached; Redis has no say."""
        if house.draining:
            return "draining"
        return (
            None if await proxy.upstream_reachable() else f"the model server at {config.upstream_url} cannot be reached"
        )

    await _serve(house, proxy, Admin(house.metrics.registry, ready, house.metrics.drift.fresh), "proxy")


async def run_logger(config: LoggerConfig) -> None:
    """Serve as the target of KServe's loggers until a signal ends it."""
    house = House(config, "")
    pairing = Pairing(house.pairs, house.metrics, config.pair_ttl_seconds, time.monotonic)
    receiver = Receiver(
        house.pipeline.offer, pairing.offer, house.metrics, house.models, max_event_bytes=config.max_event_bytes
    )

    async def ready() -> str | None:
        """Ready while it listens."""
        return "draining" if house.draining else None

    admin = Admin(house.metrics.registry, ready, house.metrics.drift.fresh)
    async with _background(pairing.run(_PAIRING_INTERVAL_SECONDS)):
        await _serve(house, receiver, admin, "logger", pairing.advance)


async def _serve(
    house: House, door: Door, admin: Admin, mode: str, flush: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Open the doors, wait for a signal, and leave in order: unready, finish, flush."""
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    config = house.config
    async with AsyncExitStack() as stack:
        stack.push_async_callback(admin.close)
        await stack.enter_async_context(house.running())
        stack.push_async_callback(door.close)
        port = await _listen("port", door.start(config.host, config.port))
        # Last, so that whoever sees the process alive can also send to it; closed last too, to be scraped to the end.
        admin_port = await _listen("admin_port", admin.start(config.host, config.admin_port))
        _log.info("driftgauge %s %s: data port %d, admin port %d", mode, __version__, port, admin_port)
        await signalled.wait()
        house.draining = True
        door.announce()
        signalled.clear()
        _log.info("draining: unready, serving for another %g s (a second signal ends that)", config.drain_delay_seconds)
        await _within(config.drain_delay_seconds, signalled.wait())
        await door.drain(config.drain_timeout_seconds)
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


def _storage(config: Config, metrics: Metrics) -> tuple[RingBuffer, PairStore]:
    ttl = config.pair_ttl_seconds if isinstance(config, LoggerConfig) else 1.0
    if config.redis_url is None:
        return MemoryRing(config.window_rows), MemoryPairs(ttl, _PAIR_CAPACITY, time.monotonic)
    password = config.redis_password.get_secret_value() if config.redis_password else None
    timeout = config.redis_timeout_seconds
    client = connect(config.redis_url.get_secret_value(), timeout, password)
    report = _redis_report(metrics)
    ring = RedisRing(client, config.window_rows, config.ring_ttl_seconds, timeout)
    return ObservedRing(ring, report), ObservedPairs(RedisPairs(client, ttl, timeout), report)


def _redis_report(metrics: Metrics) -> Report:
    up, errors = metrics.watch_redis()

    def report(answered: bool) -> None:  # noqa: FBT001 the callable's one argument
        up.set(answered)
        if not answered:
            errors.inc()

    return report


def _pipeline_settings(config: Config) -> PipelineSettings:
    return PipelineSettings(
        queue_payloads=config.queue_payloads,
        queue_bytes=config.queue_bytes,
        max_payload_bytes=config.max_payload_bytes,
        window_rows=config.window_rows,
        flush_interval_seconds=config.flush_interval_seconds,
        sample_ratio=config.sample_ratio,
    )
