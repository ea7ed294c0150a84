"""The changes of the verdicts on one model, and the events of them that are not delivered yet. No I/O.

Three rules keep receivers from noise. A verdict of `cannot_tell`, and the end of one, counts only if it lasts without
a break. Events of one series of verdicts are at least a cool-down apart; changes meanwhile are merged into the newest.
And what receivers know already is not sent: a change there and back within the cool-down is merged into nothing.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, NamedTuple, final

from driftgauge.drift.result import VerdictState
from driftgauge.events.verdicts import Seen, Verdict, VerdictKey
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.event_counts import EventOutcome

MAX_PENDING: Final = 64
"""Events of a model that wait. Beyond them the oldest is dropped."""

MAX_KNOWN: Final = 64
"""Series of verdicts of a model that are remembered: twice those that a model with ten outputs has."""

_TYPES: Final = {
    VerdictState.DRIFT: "detected",
    VerdictState.OK: "resolved",
    VerdictState.CANNOT_TELL: "cannot_tell",
}

_ID_BYTES: Final = 16


class ChangeLimits(NamedTuple):
    """What keeps events few.

    Args:
        cooldown_seconds: Least time between two events of one series of verdicts.
        settle_seconds: How long `cannot_tell`, and what follows it, must last until it is a change.
    """

    cooldown_seconds: float
    settle_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one series of verdicts.

    Args:
        state: The state after the last change.
        since: When that change was seen, seconds since the epoch.
        announced: The state that receivers know by an event that can no longer be merged; at first what they assume.
        announced_due: When that event was due; 0 before the first.
        newest: The state of the newest event.
        newest_due: When it is due.
    """

    state: str
    since: float
    announced: str
    announced_due: float
    newest: str
    newest_due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEvent:
    """An event that is not delivered yet.

    Args:
        id: Made of model, verdict and since, so that all replicas give one change one id.
        type: The type of the CloudEvent.
        key: The series of verdicts.
        state: The state that it announces.
        time: When the change was seen, seconds since the epoch.
        due: When it may be sent.
        data: The data, as JSON.
    """

    id: str
    type: str
    key: VerdictKey
    state: str
    time: float
    due: float
    data: str


class VerdictChange(NamedTuple):
    """A change of a verdict.

    Args:
        key: The series of verdicts.
        seen: The verdict.
        previous: The state that receivers know.
        since: When the new state began, seconds since the epoch.
        time: When it was seen.
    """

    key: VerdictKey
    seen: Seen
    previous: str
    since: float
    time: float


class Settled(NamedTuple):
    """What became of an event."""

    type: str
    outcome: EventOutcome


Describe = Callable[[VerdictChange], str]
"""Makes the data of an event, as JSON."""


@final
class ModelChanges:
    """Finds changes, and keeps the events of them.

    Args:
        model: The model.
        limits: What keeps events few.
        known: What is known of each series.
        pending: The events that wait, in the order in which they are due.

    Attributes:
        number: One more after each change of what is to be saved.
    """

    def __init__(
        self,
        model: ModelKey,
        limits: ChangeLimits,
        known: Mapping[VerdictKey, Known] | None = None,
        pending: Iterable[PendingEvent] = (),
    ) -> None:
        self._model = model
        self._limits = limits
        self.known: dict[VerdictKey, Known] = dict(known or {})
        self.pending: list[PendingEvent] = list(pending)
        self.number = 0
        self._lasting: dict[VerdictKey, tuple[str, float]] = {}

    def observe(self, seen: Mapping[VerdictKey, Seen], now: float, describe: Describe) -> list[Settled]:
        """Compare the verdicts of a look with those known.

        Args:
            seen: The verdicts; a series without one is left as it is.
            now: The time of the look, seconds since the epoch.
            describe: Makes the data of an event.

        Returns:
            The changes that were merged, and the events that were dropped.
        """
        settled: list[Settled] = []
        for key, one in seen.items():
            known = self.known.get(key)
            if known is None:
                known = self._assume(key, one)
            if self._is_change(key, known, one, now):
                settled += self._change(key, known, one, now, describe)
        while len(self.pending) > MAX_PENDING:
            settled.append(self._drop_oldest())
        return settled

    def remove(self, event_id: str) -> bool:
        """Remove an event that was delivered or cannot be; returns whether it was there."""
        kept = [one for one in self.pending if one.id != event_id]
        is_there = len(kept) < len(self.pending)
        self.pending = kept
        self.number += is_there
        return is_there

    def _assume(self, key: VerdictKey, one: Seen) -> Known:
        """What is known before the first look at a series: receivers assume that all is well.

        So drift is announced at once; `ok` and `cannot_tell` are no change of what anybody knew.
        """
        is_reference = key.verdict is Verdict.REFERENCE
        assumed = one.state if is_reference else str(VerdictState.OK)
        state = assumed if one.state == VerdictState.DRIFT else one.state
        known = Known(state=state, since=0.0, announced=assumed, announced_due=0.0, newest=assumed, newest_due=0.0)
        self.known[key] = known
        self.number += 1
        if len(self.known) > MAX_KNOWN:
            oldest = min((other for other in self.known if other != key), key=lambda other: self.known[other].since)
            del self.known[oldest]
        return known

    def _is_change(self, key: VerdictKey, known: Known, one: Seen, now: float) -> bool:
        """Whether a verdict differs from the one known, and has lasted if it must."""
        unsure = str(VerdictState.CANNOT_TELL)
        if one.state == known.state:
            self._lasting.pop(key, None)
            return False
        if unsure not in (known.state, one.state) or one.state == VerdictState.DRIFT:
            self._lasting.pop(key, None)
            return True
        state, since = self._lasting.get(key, ("", now))
        if state != one.state:
            self._lasting[key] = one.state, now
            since = now
        if now - since < self._limits.settle_seconds:
            return False
        del self._lasting[key]
        return True

    def _change(self, key: VerdictKey, known: Known, one: Seen, now: float, describe: Describe) -> list[Settled]:
        """Note a change, and make its event unless receivers know the state already; returns what was merged."""
        merged = self._remove_mergeable(key, now)
        announced, announced_due = known.announced, known.announced_due
        if not merged:  # the newest event was sent, or is about to be
            announced, announced_due = known.newest, known.newest_due
        newest, newest_due = announced, announced_due
        if one.state != announced:
            since = one.since if one.since is not None and one.since > known.since else now
            cooldown = self._limits.cooldown_seconds
            newest, newest_due = one.state, min(max(now, announced_due + cooldown), now + cooldown)
            self._add(VerdictChange(key, one, announced, since, now), newest_due, describe)
        elif merged:
            merged.append(Settled(event_type(key, one.state), EventOutcome.MERGED))
        self.known[key] = Known(
            state=one.state,
            since=now,
            announced=announced,
            announced_due=announced_due,
            newest=newest,
            newest_due=newest_due,
        )
        self.number += 1
        return merged

    def _remove_mergeable(self, key: VerdictKey, now: float) -> list[Settled]:
        """Remove the event of a series that is not due yet, of which there is at most one: a newer one replaces it."""
        found = [one for one in self.pending if one.key == key and one.due > now]
        for one in found:
            self.pending.remove(one)
        return [Settled(one.type, EventOutcome.MERGED) for one in found]

    def _drop_oldest(self) -> Settled:
        """Drop the event that has waited longest; if no newer one follows, receivers do not know its state."""
        event = self.pending.pop(0)
        known = self.known.get(event.key)
        if known is not None and known.newest_due == event.due:
            self.known[event.key] = replace(known, newest=known.announced, newest_due=known.announced_due)
        return Settled(event.type, EventOutcome.DROPPED)

    def _add(self, change: VerdictChange, due: float, describe: Describe) -> None:
        key = change.key
        event = PendingEvent(
            id=event_id(self._model, key, change.seen.state, change.since),
            type=event_type(key, change.seen.state),
            key=key,
            state=change.seen.state,
            time=change.time,
            due=due,
            data=describe(change),
        )
        self.pending.append(event)
        self.pending.sort(key=lambda one: one.due)  # stable: those of a series stay in their order


def event_type(key: VerdictKey, state: str) -> str:
    """The type of the event on a change to a state."""
    if key.verdict is Verdict.REFERENCE:
        return "io.driftgauge.reference.changed"
    return f"io.driftgauge.{key.verdict}.{_TYPES[VerdictState(state)]}"


EVENT_TYPES: Final = (
    *(event_type(VerdictKey(one), state) for one in Verdict if one is not Verdict.REFERENCE for state in VerdictState),
    event_type(VerdictKey(Verdict.REFERENCE), ""),
)
"""The types of all events."""


def event_id(model: ModelKey, key: VerdictKey, state: str, since: float) -> str:
    """The id of a change: the same for the same model, verdict, state and time, in every process."""
    named = json.dumps([*model, *key, state, round(since, 3)]).encode("utf-8", "surrogatepass")
    return blake2b(named, digest_size=_ID_BYTES).hexdigest()
