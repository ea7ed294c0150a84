"""The baseline: the first responses of a model, which stand for a reference of its predictions where there is none."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.features.output_columns import OutputColumns
from driftgauge.reference.dataset import schema_hash
from driftgauge.reference.profiles import profiles_of
from driftgauge.storage.ring import RingBuffer, StreamKey
from driftgauge.storage.states import StateStore

_log = logging.getLogger(__name__)

_NAME = "baseline"

_RENEW_SECONDS = 60
"""How often a baseline is looked up in the store: that keeps it from expiring, brings it back where the store was
emptied, and lets replicas that took one each meanwhile agree again."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Rows of the first responses.

    Args:
        reference: Digest of the inputs' reference when they were taken; empty without one.
        columns: Names of the outputs.
        kinds: How each is looked at.
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
        """Hash of its columns."""
        return schema_hash(self.columns, self.kinds)

    @property
    def digest(self) -> str:
        """Names it: another reference or other columns, another name."""
        return f"baseline/{self.reference}/{self.schema}/{self.taken_at!r}"

    def profiles(self) -> tuple[Profile, ...]:
        """Its columns, made ready for every test; text that is always new, as of models that write, is ignored."""
        kinds = [
            FeatureKind.IGNORED if kind is FeatureKind.CATEGORICAL and _is_ever_new(column) else kind
            for kind, column in zip(self.kinds, self.rows.T, strict=True)
        ]
        return profiles_of(self.columns, kinds, self.rows, self.categories)


class Baselines:
    """Takes the baseline of each model once, and keeps it where the rows are kept.

    Args:
        ring: Where responses lie.
        states: Where baselines are kept.
        outputs: What each model's newest responses look like.
        rows: Rows of a baseline, at most the ring's capacity.
    """

    def __init__(self, ring: RingBuffer, states: StateStore, outputs: OutputColumns, rows: int) -> None:
        self._ring = ring
        self._states = states
        self._outputs = outputs
        self._rows = rows
        self._known: dict[StreamKey, Baseline] = {}
        self._renewed: dict[StreamKey, float] = {}
        self._changed: dict[StreamKey, tuple[str, int]] = {}

    async def get(self, stream: StreamKey, reference: str, now: float) -> Baseline | None:
        """The baseline of a stream of responses; `None` as long as there are too few.

        Args:
            stream: Responses of one model.
            reference: Digest of the inputs' reference: a new one means a new model, and a new baseline of the responses
                that follow. Empty without one, which means nothing: it may not have been read yet.
            now: Seconds since the epoch.

        Raises:
            StorageError: The store is away.
        """
        known = await self._kept(stream, now)
        if known is None or await self._is_over(stream, known, reference):
            known = await self._take_new(stream, known, reference, now)
        if known is not None:
            self._known[stream] = known
        return known

    async def _is_over(self, stream: StreamKey, known: Baseline, reference: str) -> bool:
        """Whether the reference is another, or the model answers in another form and no row of the old one is left."""
        if reference and known.reference != reference:
            return True
        outputs = self._outputs.get(stream.model)
        if outputs is None or (outputs.columns, outputs.kinds) == (known.columns, known.kinds):
            return False
        window = await self._ring.read(stream, known.schema, len(known.columns))
        return not len(window.rows)

    async def _kept(self, stream: StreamKey, now: float) -> Baseline | None:
        """What is known, from time to time seen to be in the store still."""
        known = self._known.get(stream)
        if known is not None and abs(now - self._renewed.get(stream, 0.0)) < _RENEW_SECONDS:
            return known
        self._renewed[stream] = now
        stored, _ = await self._load(stream)
        if stored is None and known is not None:  # expired, or the store was emptied
            await self._states.save(stream, _NAME, pack(known), 0)
        return stored or known

    async def _load(self, stream: StreamKey) -> tuple[Baseline | None, int]:
        """What is in the store, and its version."""
        state = await self._states.load(stream, _NAME)
        if state is None:
            return None, 0
        found = unpack(state.blob)
        if found is None:  # of another version of ours, or damaged: it would block a new one
            await self._states.delete(stream, _NAME)
            return None, 0
        return found, state.version

    async def _take_new(self, stream: StreamKey, known: Baseline | None, reference: str, now: float) -> Baseline | None:
        """What another replica has taken already, or else is taken now; the old one stays in the store until then."""
        stored, version = await self._load(stream)
        if stored is not None and not await self._is_over(stream, stored, reference):
            return stored
        taken = await self._taken(stream, stored or known, reference, now)
        if taken is None:
            return None
        if not await self._states.save(stream, _NAME, pack(taken), version):
            return (await self._load(stream))[0]  # another replica was first
        _log.info("the first %d responses of %s are the baseline of its predictions", self._rows, stream.model)
        return taken

    async def _taken(self, stream: StreamKey, before: Baseline | None, reference: str, now: float) -> Baseline | None:
        outputs = self._outputs.get(stream.model)
        if outputs is None:
            return None
        schema = schema_hash(outputs.columns, outputs.kinds)
        window = await self._ring.read(stream, schema, len(outputs.columns))
        newest = int(window.numbers.max(initial=0))
        rows = window.rows[window.numbers > self._last_of_before(stream, before, reference, newest)]
        if rows.shape[0] < self._rows:
            return None
        return Baseline(reference, outputs.columns, outputs.kinds, rows[: self._rows], outputs.categories, now)

    def _last_of_before(self, stream: StreamKey, before: Baseline | None, reference: str, newest: int) -> int:
        """Number of the last row that passed before the reference changed, and is of another model; 0 for none."""
        changed_to, number = self._changed.get(stream, ("", 0))
        if before is not None and before.reference != reference != changed_to:
            changed_to, number = self._changed[stream] = reference, newest
        return number if changed_to == reference and number <= newest else 0  # a store that was emptied counts anew


def _is_ever_new(codes: NDArray[np.float64]) -> bool:
    """Whether most values of a column are of categories that are met once or twice."""
    present = codes[~np.isnan(codes)]
    return 2 * np.unique(present).size > present.size


def pack(baseline: Baseline) -> bytes:
    """One line of JSON, then the rows as IEEE 754 binary64, little-endian, row by row."""
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
    """What `pack` made; `None` if it is of another form or damaged."""
    head, _, body = blob.partition(b"\n")
    try:
        facts = orjson.loads(head)
        columns = tuple(map(str, facts["columns"]))
        return Baseline(
            reference=str(facts["reference"]),
            columns=columns,
            kinds=tuple(map(FeatureKind, facts["kinds"])),
            rows=np.frombuffer(body, dtype="<f8").reshape(-1, len(columns)),
            categories={float(code): str(text) for code, text in facts["categories"]},
            taken_at=float(facts["taken_at"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
