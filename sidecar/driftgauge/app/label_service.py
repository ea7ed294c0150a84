"""The parts that take labels, which a process has only if its labels port is open."""

import asyncio
import time
from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from typing import Final, final

from driftgauge.config.options import Config, LoggerConfig, ProxyConfig
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import ModelKey
from driftgauge.ingest.label_feed import LabelFeed, Layouts
from driftgauge.labels.label_models import LabelModels
from driftgauge.labels.label_results import MatcherLimits
from driftgauge.labels.label_server import LabelServer
from driftgauge.labels.matcher import Matcher
from driftgauge.labels.pace import LabelPace
from driftgauge.metrics.registry import Metrics
from driftgauge.server.tls import Tls
from driftgauge.storage.labels import LabelOutcome, LabelStore, Put
from driftgauge.storage.ring import RingBuffer

_PROXY_EARLY_SECONDS: Final = 300.0
"""How long an early label waits in a proxy, which has no `pair_ttl_seconds`: the default of that option."""

_MATCH_SECONDS: Final = 1.0
"""Time between two looks for early labels that are due. Labels that are queued do not wait for it."""

_MATURE_SECONDS: Final = 30.0
"""Most time between two judgements of rows that have become old enough."""

_FEED_CLOSE_SECONDS: Final = 2.0
_MATCH_CLOSE_SECONDS: Final = 3.0
"""How long a process that ends puts responses into the store, and then matches labels."""


@final
class LabelService:
    """Lets responses wait, takes labels, matches them, and lets rows be judged when they are old enough.

    Args:
        config: The options.
        store: The responses that wait.
        ring: Knows the models of other processes.
        known: The models that the process knows.
        metrics: Where labels are counted.
        authorize: Returns whether the value of an `Authorization` header has a valid token; `None` if anybody may post.
        layouts: Of which outputs labels are taken.
        lowest_ratio: As of `MatcherLimits`.
        on_displaced: Called with the number of responses of a model whose id came again.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        config: Config,
        store: LabelStore,
        ring: RingBuffer,
        *,
        known: KnownModels,
        metrics: Metrics,
        authorize: Callable[[str | None], bool] | None,
        layouts: Layouts,
        lowest_ratio: Callable[[Iterable[ModelKey]], float],
        on_displaced: Callable[[ModelKey, int], None],
    ) -> None:
        early_seconds, max_body_bytes = _PROXY_EARLY_SECONDS, config.max_payload_bytes
        if isinstance(config, LoggerConfig):
            early_seconds, max_body_bytes = config.pair_ttl_seconds, config.max_event_bytes
        self._store = store
        self.counts = metrics.watch_labels([*LabelOutcome])
        self._mature_seconds = min(config.evaluation_interval_seconds, _MATURE_SECONDS)
        limits = MatcherLimits(early_seconds, lowest_ratio)
        self._on_displaced = on_displaced
        self.feed = LabelFeed(
            store,
            layouts,
            lambda model, number: self.counts.count_rows(model, dropped=number),
            on_put=self._note_put,
        )
        pace = LabelPace(ring, config.window_rows, limits.early_seconds, time.monotonic)
        self._models = LabelModels(
            known, ring, time.monotonic, self.counts.start, are_missing=lambda: self.matcher.early > 0
        )
        self.matcher = Matcher(store, self.counts, limits, pace, time.monotonic, self._models.candidates)
        self.counts.show_waiting(lambda: self.matcher.waiting, lambda: self.matcher.early)
        namespaces = None  # who has the token may learn the names of all models
        if authorize is None:
            namespaces = {config.namespace} if isinstance(config, ProxyConfig) else set[str]()
        self._server = LabelServer(self.matcher, self._models, max_body_bytes, authorize, namespaces)

    async def start(self, host: str, port: int, tls: Tls | None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        return await self._server.start(host, port, tls)

    def begin_drain(self) -> None:
        """Take no more labels, and match those that were taken while the admin port still shows their counters."""
        self._server.begin_drain()
        self.matcher.begin_end()

    async def stop_listening(self) -> None:
        """Close the port."""
        await self._server.close()

    async def run(self) -> None:
        """Let responses wait, match labels, and let rows be judged, until cancelled; the feed goes on until `close`."""
        self.feed.start()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.matcher.run(_MATCH_SECONDS))
            tasks.create_task(self._mature())

    async def close(self) -> None:
        """Put the responses and match the labels that are queued, within some seconds, and count all that wait."""
        await self.feed.close(_FEED_CLOSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_MATCH_CLOSE_SECONDS):
                await self.matcher.close()

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget models that neither are in `models` nor had labels of another process's model."""
        self._models.retain(models)
        self.counts.retain(self._models)
        self.matcher.retain(self._models)
        self._store.retain(self._models)

    def _note_put(self, model: ModelKey, put: Put) -> None:
        if put.displaced:
            self._on_displaced(model, put.displaced)

    async def _mature(self) -> None:
        waits = False
        while True:
            await asyncio.sleep(_MATCH_SECONDS if waits else self._mature_seconds)
            waits = await self.matcher.mature(list(self._models))
