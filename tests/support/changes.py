"""Verdicts that a test sets by hand, and an outbox of them with a sender."""

from collections.abc import Mapping
from typing import Any, final

from driftgauge.events.event_sender import EventSender
from driftgauge.events.event_target import EventTarget
from driftgauge.events.model_changes import EVENT_TYPES, ChangeLimits
from driftgauge.events.outbox import Outbox, OutboxRules
from driftgauge.events.verdicts import Seen, Verdict, VerdictKey
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.outgoing.retry import Backoff
from driftgauge.storage.memory import MemoryStates
from driftgauge.storage.stream_states import StateStore
from tests.support.clock import ManualClock
from tests.support.models import WINE

INPUTS = VerdictKey(Verdict.DRIFT, "inputs")
REFERENCE = VerdictKey(Verdict.REFERENCE)
CONCEPT = VerdictKey(Verdict.CONCEPT, "quality")

OK, DRIFT, UNSURE = "ok", "drift", "cannot_tell"

LIMITS = ChangeLimits(cooldown_seconds=60, settle_seconds=300)
TERM = "a1/1"


def seen(state: str, since: float | None = None) -> Seen:
    """A verdict."""
    return Seen(state, since, lambda: {"reading": f"It is {state}."})


@final
class ChangingModels:
    """Models whose verdicts the test sets, with an outbox and a sender, as one replica has them.

    Args:
        url: The receiver.
        states: The store, which replicas share.
        clock: The clock, which they share too.
        limits: What keeps events few.
        attempt_seconds: Longest time of one attempt.
    """

    def __init__(
        self,
        url: str,
        states: StateStore | None = None,
        clock: ManualClock | None = None,
        limits: ChangeLimits = LIMITS,
        attempt_seconds: float = 10.0,
    ) -> None:
        self.clock = ManualClock(1_000_000) if clock is None else clock
        self.states = MemoryStates() if states is None else states
        self.metrics = Metrics("200")
        self.verdicts: dict[ModelKey, Mapping[VerdictKey, Seen]] = {}
        counts = self.metrics.watch_events(EVENT_TYPES)
        self.outbox = Outbox(
            self.states,
            lambda model: self.verdicts.get(model, {}),
            OutboxRules(limits, refresh_seconds=3_600),
            clock=self.clock,
            count=counts.count,
            on_replaced=self.metrics.count_replaced_key,
        )
        counts.show_pending(self.outbox.pending)
        self.target = EventTarget(url, attempt_seconds=attempt_seconds)
        self.sender = EventSender(
            self.outbox,
            self.target,
            shown="the receiver",
            extensions={},
            clock=self.clock,
            timer=self.clock,
            backoff=Backoff(1.0, 120.0, lambda _, limit: limit),
        )

    async def look(
        self,
        state: str,
        *,
        key: VerdictKey = INPUTS,
        model: ModelKey = WINE,
        token: str | None = TERM,
        since: float | None = None,
    ) -> bool:
        """Look at a model with one verdict; returns whether the term goes on."""
        self.verdicts[model] = {key: seen(state, since)}
        return await self.outbox.observe(model, token)

    async def send(self) -> None:
        """Send what is due."""
        await self.sender.send_due()

    def counts(self) -> dict[str, float]:
        """The events by outcome, without those that never happened."""
        found: dict[str, float] = {}
        for sample in samples(self.metrics):
            found[sample.labels["outcome"]] = found.get(sample.labels["outcome"], 0) + sample.value
        return {outcome: number for outcome, number in found.items() if number}


def samples(metrics: Metrics) -> list[Any]:
    """The series of `driftgauge_events_total`."""
    return [
        sample
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "driftgauge_events_total"
    ]
