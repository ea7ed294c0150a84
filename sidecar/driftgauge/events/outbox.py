"""The changes of all models that this replica evaluates, and where they are saved.

What is known of a model, and the events of it that are not delivered, are one state in the store, which only the holder
of the model's lease saves. An event is sent only when it is saved, and forgotten only when it was accepted. So whoever
holds the lease next sends what is left; an event that was sent, but whose removal was not saved, is sent again with the
same id.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, final

from driftgauge.errors import LeaseLostError, StorageError
from driftgauge.events.event_message import Links, make_describe
from driftgauge.events.model_changes import ChangeLimits, ModelChanges, PendingEvent, Settled
from driftgauge.events.packed_changes import pack_changes, unpack_changes
from driftgauge.events.verdicts import Seen, VerdictKey
from driftgauge.inference.payload import Kind, ModelKey, is_overflow
from driftgauge.metrics.event_counts import EventOutcome
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import StateStore

_log = logging.getLogger(__name__)

STATE_NAME: Final = "events"
"""The name of the state, in the cluster slot of the model."""


class OutboxRules(NamedTuple):
    """How changes are found and kept.

    Args:
        limits: What keeps events few.
        refresh_seconds: How often a state that does not change is saved, so that it does not expire.
        links: Where people find more.
    """

    limits: ChangeLimits
    refresh_seconds: float
    links: Links = Links()


class DueEvent(NamedTuple):
    """An event that may be sent.

    Args:
        model: Its model.
        event: The event.
        attempts: How often it was tried in this process.
    """

    model: ModelKey
    event: PendingEvent
    attempts: int


@dataclass(slots=True)
class _Record:
    """What is kept of a model during a term.

    Args:
        changes: Its changes.
        token: The token of the term.
        version: Of the state that the store has.
        saved_number: The number of `changes` that was saved last; -1 before.
        saved_at: When that was.
        saved_ids: Ids of the events of the saved state: they may be sent.
        without_reply: What was saved without a reply: the store may have it.
        unsaved: What became of events since the last save.
        attempts: How often each event was tried.
        lock: One save at a time.
    """

    changes: ModelChanges
    token: str
    version: int
    saved_number: int
    saved_at: float
    saved_ids: frozenset[str]
    without_reply: bytes = b""
    unsaved: list[Settled] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@final
class Outbox:
    """Finds the changes of verdicts, and keeps their events until they are delivered.

    Args:
        states: Where they are saved.
        verdicts: Returns the newest verdicts on a model.
        rules: How changes are found and kept.
        clock: Returns the time of the store in seconds since the epoch.
        count: Called with the type of an event and what became of it.
        on_replaced: Called for each saved state that cannot be read.
    """

    def __init__(
        self,
        states: StateStore,
        verdicts: Callable[[ModelKey], Mapping[VerdictKey, Seen]],
        rules: OutboxRules,
        *,
        clock: Callable[[], float],
        count: Callable[[str, EventOutcome], None],
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self._states = states
        self._verdicts = verdicts
        self._rules = rules
        self._clock = clock
        self._count = count
        self._on_replaced = on_replaced
        self._records: dict[ModelKey, _Record] = {}
        self._unreachable: set[ModelKey] = set()

    async def observe(self, model: ModelKey, token: str | None) -> bool:
        """Find what has changed at a look at a model, and save it; never raises.

        Args:
            model: The model, which was just evaluated.
            token: The token of the term of its lease; `None` without one: then nothing can be saved, and a change is
                found when it can.

        Returns:
            Whether the term goes on.
        """
        if token is None or is_overflow(model):
            return True
        try:
            record = await self._record(model, token)
            describe = make_describe(model, self._rules.links)
            record.unsaved += record.changes.observe(self._verdicts(model), self._clock(), describe)
            await self._save(model, record)
            self._unreachable.discard(model)
        except LeaseLostError:
            self._records.pop(model, None)
            return False
        except StorageError as error:
            if model not in self._unreachable:
                self._unreachable.add(model)
                _log.warning("changes of verdicts on %s cannot be saved, their events wait: %s", model, error)
        except Exception:  # noqa: BLE001 a task loop: a bug must not end it
            _log.exception("changes of verdicts on %s were not found because of a bug in driftgauge", model)
        return True

    def leave(self, model: ModelKey) -> None:
        """Forget a model that another replica evaluates."""
        self._records.pop(model, None)

    def pending(self) -> int:
        """How many events wait; may be called from any thread."""
        return sum(len(record.changes.pending) for record in list(self._records.values()))

    def next_due(self) -> DueEvent | None:
        """The event that should be sent next: of those tried least the oldest; `None` if none is due.

        Events of one series of verdicts are sent in their order.
        """
        now = self._clock()
        found: list[DueEvent] = []
        for model, record in self._records.items():
            first: dict[VerdictKey, PendingEvent] = {}
            for event in record.changes.pending:
                first.setdefault(event.key, event)
            found += [
                DueEvent(model, event, record.attempts.get(event.id, 0))
                for event in first.values()
                if event.due <= now and event.id in record.saved_ids
            ]
        return min(found, key=lambda one: (one.attempts, one.event.due), default=None)

    def note_attempt(self, due: DueEvent) -> None:
        """Note that an event was tried in vain."""
        record = self._records.get(due.model)
        if record is not None:
            record.attempts[due.event.id] = due.attempts + 1

    async def settle(self, due: DueEvent, outcome: EventOutcome) -> None:
        """Remove an event that was delivered or cannot be, and save that; never raises.

        Without a reply of the store it is saved at the next look.
        """
        record = self._records.get(due.model)
        if record is None:  # another replica has the model now, and settles it too
            self._count(due.event.type, outcome)
            return
        record.attempts.pop(due.event.id, None)
        if not record.changes.remove(due.event.id):
            return
        record.unsaved.append(Settled(due.event.type, outcome))
        try:
            await self._save(due.model, record)
        except LeaseLostError:
            self._forget(due.model, record)
        except StorageError as error:
            _log.debug("that an event of %s was sent is not saved: %s", due.model, error)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget models that are not in `models`, and count their events as dropped."""
        for model in [model for model in self._records if model not in models]:
            self._drop(self._records.pop(model))
        self._unreachable = {model for model in self._unreachable if model in models}

    def close(self, *, is_kept: bool) -> None:
        """Forget all models.

        Args:
            is_kept: Whether the store outlives the process; if not, events that wait are counted as dropped.
        """
        left = 0 if is_kept else self.pending()
        for record in self._records.values():
            if not is_kept:
                self._drop(record)
        self._records.clear()
        if left:
            _log.warning("%d events on changes of verdicts are lost, since the process ends without Redis", left)

    def _drop(self, record: _Record) -> None:
        for event in record.changes.pending:
            self._count(event.type, EventOutcome.DROPPED)

    def _forget(self, model: ModelKey, record: _Record) -> None:
        if self._records.get(model) is record:
            del self._records[model]

    async def _record(self, model: ModelKey, token: str) -> _Record:
        """The record of a term: in a new term it is loaded, since another replica may have saved one meanwhile.

        Raises:
            StorageError: The store is away or slow.
        """
        record = self._records.get(model)
        if record is None or record.token != token:
            record = self._records[model] = await self._load(model, token)
        return record

    async def _load(self, model: ModelKey, token: str) -> _Record:
        stored = await self._states.load(_stream(model), STATE_NAME)
        changes, number, version = ModelChanges(model, self._rules.limits), -1, 0
        if stored is not None:
            version = stored.version
            try:
                changes = unpack_changes(model, self._rules.limits, stored.blob)
                number = changes.number
            except ValueError as error:
                self._on_replaced()
                _log.warning("the changes of verdicts on %s in the store cannot be read: %s", model, error)
        ids = frozenset(one.id for one in changes.pending)
        return _Record(changes, token, version, number, self._clock(), ids)

    async def _save(self, model: ModelKey, record: _Record) -> None:
        """Save a record that has changed, or was not saved for long.

        Raises:
            StorageError: The store is away or slow; it may have been saved.
            LeaseLostError: The term has ended, or another replica has saved in it.
        """
        async with record.lock:
            now = self._clock()
            if record.changes.number == record.saved_number and now - record.saved_at < self._rules.refresh_seconds:
                return
            number, blob = record.changes.number, pack_changes(record.changes)
            ids, settled = frozenset(one.id for one in record.changes.pending), list(record.unsaved)
            await self._write(model, record, blob)
            record.saved_number, record.saved_at, record.saved_ids = number, now, ids
            del record.unsaved[: len(settled)]
            for one in settled:
                self._count(one.type, one.outcome)

    async def _write(self, model: ModelKey, record: _Record, blob: bytes) -> None:
        """Write a blob in place of the version that this process knows.

        A save that got no reply may have been executed: then the store has what was written then.
        """
        before, record.without_reply = record.without_reply, blob
        stream, token = _stream(model), record.token
        if not await self._states.save(stream, STATE_NAME, blob, record.version, token):
            stored = await self._states.load(stream, STATE_NAME)
            if stored is not None and stored.blob not in (before, blob):
                raise LeaseLostError(f"another replica has saved changes of {model}")
            record.version = 0 if stored is None else stored.version
            if not await self._states.save(stream, STATE_NAME, blob, record.version, token):
                raise LeaseLostError(f"another replica saves changes of {model}")
        record.version += 1
        record.without_reply = b""


def _stream(model: ModelKey) -> StreamKey:
    return StreamKey(model, Kind.REQUEST)
