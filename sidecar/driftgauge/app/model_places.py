"""Which models a process knows, and the removal of everything that is kept of the others."""

import asyncio
from collections.abc import Container, Sequence
from typing import Final, Protocol, final

from driftgauge.config.options import Config
from driftgauge.inference.known_models import IdleLimits, KnownModels
from driftgauge.inference.payload import OVERFLOW, ModelKey, overflow_key
from driftgauge.inference.revisions import LIVE_REVISIONS
from driftgauge.metrics.loss_log import LossLog
from driftgauge.metrics.registry import Metrics
from driftgauge.reference.store import ReferenceStore

_REPLACE_SECONDS: Final = 3_600
"""Time without requests after which another model may take a place, if no place is free."""

_SWEEP_SECONDS: Final = 1
"""Time between two removals of what is kept of models that lost their place."""


def make_models(config: Config, own: ModelKey | None, references: ReferenceStore, metrics: Metrics) -> KnownModels:
    """Make the set of known models.

    Args:
        config: The options.
        own: The proxy's model; `None` in the logger.
        references: Its files reserve places in the logger. In the proxy all models have the same reference.
        metrics: Counts events and requests of models that get no place.
    """
    expire_seconds = config.ring_ttl_seconds
    idle = IdleLimits(min(_REPLACE_SECONDS, expire_seconds), expire_seconds)
    if own is None:
        models = KnownModels(config.max_models, idle=idle, reserved_by=references.name_of)
    else:
        models = KnownModels(config.max_models, other=overflow_key(own), idle=idle)
    log, other = LossLog(), OVERFLOW.model_name

    def on_refused(model: ModelKey) -> None:
        metrics.refused_models.inc()
        log.add(f"a model is counted as {other}, because max_models have places", str(model), model._asdict)

    def on_refused_revision(model: ModelKey) -> None:
        metrics.refused_revisions.inc()
        cause = f"a revision is counted as {other}, because {LIVE_REVISIONS} revisions of its model have requests"
        log.add(cause, str(model), model._asdict)

    models.on_refused, models.on_refused_revision = on_refused, on_refused_revision
    return models


class ModelHolder(Protocol):
    """Keeps something for each model."""

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the models that are not in `models`. Never blocks, never raises."""


@final
class ModelExpiry:
    """Removes idle models, and what is kept of models that are no longer known.

    Args:
        models: The known models.
        holders: What keeps something for each model.
    """

    def __init__(self, models: KnownModels, holders: Sequence[ModelHolder]) -> None:
        self._models = models
        self._holders = holders

    async def run(self) -> None:
        """Sweep at a fixed interval until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.sweep()

    def sweep(self) -> None:
        """Remove idle models, and what is kept of all models that have no place.

        An evaluation or a pair that began before a model lost its place may add to it afterwards. The next sweep
        removes that.
        """
        self._models.expire()
        for holder in self._holders:
            holder.retain(self._models)
