"""The detector's state of one stream: in the memory of this process, and in the store."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from hashlib import blake2b
from typing import NamedTuple, Protocol

import numpy as np

from driftgauge.drift.detector.detector_state import ARRAYS, DetectorState, pack, unpack
from driftgauge.drift.ledger import CountedRows, merged
from driftgauge.errors import LeaseLostError, StorageError
from driftgauge.metrics.model_metrics import ModelMetrics
from driftgauge.storage.ring import StreamKey
from driftgauge.storage.stream_states import State, StateStore

_log = logging.getLogger(__name__)

STATE_NAME = "detector"
"""The name of the state in the store."""

_ATTEMPTS = 64
"""Saves without a reply that are remembered, at most: half an hour of evaluations."""

_MARK_BYTES = 8

_NEVER_NAN = ("log_evidence", "recovery", "raised", "alarm_factor", "half_gain", "spans")
"""Arrays of a state that always hold numbers."""

_INFINITE = {"log_evidence": -np.inf, "recovery": -np.inf, "alarm_factor": np.inf}
"""The infinity that an array may hold; others hold none."""

_LARGEST = 1e18
"""Greater than every finite number of a state: times in seconds, sums over rows."""


class FedEvaluation(Protocol):
    """An evaluation of any stream that fed rows to a detector, such as `StreamEvaluation`."""

    @property
    def state(self) -> DetectorState | None:
        """The detector's new state; `None` without a detector."""

    @property
    def fed(self) -> int:
        """Rows that were fed to the detector, and never counted before."""

    @property
    def skipped(self) -> int:
        """Rows that are never fed, and were never counted before."""

    @property
    def hour_unknown(self) -> int:
        """Rows of hours that the reference lacks, and never counted before."""


class Counts(NamedTuple):
    """Rows of an evaluation, or of several.

    Args:
        fed: Rows that were fed to the detector.
        skipped: Rows that the detector never saw.
        hour_unknown: Rows of hours that the reference lacks.
    """

    fed: int = 0
    skipped: int = 0
    hour_unknown: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """The sums."""
        return Counts(*(one + another for one, another in zip(self, other, strict=True)))

    def minus(self, other: "Counts") -> "Counts":
        """The differences."""
        return Counts(*(one - another for one, another in zip(self, other, strict=True)))


class Saved(Enum):
    """What became of a state that an evaluation has made."""

    YES = auto()
    """It is in the store, or there was nothing new to save."""

    NOT_YET = auto()
    """The store could not save it. It is in memory, and is saved with the next one."""

    CONFLICT = auto()
    """Another replica has saved first; its state is loaded, and the evaluation must be repeated."""


@dataclass(slots=True)
class DetectorRecord:
    """What is known of the detector's state of one stream.

    A state that could not be saved stays in memory, and the next evaluation continues from it, so that no row is fed
    twice. Its rows are counted when it is saved. If the process ends before, another one feeds and counts them.

    Args:
        stream: The stream.
        states: The store of the states.
        start: The detector's state before the first row, with which a stored one must agree; `None` without detector.
        metrics: The series of the model.
        on_replaced: Called when a stored state cannot be used by any detector and will be replaced.
        state: The newest state; `None` before the first.
        saved: Whether the store has this state, as far as is known.
        token: The token of the term of the model's lease; `None` without one.
        follows: The key of a detector that this one follows as planned, which is no reset; empty without one.
    """

    stream: StreamKey
    states: StateStore
    start: DetectorState | None
    metrics: ModelMetrics
    on_replaced: Callable[[], None]
    state: DetectorState | None = None
    saved: bool = True
    token: str | None = None
    follows: str = ""
    _loaded: bool = False
    _newest: bytes = b""
    _mark: bytes = field(default_factory=lambda: secrets.token_hex(_MARK_BYTES).encode() + b"\n")
    _version: int = 0
    _uncounted: Counts = field(default_factory=Counts)
    _without_reply: dict[bytes, Counts] = field(default_factory=dict)
    _proven: bool = False
    _counted: CountedRows = field(default_factory=dict)

    @property
    def counted(self) -> CountedRows:
        """The rows that are counted, as far as that is saved."""
        return self._counted

    async def begin(self, token: str | None, counted: CountedRows) -> None:
        """Begin an evaluation: in a new term load the state, since another replica may have saved one meanwhile.

        Args:
            token: The token of the term of the model's lease; `None` without one: then states stay in memory.
            counted: The rows that other replicas have counted, as they have published it.

        Raises:
            StorageError: The store is away or slow.
        """
        if not self._loaded or (token is not None and token != self.token):
            self._counted = merged(self._counted, counted)
            await self._load()
        self.token = token

    async def _load(self) -> None:
        """Load the state, if there is a detector; one that does not fit counts as a reset."""
        if self.start is not None:
            self._use(await self.states.load(self.stream, STATE_NAME), self.start)
        self._loaded = True

    async def advance(self, result: FedEvaluation) -> Saved:
        """Save the state of an evaluation that began with `state`, and count its rows.

        Raises:
            StorageError: Another replica saved first, and its state cannot be loaded.
            LeaseLostError: The term has ended: another replica may have fed the rows.
        """
        self._proven = True
        if result.state is None or (result.state is self.state and self.saved):
            return Saved.YES
        counts = Counts(result.fed, result.skipped, result.hour_unknown)
        self._uncounted = self._uncounted.plus(counts)
        blob = pack(result.state, self._mark)
        try:
            saved = await self._save(blob) or (await self._settle() and await self._save(blob))
        except StorageError as error:
            self._keep(result.state, blob, error)
            return Saved.NOT_YET
        except LeaseLostError:
            self._uncounted, self._loaded = self._uncounted.minus(counts), False
            raise
        if not saved:
            self._uncounted = self._uncounted.minus(counts)
            await self._load()
            return Saved.CONFLICT
        self.state, self._newest = result.state, _digest(blob)
        self._counted = result.state.ledger
        self._count_rows()
        return Saved.YES

    def succeeded_by(self, start: DetectorState | None, *, planned: bool = False) -> "DetectorRecord":
        """The record of the next reference, which knows the rows that are counted, or may be.

        Args:
            start: The state of its detector before the first row; `None` without detector.
            planned: Whether the detector up to now only counted rows, so that no evidence is lost.
        """
        return DetectorRecord(
            self.stream,
            self.states,
            start,
            self.metrics,
            self.on_replaced,
            follows=self.start.key if planned and self.start is not None else "",
            _without_reply=dict(self._without_reply),
            _counted=self._counted,
        )

    def discard(self) -> bool:
        """Start again after an evaluation that failed; returns False if the stored state is not to blame."""
        if self.state is None or self._proven:
            return False
        self.state = self._started(self.state.ledger)
        self._proven = True
        self.on_replaced()
        self._report_reset()
        return True

    async def _save(self, blob: bytes) -> bool:
        """Save a blob as the next version; returns whether it was saved."""
        if self.token is None:
            raise StorageError("the lease of the model cannot be saved either")
        saved = await self.states.save(self.stream, STATE_NAME, blob, self._version, self.token)
        self._version += saved
        return saved

    async def _settle(self) -> bool:
        """Find out whether the store has a blob of ours, of a save that got no reply; then count its rows.

        Example: Redis was paused, the save timed out, and was executed afterwards. The next save on the same version is
        refused, as if another replica had saved.
        """
        stored = await self.states.load(self.stream, STATE_NAME) if self._without_reply else None
        return stored is not None and self._count_executed(stored)

    def _count_executed(self, stored: State) -> bool:
        """Count the rows of a save without a reply, if it is what the store has; returns whether it is."""
        digest = _digest(stored.blob)
        executed = self._without_reply.get(digest)
        if executed is None:
            return False
        self._version, self._newest = stored.version, digest
        state = read_state(stored.blob)
        self._counted = self._counted if state is None else state.ledger
        self.metrics.count_detector_rows(self.stream.kind, *executed)
        self._uncounted = self._uncounted.minus(executed)
        self._without_reply.clear()
        return True

    def _keep(self, state: DetectorState, blob: bytes, error: StorageError) -> None:
        """Continue from a state that could not be saved."""
        if self.saved:
            text = "the detector state of %ss of %s cannot be saved and stays in memory: %s"
            _log.warning(text, self.stream.kind, self.stream.model, error)
        self.state, self.saved = state, False
        if len(self._without_reply) < _ATTEMPTS:
            self._without_reply[_digest(blob)] = self._uncounted

    def _count_rows(self) -> None:
        """Count the rows of all evaluations up to the one that was saved now."""
        if not self.saved:
            _log.info("the detector state of %ss of %s is saved again", self.stream.kind, self.stream.model)
        self.metrics.count_detector_rows(self.stream.kind, *self._uncounted)
        self.saved, self._uncounted = True, Counts()
        self._without_reply.clear()

    def _use(self, stored: State | None, start: DetectorState) -> None:
        """Continue from what the store has.

        Rows that this process has counted stay counted, also if a failover of the store lost the newest states.
        """
        if stored is None:  # a first start, or the store lost it: then the state in memory is saved again
            self._version = 0
            self.state = self._started(self._counted) if self.state is None else self._with_ledger(self.state)
            return
        ours = self._newest == _digest(stored.blob) or self._count_executed(stored)
        if ours and self.state is not None:
            return  # no replica has saved since: the state in memory is the same, or continues it
        state = read_state(stored.blob)
        damaged = state is None or (state.key == start.key and not is_like(state, start))
        self._version, self._proven, self.saved, self._uncounted = stored.version, False, True, Counts()
        self._without_reply.clear()
        self._counted = merged(self._counted, {} if state is None else state.ledger)
        if damaged:
            self.on_replaced()
        if state is None or damaged or state.key != start.key:
            self.state = self._started(self._counted)
            if state is None or damaged or state.key != self.follows:
                self._report_reset()
        else:
            self.state = replace(state, ledger=self._counted)

    def _with_ledger(self, state: DetectorState) -> DetectorState:
        """A state that also counts the rows that other replicas have counted since it was made."""
        ledger = merged(state.ledger, self._counted)
        return state if ledger == state.ledger else replace(state, ledger=ledger)

    def _started(self, ledger: CountedRows) -> DetectorState | None:
        """The state of a detector that starts again and counts no row twice."""
        return replace(self.start, ledger=ledger) if self.start is not None and ledger else None

    def _report_reset(self) -> None:
        text = "the evidence on the %ss of %s starts again: it is of another reference, setting or version"
        _log.info(text, self.stream.kind, self.stream.model)
        self.metrics.count_detector_reset(self.stream.kind)


def read_state(blob: bytes) -> DetectorState | None:
    """The state of a blob of the store; `None` for anything else.

    A line in front of the state marks the process that saved it: two replicas may make the same state of the same rows,
    and each must know which saves were its own. States of earlier builds have no such line.
    """
    mark, _, packed = blob.partition(b"\n")
    return unpack(packed if len(mark) == 2 * _MARK_BYTES and mark.isalnum() else blob)


def is_like(state: DetectorState, start: DetectorState) -> bool:
    """Whether a state has the shapes of the state that a detector starts with, and no value that none can have."""
    if any(getattr(state, name).shape != getattr(start, name).shape for name in ARRAYS):
        return False
    if any(np.isnan(getattr(state, name)).any() for name in _NEVER_NAN):
        return False
    for name in ARRAYS:
        array = getattr(state, name)
        if (np.abs(array[~np.isnan(array) & (array != _INFINITE.get(name))]) > _LARGEST).any():
            return False
    bets = start.log_evidence.shape[1]
    numbers = (state.number, state.rows, state.requests)
    return bool(((state.leader >= 0) & (state.leader < bets)).all()) and min(numbers) >= 0


def _digest(blob: bytes) -> bytes:
    return blake2b(blob, digest_size=16).digest()
