"""The baseline: the first responses of a model, used as reference of its predictions where there is none."""

import logging
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.errors import StorageError
from driftgauge.features.output_columns import OutputColumns
from driftgauge.inference.payload import ModelKey
from driftgauge.reference.dataset import schema_hash
from driftgauge.reference.profiles import profiles_of
from driftgauge.reference.row_order import in_order
from driftgauge.storage.ring import RingBuffer, StreamKey
from driftgauge.storage.stream_states import StateStore

_log = logging.getLogger(__name__)

_STATE_NAME = "baseline"

_REFRESH_SECONDS = 60
"""How often a baseline is loaded from the store again. This keeps it from expiring there, saves it again if the store
was emptied, and lets replicas agree that took a baseline each in the meantime."""


_LATEST_TIME = 2.0**37
"""Beyond every time that a clock has: the year 6325."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Rows of the first responses.

    Args:
        reference: Digest of the inputs' reference at that time; empty without one.
        columns: Names of the predictions.
        kinds: How each column is tested.
        rows: Shape `(n, k)`, float64; NaN is a missing value.
        categories: The text of each code.
        taken_at: Seconds since the epoch.
    """

    reference: str
    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    rows: NDArray[np.float64]
    categories: Mapping[float, str]
    taken_at: float

    @property
    def schema(self) -> str:
        """Hash of the columns' names and kinds."""
        return schema_hash(self.columns, self.kinds)

    @property
    def digest(self) -> str:
        """Identifies the baseline: it differs with the reference, the columns and the time."""
        return f"baseline/{self.reference}/{self.schema}/{self.taken_at!r}"

    def profiles(self) -> tuple[Profile, ...]:
        """The columns, prepared for every test; generated text, where most values are unique, is ignored."""
        kinds = [
            FeatureKind.IGNORED if kind is FeatureKind.CATEGORICAL and _is_mostly_unique(column) else kind
            for kind, column in zip(self.kinds, self.rows.T, strict=True)
        ]
        return in_order(profiles_of(self.columns, kinds, self.rows, self.categories), self.rows)


class Baselines:
    """Takes the baseline of each model once, and saves it in the store of the rows.

    Args:
        ring: The store of the responses.
        states: The store of the baselines, shared by replicas.
        outputs: The columns of each model's newest responses.
        rows: Rows of a baseline, at most the ring's capacity.
        on_replaced: Called for each baseline in the store that cannot be used and was deleted.
    """

    def __init__(
        self,
        ring: RingBuffer,
        states: StateStore,
        outputs: OutputColumns,
        rows: int,
        on_replaced: Callable[[], None] = lambda: None,
    ) -> None:
        self._ring = ring
        self._states = states
        self._outputs = outputs
        self._rows = rows
        self._on_replaced = on_replaced
        self._baselines: dict[StreamKey, Baseline] = {}
        self._loaded_at: dict[StreamKey, float] = {}
        self._changes: dict[StreamKey, tuple[str, int]] = {}
        self._unsaved: set[StreamKey] = set()

    async def get(self, stream: StreamKey, reference: str, now: float, token: str | None) -> Baseline | None:
        """Get the baseline of a stream of responses, or take it; returns `None` while there are too few.

        Args:
            stream: Responses of one model.
            reference: Digest of the inputs' reference. A new one means a new model, and so a new baseline, of the
                responses that follow. Empty without a reference, which changes nothing: it may not be loaded yet.
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

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the baselines of models that are not in `models`; those in the store stay."""
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
        window = await self._ring.read(stream, baseline.schema, len(baseline.columns))
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
                _log.warning("the baseline of %s cannot be saved and stays in memory: %s", stream.model, error)
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
            _log.warning("the baseline of %s in the store cannot be used; it is replaced", stream.model)
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
        _log.info("the first %d responses of %s are the baseline of its predictions", self._rows, stream.model)
        return baseline

    async def _collect_rows(
        self, stream: StreamKey, before: Baseline | None, reference: str, now: float
    ) -> Baseline | None:
        """Read the first rows that are not of a model before; `None` while there are too few."""
        outputs = self._outputs.get(stream.model)
        if outputs is None:
            return None
        schema = schema_hash(outputs.columns, outputs.kinds)
        window = await self._ring.read(stream, schema, len(outputs.columns))
        newest = int(window.numbers.max(initial=0))
        rows = window.rows[window.numbers > self._note_change(stream, before, reference, newest)]
        if rows.shape[0] < self._rows:
            return None
        return Baseline(reference, outputs.columns, outputs.kinds, rows[: self._rows], outputs.categories, now)

    def _note_change(self, stream: StreamKey, before: Baseline | None, reference: str, newest: int) -> int:
        """Note the newest row when the reference changes; returns its number, 0 without a change.

        Rows up to this one are of the model before. Example: the reference changes while the newest row is 250; the
        baseline of 40 rows is then rows 251 to 290.
        """
        changed_to, number = self._changes.get(stream, ("", 0))
        if before is not None and before.reference != reference != changed_to:
            changed_to, number = self._changes[stream] = reference, newest
        return number if changed_to == reference and number <= newest else 0  # an emptied store starts from 1 again


def _is_mostly_unique(codes: NDArray[np.float64]) -> bool:
    """Whether a column has more than half as many categories as values."""
    present = codes[~np.isnan(codes)]
    return 2 * np.unique(present).size > present.size


def pack(baseline: Baseline) -> bytes:
    """Encode a baseline: one line of JSON, then the rows as IEEE 754 binary64, little-endian, row by row."""
    head = {
        "reference": baseline.reference,
        "columns": baseline.columns,
        "kinds": baseline.kinds,
        "categories": [[code, text] for code, text in baseline.categories.items()],
        "taken_at": baseline.taken_at,
    }
    rows = np.ascontiguousarray(baseline.rows, dtype="<f8").tobytes()
    return orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE) + rows


def unpack(blob: bytes) -> Baseline | None:
    """Read what `pack` returned; `None` if it has another form or is damaged."""
    head, _, body = blob.partition(b"\n")
    try:
        facts = orjson.loads(head)
        columns, kinds = tuple(map(str, facts["columns"])), tuple(map(FeatureKind, facts["kinds"]))
        baseline = Baseline(
            reference=str(facts["reference"]),
            columns=columns,
            kinds=kinds,
            rows=np.frombuffer(body, dtype="<f8").reshape(-1, len(columns)),
            categories={float(code): str(text) for code, text in facts["categories"]},
            taken_at=float(facts["taken_at"]),
        )
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return None
    return baseline if _is_usable(baseline) else None


def _is_usable(baseline: Baseline) -> bool:
    """Whether a baseline has rows, a kind for each column, columns of different names, and no value that none has."""
    columns = baseline.columns
    if not len(columns) == len(baseline.kinds) == len(set(columns)) or not baseline.rows.size:
        return False
    if np.isinf(baseline.rows).any() or not all(map(math.isfinite, baseline.categories)):
        return False
    return 0 <= baseline.taken_at < _LATEST_TIME
