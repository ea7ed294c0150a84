"""The baseline: the first responses of a model, which stand for a reference of its predictions where there is none."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from sidecar.drift.profile import FeatureKind, Profile
from sidecar.models import OutputColumns
from sidecar.reference import profiles_of, schema_hash
from sidecar.storage.ring import RingBuffer, StreamKey
from sidecar.storage.states import StateStore

_log = logging.getLogger(__name__)

_NAME = "baseline"

_RENEW_SECONDS = 3600
"""How often a baseline's life in the store is renewed: it is read there, which keeps it from expiring."""


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

    async def get(self, stream: StreamKey, reference: str, now: float) -> Baseline | None:
        """The baseline of a stream of responses; `None` as long as there are too few.

        Args:
            stream: Responses of one model.
            reference: Digest of the inputs' reference: a new one means a new model, and a new baseline.
            now: Seconds since the epoch.

        Raises:
            StorageError: The store is away.
        """
        known = await self._kept(stream, now)
        if known is not None and await self._is_over(stream, known, reference):
            known = await self._load(stream)  # another replica may have taken a new one already
            if known is not None and await self._is_over(stream, known, reference):
                await self._forget(stream)
                known = None
        if known is None:
            known = await self._take(stream, reference, now)
        if known is not None:
            self._known[stream] = known
        return known

    async def _is_over(self, stream: StreamKey, known: Baseline, reference: str) -> bool:
        """Whether the reference is another, or the model answers in another form and no row of the old one is left."""
        if known.reference != reference:
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
        stored = await self._load(stream)
        if stored is None and known is not None:  # expired, or the store was emptied
            await self._states.save(stream, _NAME, pack(known), 0)
        return stored or known

    async def _load(self, stream: StreamKey) -> Baseline | None:
        state = await self._states.load(stream, _NAME)
        found = None if state is None else unpack(state.blob)
        if state is not None and found is None:  # of another version of ours, or damaged: it would block a new one
            await self._states.delete(stream, _NAME)
        return found

    async def _forget(self, stream: StreamKey) -> None:
        self._known.pop(stream, None)
        await self._states.delete(stream, _NAME)

    async def _take(self, stream: StreamKey, reference: str, now: float) -> Baseline | None:
        outputs = self._outputs.get(stream.model)
        if outputs is None:
            return None
        schema = schema_hash(outputs.columns, outputs.kinds)
        window = await self._ring.read(stream, schema, len(outputs.columns))
        if window.rows.shape[0] < self._rows:
            return None
        rows = window.rows[: self._rows]
        taken = Baseline(reference, outputs.columns, outputs.kinds, rows, outputs.categories, now)
        if not await self._states.save(stream, _NAME, pack(taken), 0):
            return await self._load(stream)  # another replica was first
        _log.info("the first %d responses of %s are the baseline of its predictions", self._rows, stream.model)
        return taken


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
