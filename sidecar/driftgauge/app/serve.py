"""The two servers: they make a runtime and an ingress, serve until a signal, and stop in order."""

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from driftgauge import __version__
from driftgauge.admin.server import Admin
from driftgauge.app.runtime import Runtime, cancel
from driftgauge.build_kind import build_kind
from driftgauge.config.options import LoggerConfig, ProxyConfig, split_urls
from driftgauge.errors import ConfigError
from driftgauge.inference.payload import ModelKey
from driftgauge.inference.revisions import read_revision
from driftgauge.server.tls import Tls

_log = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.0005
"""How long another thread may keep the interpreter's lock while the event loop waits for it.

The event loop needs the lock for microseconds at a time. CPython's default of 5 ms could delay a request at each of its
events.
"""

_PAIRING_INTERVAL_SECONDS = 0.5


class Ingress(Protocol):
    """The server of the data port: `Proxy` or `Receiver`."""

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given. Returns the port."""

    @property
    def draining(self) -> bool:
        """Whether clients are asked to close their connections."""

    def begin_drain(self) -> None:
        """Ask clients, in each response from now on, to close their connection."""

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no new connections, and finish the open requests within the limit."""

    async def close(self) -> None:
        """Close every connection."""


async def run_proxy(config: ProxyConfig) -> None:
    """Serve as a proxy until a signal."""
    from driftgauge.proxy.proxy import Proxy, ProxySettings  # noqa: PLC0415 - the logger saves its memory

    name = config.inference_service
    model = ModelKey(config.namespace, name, config.component, name, read_revision(config.revision, name))
    runtime = Runtime(config, "200", model)
    settings = ProxySettings(
        upstream_url=config.upstream_url,
        upstream_timeout_seconds=config.upstream_timeout_seconds,
        sends_again=config.resend == "auto",
        max_payload_bytes=config.max_payload_bytes,
        copy_bytes=config.queue_bytes,
        max_connections=config.max_connections,
        merge_metrics=config.merge_metrics,
    )
    proxy = Proxy(
        settings,
        model=model,
        offer=runtime.pipeline.offer,
        metrics=runtime.metrics,
        models=runtime.models,
    )

    async def check_ready() -> str | None:
        """Ready while the model server can be reached. Redis does not count: requests do not need it."""
        if proxy.draining:
            return "draining"
        if await proxy.upstream_reachable():
            return None
        return f"the model server at {config.upstream_url} cannot be reached"

    await _serve(runtime, proxy, runtime.make_admin(check_ready), "proxy")


async def run_logger(config: LoggerConfig) -> None:
    """Serve as the target of KServe's agents until a signal."""
    from driftgauge.logger.fan_out.fan_out import FanOut  # noqa: PLC0415 - the proxy saves its memory
    from driftgauge.logger.fan_out.target import ForwardLimits  # noqa: PLC0415 - the proxy saves its memory
    from driftgauge.logger.inference_filter import InferenceFilter  # noqa: PLC0415 - the proxy saves its memory
    from driftgauge.logger.pair_sampling import PairSampling  # noqa: PLC0415 - the proxy saves its memory
    from driftgauge.logger.pairing import Pairing  # noqa: PLC0415 - the proxy saves its memory
    from driftgauge.logger.receiver import Receiver  # noqa: PLC0415 - the proxy saves its memory
    from driftgauge.logger.revision_reader import RevisionReader  # noqa: PLC0415 - the proxy saves its memory

    runtime = Runtime(config, "")
    pairing = Pairing(runtime.stores.pairs, runtime.metrics, config.pair_ttl_seconds, time.monotonic)
    limits = ForwardLimits(config.forward_queue_events, config.forward_queue_bytes, config.forward_timeout_seconds)
    fan_out = FanOut(split_urls(config.forward_url), limits, runtime.metrics.watch_forwarding())
    guard = runtime.trust.data_guard
    receiver = Receiver(
        offer=runtime.pipeline.offer,
        pair=pairing.offer,
        metrics=runtime.metrics,
        models=runtime.models,
        inferences=InferenceFilter(config.pair_ttl_seconds, time.monotonic),
        revisions=RevisionReader(config.revision_annotation, runtime.metrics),
        sampling=PairSampling(config.pair_ttl_seconds, time.monotonic),
        max_event_bytes=config.max_event_bytes,
        budget_bytes=max(config.queue_bytes, config.max_event_bytes),
        max_connections=config.max_connections,
        send_on=fan_out.offer,
        authorize=None if guard is None else guard.admits_head,
    )

    async def check_ready() -> str | None:
        """Ready while it listens."""
        return "draining" if receiver.draining else None

    async def flush() -> None:
        """Pair what has come, and send on what waits; the end of one does not wait for the other."""
        await asyncio.gather(pairing.close(), fan_out.flush())

    async with _running(pairing.run(_PAIRING_INTERVAL_SECONDS)), fan_out.running():
        await _serve(runtime, receiver, runtime.make_admin(check_ready), "logger", flush)


async def _serve(
    runtime: Runtime,
    ingress: Ingress,
    admin: Admin,
    mode: str,
    flush: Callable[[], Coroutine[None, None, None]] | None = None,
) -> None:
    """Listen on both ports, wait for a signal, then drain and stop."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    signalled = _signalled()
    config, trust = runtime.config, runtime.trust
    async with AsyncExitStack() as stack:
        stack.callback(runtime.views.close)
        stack.callback(runtime.export_view.close)
        # The admin port closes after all else, so that Prometheus can scrape until the end.
        stack.push_async_callback(admin.close)
        await stack.enter_async_context(runtime.running(flush))
        stack.push_async_callback(ingress.close)
        port = await _listen("port", ingress.start(config.host, config.port, trust.data_tls))
        labels_port = 0
        if runtime.labels is not None:
            stack.push_async_callback(runtime.labels.stop_listening)
            starting = runtime.labels.start(config.host, config.labels_port, trust.labels_tls)
            labels_port = await _listen("labels_port", starting)
        # The admin port opens last: when `/healthz` responds, the data port listens too.
        admin_port = await _listen("admin_port", admin.start(config.host, config.admin_port, trust.admin_tls))
        # These objects stay until the end. Frozen, they are skipped by full collections, which would otherwise stop
        # every request for 10 ms.
        gc.collect()
        gc.freeze()
        # What lives as long as a request or a batch has no cycles; the default of 700 looks for some all the time. All
        # else waits for a collection: of 5,000 new objects some 1 ms, of 20,000 often 10.
        gc.set_threshold(5_000, 20, 50)
        others = f", labels port {labels_port}" if labels_port else ""
        version = f"{__version__} ({build_kind()})"
        _log.info("driftgauge %s %s: data port %d, admin port %d%s", mode, version, port, admin_port, others)
        await signalled.wait()
        await _drain(runtime, ingress, signalled)
    _log.info("done")


def _signalled() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    return signalled


async def _drain(runtime: Runtime, ingress: Ingress, signalled: asyncio.Event) -> None:
    """Become unready, serve for the delay until no new requests are routed here, and finish the open requests."""
    config = runtime.config
    ingress.begin_drain()
    if runtime.labels is not None:
        runtime.labels.begin_drain()
    signalled.clear()
    _log.info("draining: unready, serving for another %g s (a second signal ends that)", config.drain_delay_seconds)
    await _wait_at_most(config.drain_delay_seconds, signalled.wait())
    await ingress.drain(config.drain_timeout_seconds)


async def _listen(option: str, start: Awaitable[int]) -> int:
    try:
        return await start
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError([f"{option}: cannot listen ({why})"]) from None


async def _wait_at_most(seconds: float, work: Awaitable[object]) -> None:
    """Wait for work, and cancel it after the limit."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        pass


@asynccontextmanager
async def _running(work: Awaitable[None]) -> AsyncIterator[None]:
    """Run work in a task of its own, which is cancelled at the end of the block."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        await cancel(task)
