"""The baseline: the first rows of a stream, used as reference where there is none: of predictions, or of labels."""

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass

from driftgauge.drift.outcomes.labelled_responses import number_responses
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.monitoring.baseline_rows import Baseline, pack, unpack
from driftgauge.monitoring.shared_columns import NewestColumns, SharedColumns
from driftgauge.reference.dataset import schema_hash
from driftgauge.storage.ring import RingBuffer, StreamKey
from driftgauge.storage.stream_states import StateStore

_log = logging.getLogger(__name__)

_STATE_NAME = "baseline"

_REFRESH_SECONDS = 60
"""How often a baseline is loaded from the store again. This keeps it from expiring there, saves it again if the store
was emptied, and lets replicas agree that took a baseline each in the meantime."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstRows:
    """The rows of a stream while they are too few for a baseline.

    Args:
        rows: Those that the baseline will begin with, as a baseline.
        needed: How many it needs.
        of_one_model: Whether the stream has no rows of a model before.
    """

    rows: Baseline
    needed: int
    of_one_model: bool


@dataclass(frozen=True, slots=True)
class BaselineSubject:
    """What the baselines are of.

    Args:
        rows: What the rows are called in the log.
        use: What they are a baseline of.
        schema: Computes the schema of the stream's blocks from the columns and their kinds.
        comes_apart: Whether rows of one response may come one by one, as their labels do: then it is known of each row
            which response it is of.
    """

    rows: str = "responses"
    use: str = "predictions"
    schema: Callable[[tuple[str, ...], tuple[FeatureKind, ...]], str] = schema_hash
    comes_apart: bool = False


class Baselines:
    """Takes the baseline of each model once, and saves it in the store of the rows.

    Args:
        ring: The store of the rows.
        states: The store of the baselines, shared by replicas.
        outputs: The columns of each model's newest rows.
        rows: Rows of a baseline, at most the ring's capacity.
        on_replaced: Called for each baseline in the store that cannot be used and was deleted.
        subject: What the baselines are of.
    """

    def __init__(
        self,
        ring: RingBuffer,
        states: StateStore,
        outputs: NewestColumns,
        rows: int,
        on_replaced: Callable[[], None] = lambda: None,
        subject: BaselineSubject = BaselineSubject(),
    ) -> None:
        self._ring = ring
        self._states = states
        self._outputs = outputs
        self._columns = SharedColumns(states, outputs)
        self._rows = rows
        self._on_replaced = on_replaced
        self._subject = subject
        self._baselines: dict[StreamKey, Baseline] = {}
        self._loaded_at: dict[StreamKey, float] = {}
        self._changes: dict[StreamKey, tuple[str, int]] = {}
        self._unsaved: set[StreamKey] = set()

    async def get(self, stream: StreamKey, reference: str, now: float, token: str | None) -> Baseline | None:
        """Get the baseline of a stream, or take it; returns `None` while there are too few.

        Args:
            stream: The stream of one model.
            reference: Digest of the inputs' reference. A new one means a new model, and so a new baseline, of the
                rows that follow. Empty without a reference, which changes nothing: it may not be loaded yet.
            now: Seconds since the epoch.
            token: The token of the term of the model's lease; `None` without one: then no baseline is taken or saved.

        Raises:
            StorageError: The store is unreachable.
            LeaseLostError: The term has ended.
        """
        baseline = await self._load_or_restore(stream, now, token)
        if token is not None and (baseline is None or await self._is_outdated(stream, baseline, reference)):
            baseline = await self._take_new(stream, baseline, reference, now, token)
        if baseline is not None:
            self._baselines[stream] = baseline
        return baseline

    async def first_rows(self, stream: StreamKey, reference: str, now: float) -> FirstRows | None:
        """Read the rows of a stream that has no baseline yet; returns `None` before its columns are known.

        Args:
            stream: The stream of one model.
            reference: As of `get`.
            now: Seconds since the epoch.

        Raises:
            StorageError: The store is unreachable.
        """
        return await self._read_rows(stream, self._baselines.get(stream), reference, now)

    async def share_columns(self, stream: StreamKey, now: float) -> None:
        """Let whoever evaluates a stream know its columns, as far as this replica has seen them. Never raises."""
        await self._columns.share(stream, now)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the baselines of models that are not in `models`; those in the store stay."""
        self._columns.retain(models)
        for known in (self._baselines, self._loaded_at, self._changes):
            for stream in [stream for stream in known if stream.model not in models]:
                del known[stream]
        self._unsaved = {stream for stream in self._unsaved if stream.model in models}

    def is_unsaved(self, stream: StreamKey) -> bool:
        """Whether the store could not save the newest baseline of a stream."""
        return stream in self._unsaved

    async def discard(self, stream: StreamKey) -> None:
        """Delete a baseline that no test can use; the next call of `get` takes a new one.

        Raises:
            StorageError: The store is unreachable.
        """
        self._baselines.pop(stream, None)
        await self._states.delete(stream, _STATE_NAME)
        self._on_replaced()

    async def _is_outdated(self, stream: StreamKey, baseline: Baseline, reference: str) -> bool:
        """Whether the reference has changed, or the response has other columns and no row of the old ones is left."""
        if reference and baseline.reference != reference:
            return True
        outputs = self._outputs.get(stream.model)
        if outputs is None or (outputs.columns, outputs.kinds) == (baseline.columns, baseline.kinds):
            return False
        schema = self._subject.schema(baseline.columns, baseline.kinds)
        window = await self._ring.read(stream, schema, len(baseline.columns))
        return not len(window.rows)

    async def _load_or_restore(self, stream: StreamKey, now: float, token: str | None) -> Baseline | None:
        """Return the known baseline; once in `_REFRESH_SECONDS` load it, or save it again if the store has lost it."""
        known = self._baselines.get(stream)
        if known is not None and abs(now - self._loaded_at.get(stream, 0.0)) < _REFRESH_SECONDS:
            return known
        self._loaded_at[stream] = now
        stored, _ = await self._load(stream)
        if stored is None and known is not None and token is not None:  # expired, or emptied, or could not be saved
            await self._save(stream, known, 0, token)
        return stored or known

    async def _save(self, stream: StreamKey, baseline: Baseline, version: int, token: str) -> bool:
        """Save a baseline; returns False if another replica was first. One that cannot be saved is used as it is."""
        try:
            saved = await self._states.save(stream, _STATE_NAME, pack(baseline), version, token)
        except StorageError as error:
            if stream not in self._unsaved:
                self._unsaved.add(stream)
                text = "the baseline of the %s of %s cannot be saved and stays in memory: %s"
                _log.warning(text, self._subject.use, stream.model, error)
            return True
        self._unsaved.discard(stream)
        return saved

    async def _load(self, stream: StreamKey) -> tuple[Baseline | None, int]:
        """Load the stored baseline and its version; version 0 without one. Delete one that cannot be read."""
        state = await self._states.load(stream, _STATE_NAME)
        if state is None:
            return None, 0
        baseline = unpack(state.blob)
        if baseline is None:  # of another version of driftgauge, or damaged: it would block a new one
            await self._states.delete(stream, _STATE_NAME)
            self._on_replaced()
            text = "the baseline of the %s of %s in the store cannot be used; it is replaced"
            _log.warning(text, self._subject.use, stream.model)
            return None, 0
        return baseline, state.version

    async def _take_new(
        self, stream: StreamKey, known: Baseline | None, reference: str, now: float, token: str
    ) -> Baseline | None:
        """Return the baseline that another replica has taken, or else take one; `None` while there are too few rows.

        The old baseline stays in the store until then.
        """
        stored, version = await self._load(stream)
        if stored is not None and not await self._is_outdated(stream, stored, reference):
            return stored
        baseline = await self._collect_rows(stream, stored or known, reference, now)
        if baseline is None:
            return None
        if not await self._save(stream, baseline, version, token):
            return (await self._load(stream))[0]  # another replica was first
        text = "the first %d %s of %s are the baseline of its %s"
        _log.info(text, self._rows, self._subject.rows, stream.model, self._subject.use)
        return baseline

    async def _collect_rows(
        self, stream: StreamKey, before: Baseline | None, reference: str, now: float
    ) -> Baseline | None:
        """Read the first rows that are not of a model before; `None` while there are too few."""
        found = await self._read_rows(stream, before, reference, now)
        if found is None or found.rows.rows.shape[0] < self._rows:
            return None
        return found.rows.first(self._rows)

    async def _read_rows(
        self, stream: StreamKey, before: Baseline | None, reference: str, now: float
    ) -> FirstRows | None:
        """Read all rows that are not of a model before; `None` before the columns are known."""
        outputs = await self._columns.find(stream, now)
        if outputs is None:
            return None
        schema = self._subject.schema(outputs.columns, outputs.kinds)
        window = await self._ring.read(stream, schema, len(outputs.columns))
        newest = int(window.numbers.max(initial=0))
        kept = window.numbers > self._note_change(stream, before, reference, newest)
        rows = window.rows[kept]
        responses = number_responses(window.ids[kept], window.times[kept]) if self._subject.comes_apart else None
        found = Baseline(reference, outputs.columns, outputs.kinds, rows, outputs.categories, now, responses)
        return FirstRows(found, self._rows, len(rows) == len(window.rows))

    def _note_change(self, stream: StreamKey, before: Baseline | None, reference: str, newest: int) -> int:
        """Note the newest row when the reference changes; returns its number, 0 without a change.

        Rows up to this one are of the model before. Example: the reference changes while the newest row is 250; the
        baseline of 40 rows is then rows 251 to 290.
        """
        changed_to, number = self._changes.get(stream, ("", 0))
        if before is not None and before.reference != reference != changed_to:
            changed_to, number = self._changes[stream] = reference, newest
        return number if changed_to == reference and number <= newest else 0  # an emptied store starts from 1 again
