"""Writes what each revision's traffic was, slot by slot, into the store that replicas share, for comparisons."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Final

from driftgauge.drift.canary.strata import SLOT_SECONDS
from driftgauge.drift.canary.traffic_counts import TrafficSlot
from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.model_metrics import TrafficTotals
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.traffic_log import TrafficLog, pack_log, unpack_log
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import StateStore

_log = logging.getLogger(__name__)

TRAFFIC: Final = "traffic"
"""The name of the state."""

_KEPT_SLOTS: Final = 90
"""Slots that wait while the store is away: those of a quarter of an hour. Older ones are not compared."""

_ATTEMPTS: Final = 5
"""How often an addition is tried at once, if other replicas add at the same time."""


_CALLS_AT_ONCE: Final = 50
"""Models that are added to at once."""


@dataclass(slots=True)
class _Counted:
    """What was counted of one model.

    Args:
        totals: The counts at the end of the newest slot.
        waiting: Slots that are not in the store.
        addition: The number of the newest addition that was tried.
        sent: The slots of that addition, while it is unknown whether it was made.
    """

    totals: TrafficTotals
    waiting: deque[TrafficSlot] = field(default_factory=lambda: deque(maxlen=_KEPT_SLOTS))
    addition: int = 0
    sent: tuple[TrafficSlot, ...] = ()


class TrafficRecorder:
    """Records the traffic of every model that has a revision.

    Args:
        metrics: Has counted their requests.
        states: The store.
        clock: Returns the time of the store in seconds since the epoch.
    """

    def __init__(self, metrics: Metrics, states: StateStore, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._states = states
        self._clock = clock
        self._writer = secrets.token_hex(8)
        self._counted: dict[ModelKey, _Counted] = {}
        self._is_away = False

    async def run(self) -> None:
        """Record at the end of each slot until cancelled."""
        self.count(-1)
        while True:
            now = self._clock()
            await asyncio.sleep(SLOT_SECONDS - now % SLOT_SECONDS)
            self.count(round(self._clock() / SLOT_SECONDS) - 1)
            await self.flush()

    def count(self, slot: int) -> None:
        """Count what has ended since the last call as that of a slot; at the first call of a model, begin with it."""
        for model, totals in self._metrics.traffic_totals().items():
            known = self._counted.setdefault(model, _Counted(TrafficTotals(0, 0, ())))
            new = totals.since(known.totals, slot)
            known.totals = totals
            if slot >= 0 and (new.requests or new.latencies):
                known.waiting.append(new)

    async def flush(self) -> None:
        """Add what waits to the store; what cannot be added waits on, and no model waits for another. Never raises."""
        waiting = [(model, known) for model, known in self._counted.items() if known.waiting or known.sent]
        errors: list[Exception] = []
        for first in range(0, len(waiting), _CALLS_AT_ONCE):
            some = waiting[first : first + _CALLS_AT_ONCE]
            results = await asyncio.gather(*(self._add(*one) for one in some), return_exceptions=True)
            errors += [one for one in results if isinstance(one, Exception)]
        bugs = [one for one in errors if not isinstance(one, StorageError)]
        if errors and not self._is_away:
            _log.warning("the traffic of revisions waits in memory: %s", errors[0], exc_info=bugs[0] if bugs else None)
        self._is_away = bool(errors)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the models that are not in `models`."""
        for model in [model for model in self._counted if model not in models]:
            del self._counted[model]

    async def _add(self, model: ModelKey, known: _Counted) -> None:
        stream = StreamKey(model, Kind.RESPONSE)
        for _ in range(_ATTEMPTS):
            state = await self._states.load(stream, TRAFFIC)
            log = TrafficLog() if state is None else unpack_log(state.blob)
            if known.sent and log.additions.get(self._writer) == known.addition:
                known.sent = ()  # an addition that was not confirmed had been made
            if not known.sent:
                if not known.waiting:
                    return
                known.sent, known.addition = tuple(known.waiting), known.addition + 1
                known.waiting.clear()
            added = pack_log(log.with_addition(self._writer, known.addition, known.sent))
            if await self._states.save(stream, TRAFFIC, added, 0 if state is None else state.version):
                known.sent = ()
                return
