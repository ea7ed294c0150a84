"""Restores the models whose rows outlived a restart, as soon as the store of the rows replies."""

import logging

from driftgauge.errors import StorageError
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import ModelKey, printable
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.targets import Targets
from driftgauge.storage.ring import RingBuffer

_log = logging.getLogger(__name__)

_MAX_PAUSE = 10
"""Most calls of `advance` between two attempts to list the streams of a store that replies, but not in time."""


class ModelRestorer:
    """Adds the models whose rows outlived a restart, so that their verdicts do not wait for traffic.

    Args:
        ring: The store of the rows.
        own: The proxy's model: only models of its InferenceService are added. `None` in the logger: only models that
            have a reference are added, because other processes may keep their rows in the same store.
        models: The known models.
        targets: Says which models have a reference, and records it.
        metrics: Starts the series of a model that is added, and counts names that are no text.
    """

    def __init__(
        self, ring: RingBuffer, own: ModelKey | None, models: KnownModels, targets: Targets, metrics: Metrics
    ) -> None:
        self._ring = ring
        self._own = own
        self._models = models
        self._targets = targets
        self._metrics = metrics
        self._done = False
        self._reachable = True
        self._pause = 0
        self._waited = 0

    async def advance(self) -> None:
        """Try once to restore the models; does nothing after it has succeeded.

        A store that replies, but cannot list its keys in time, is not asked each time: such a list is work for it.
        """
        if self._done or self._waited < self._pause:
            self._waited += 1
            return
        if not await self._is_reachable():
            return
        try:
            await self.restore()
        except StorageError as error:
            self._pause, self._waited = min(2 * self._pause + 1, _MAX_PAUSE), 0
            _log.warning("the models of before the restart cannot be listed yet: %s", error)
        else:
            self._done = True

    async def restore(self) -> None:
        """Add the models that the store has rows of.

        Raises:
            StorageError: The store is away, slow, or has too many keys to list them within the time limit. The models
                of parts of the store of which none of this is true are added.
        """
        away: list[StorageError] = []
        models = sorted({stream.model for stream in await self._ring.streams(away.append)})
        usable = [model for model in models if all(name == printable(name) for name in model)]
        skipped = len(models) - len(usable)
        if skipped:
            _log.warning("%d models in the store have names that are no text and are skipped", skipped)
            self._metrics.count_skipped_keys(skipped)
        ours = [model for model in usable if self._is_ours(model)]
        restored = [model for model in ours if self._models.restore(model)]
        if len(restored) < len(ours):
            text = "%d models in the store get no place, since max_models have places; they get one with their traffic"
            _log.warning(text, len(ours) - len(restored))
        for model in restored:
            self._metrics.model(model)
            self._targets.record_reference(model)
        if away:
            raise away[0]

    async def _is_reachable(self) -> bool:
        """Whether the store replies; that it does not is logged once."""
        try:
            await self._ring.ping()
        except StorageError as error:
            if self._reachable:
                _log.warning("%s; rows are dropped and counted until it replies", error)
            self._reachable = False
            return False
        return True

    def _is_ours(self, model: ModelKey) -> bool:
        if self._own is not None:
            return model._replace(model_name=self._own.model_name) == self._own
        return self._targets.has_reference(model)
