"""The part of this replica in the evaluation of all models: its terms and wishes, and the notices of the evaluators."""

import logging
import math
import secrets
from asyncio import gather
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.monitoring.choosing import Candidate, Choice
from driftgauge.monitoring.reading import read_models
from driftgauge.results.notice import Notice, OtherFormatError, unpack_notice
from driftgauge.storage.leases import Lease, LeaseStore, Wish

_log = logging.getLogger(__name__)

_REPLICA_BYTES = 8
_TERM_BYTES = 6
_CALLS_AT_ONCE = 50

_MOST_EXTENSIONS = 20
"""How often a term is extended without a look at its model. Then it ends: the look hangs, and another goes on."""

_LOSS_LOG_SECONDS = 60

_YIELDED_LOOKS = 3
"""Looks for which a lost store is left to the evaluator of before: about as long as a term lasts without it."""


class Duty(NamedTuple):
    """What this replica does about a model until its next look.

    Args:
        evaluates: Whether it evaluates the model; else it shows what the evaluator publishes.
        token: The token of its term; `None` if the store could not begin or extend one: then nothing can be saved.
        notice: What the evaluator has published last; `None` without any that can be read.
        candidate: This replica, as it was considered.
    """

    evaluates: bool
    token: str | None
    notice: Notice | None
    candidate: Candidate


@dataclass(slots=True)
class _ModelTerm:
    """What is kept of a model between looks.

    Args:
        token: The token of the term; empty without one.
        reference: Digest of the reference at the last look.
        claims: As in `Candidate`.
        yields: Whether the lease is released after this look's evaluation.
        notice: The last notice that could be read.
        blob: The bytes of the last notice.
        led: Whether it evaluated at the last look, also if its term ended meanwhile.
        yielded_looks: Looks for which a free lease is left to the evaluator of before.
        unlooked: Calls of `extend_terms` since the last look.
    """

    token: str = ""
    reference: str = ""
    claims: bool = False
    yields: bool = False
    notice: Notice | None = None
    blob: bytes = b""
    led: bool = False
    yielded_looks: int = 0
    unlooked: int = 0


class Coordinator:
    """Acquires, extends and releases the leases of this replica.

    Args:
        store: The leases.
        reference: Returns the digest of a model's reference; empty without one.
        clock: Returns the time of the store in seconds since the epoch.
        fresh_seconds: How long a notice counts.
        on_unreadable: Called for each notice that cannot be read.
    """

    def __init__(
        self,
        store: LeaseStore,
        reference: Callable[[ModelKey], str],
        clock: Callable[[], float],
        fresh_seconds: float,
        on_unreadable: Callable[[], None] = lambda: None,
    ) -> None:
        self.replica = secrets.token_hex(_REPLICA_BYTES)
        self._store = store
        self._reference = reference
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._on_unreadable = on_unreadable
        self._models: dict[ModelKey, _ModelTerm] = {}
        self._has_logged_format = False
        self._loss_logged_at = -math.inf

    def evaluated(self) -> list[ModelKey]:
        """The models that this replica evaluates; may be called from any thread."""
        return [model for model, known in list(self._models.items()) if known.token]

    def token(self, model: ModelKey) -> str:
        """The token of the term of a model's lease; empty if this replica does not evaluate the model."""
        known = self._models.get(model)
        return "" if known is None else known.token

    def known(self) -> list[ModelKey]:
        """The models that this replica has looked at; may be called from any thread."""
        return list(self._models)

    @property
    def is_divided(self) -> bool:
        """Whether the leases of some models may be away while others can be read."""
        return self._store.is_divided

    async def look(self, models: Sequence[ModelKey]) -> list[Lease | StorageError]:
        """Read the leases of models: for each its lease, or why it cannot be read.

        Raises:
            StorageError: The store is away or slow for all of them.
        """
        return await read_models(self._store.look, models, self._store.group)

    async def begin(self, model: ModelKey, lease: Lease) -> Duty:
        """Do what the lease of a model asks for, and say what this replica's duty is. Never raises."""
        known = self._models.setdefault(model, _ModelTerm())
        known.unlooked = 0
        # another token of this replica is that of an acquisition that was executed late, or of a release that was not
        known.token = lease.token if lease.holder == self.replica else ""
        before = known.notice
        self._read_notice(model, known, lease.notice)
        is_lost = before is not None and known.notice is None
        self._count_yielded_looks(known, lease, is_lost=is_lost)
        if is_lost and not lease.notice:
            self._log_loss(model)
        candidate = self._candidate(model, known)
        notice = known.notice
        fresh = notice is not None and notice.time >= self._clock() - self._fresh_seconds
        choice = candidate.choose(lease, notice, fresh=fresh)
        if choice is Choice.ACQUIRE and known.yielded_looks:
            known.yielded_looks -= 1
            choice = Choice.FOLLOW
        known.yields = choice is Choice.EVALUATE_AND_YIELD
        known.led = choice in {Choice.EVALUATE, Choice.EVALUATE_AND_YIELD}
        try:
            if lease.token and lease.token != known.token and not fresh:
                await self._store.end_endless(model)  # all expire, unless another program has written this one
            token = await self._act(model, known, choice)
        except StorageError as error:
            _log.debug("the lease of %s cannot be acquired or extended: %s", model, error)
            known.led = known.led or choice is Choice.ACQUIRE
            return Duty(known.led, None, notice, candidate)
        known.led = known.led or bool(token)
        return Duty(bool(token), token, notice, candidate)

    async def end(self, model: ModelKey) -> None:
        """End one look at a model: release its lease if another replica wants it with reason. Never raises."""
        known = self._models.get(model)
        if known is not None and known.token and known.yields:
            await self._release(model, known)

    def lose(self, model: ModelKey) -> None:
        """Note that the term of a model has ended before its time."""
        known = self._models.get(model)
        if known is not None:
            known.token = ""

    async def extend_terms(self) -> None:
        """Extend the terms of models that had no look since the call before, since a look may take long. Never raises.

        To be called once an interval of evaluation, during looks too.
        """
        late = []
        for model in self.evaluated():
            known = self._models[model]
            known.unlooked += 1
            if 1 < known.unlooked <= _MOST_EXTENSIONS:
                late.append((model, known))
        for first in range(0, len(late), _CALLS_AT_ONCE):
            await gather(*(self._extend(model, known) for model, known in late[first : first + _CALLS_AT_ONCE]))

    async def release_all(self) -> None:
        """End all terms, so that other replicas continue at once. Never raises."""
        models = self.evaluated()
        for first in range(0, len(models), _CALLS_AT_ONCE):
            batch = models[first : first + _CALLS_AT_ONCE]
            await gather(*(self._release(model, self._models[model]) for model in batch))

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget models that are not in `models`; their leases expire."""
        for model in [model for model in self._models if model not in models]:
            del self._models[model]

    async def _act(self, model: ModelKey, known: _ModelTerm, choice: Choice) -> str:
        """Acquire, extend, release or wish. Returns the token of the term; empty without one."""
        if choice in {Choice.EVALUATE, Choice.EVALUATE_AND_YIELD}:
            if not await self._store.extend(model, known.token):
                known.token = ""
        elif choice is Choice.ACQUIRE:
            token = f"{self.replica}/{secrets.token_hex(_TERM_BYTES)}"
            known.token = token  # also without a reply: the next look shows whether the term has begun
            if not await self._store.acquire(model, token):
                known.token = ""
        elif choice is Choice.YIELD:
            await self._release(model, known)
        elif choice is Choice.WISH_REFERENCE:
            await self._store.wish(model, Wish(self.replica, known.reference or "none"))
        elif choice is Choice.WISH_SHARE:
            await self._store.wish(model, Wish(self.replica))
        return known.token

    async def _extend(self, model: ModelKey, known: _ModelTerm) -> None:
        token = known.token
        if not token:  # it has ended meanwhile
            return
        try:
            extended = await self._store.extend(model, token)
        except StorageError as error:
            _log.debug("the lease of %s cannot be extended during a look: %s", model, error)
            return
        if not extended and known.token == token:
            known.token = ""

    async def _release(self, model: ModelKey, known: _ModelTerm) -> None:
        token, known.token = known.token, ""
        try:
            await self._store.release(model, token)
        except StorageError as error:
            _log.debug("the lease of %s is not released and will expire: %s", model, error)

    def _log_loss(self, model: ModelKey) -> None:
        """Log that the store has lost what it had, once a minute: it loses all models at once."""
        if self._clock() - self._loss_logged_at >= _LOSS_LOG_SECONDS:
            self._loss_logged_at = self._clock()
            _log.warning("Redis has lost the results of %s, and maybe its rows: it was emptied", model)

    @staticmethod
    def _count_yielded_looks(known: _ModelTerm, lease: Lease, *, is_lost: bool) -> None:
        """Let the evaluator of before come first after the store lost everything, its notice included.

        Args:
            known: What is kept of the model.
            lease: As read at this look.
            is_lost: Whether the last look had a notice, and this one has none that can be read.

        Only that replica still knows which rows are counted: another one would count none of those that were appended
        after the last evaluation and lost with the store. If it has died too, another one begins a little later.
        """
        if lease.token or known.led:
            known.yielded_looks = 0
        elif is_lost:
            known.yielded_looks = _YIELDED_LOOKS

    def _candidate(self, model: ModelKey, known: _ModelTerm) -> Candidate:
        """This replica, with the reference that it has now."""
        reference, in_use = self._reference(model), "" if known.notice is None else known.notice.reference
        if reference != known.reference:
            known.claims = known.notice is not None and in_use == known.reference
            known.reference = reference
        if reference == in_use:
            known.claims = False
        return Candidate(self.replica, model, known.token, reference, known.claims)

    def _read_notice(self, model: ModelKey, known: _ModelTerm, blob: bytes) -> None:
        """Keep a new notice; one that cannot be read is counted, and that of another version is logged once."""
        if blob == known.blob:
            return
        known.blob, known.notice = blob, None
        if not blob:
            return
        try:
            known.notice = unpack_notice(blob)
        except OtherFormatError as error:
            if not self._has_logged_format:
                self._has_logged_format = True
                _log.warning("results of another version of driftgauge (%s) in Redis are not shown", error)
        except ValueError:
            self._on_unreadable()
            _log.debug("the notice of %s in Redis cannot be read", model)
