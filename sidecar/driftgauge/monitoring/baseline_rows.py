"""A baseline, and its form in a store. Whatever a store returns is untrusted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import orjson
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.reference.dataset import schema_hash
from driftgauge.reference.profiles import profiles_of
from driftgauge.reference.row_order import in_order

_LATEST_TIME = 2.0**37
"""Beyond every time that a clock has: the year 6325."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """The first rows of a stream.

    Args:
        reference: Digest of the inputs' reference at that time; empty without one.
        columns: Names of the columns.
        kinds: How each column is tested.
        rows: Shape `(n, k)`, float64; NaN is a missing value.
        categories: The text of each code.
        taken_at: Seconds since the epoch.
        responses: Shape `(n,)`: equal for rows of one response, in the order of time; `None` if unknown.
    """

    reference: str
    columns: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    rows: NDArray[np.float64]
    categories: Mapping[float, str]
    taken_at: float
    responses: NDArray[np.int64] | None = None

    def first(self, rows: int) -> "Baseline":
        """The same of the first rows alone."""
        responses = None if self.responses is None else self.responses[:rows]
        return replace(self, rows=self.rows[:rows], responses=responses)

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


def _is_mostly_unique(codes: NDArray[np.float64]) -> bool:
    """Whether a column has more than half as many categories as values."""
    present = codes[~np.isnan(codes)]
    return 2 * np.unique(present).size > present.size


def pack(baseline: Baseline) -> bytes:
    """Encode a baseline: one line of JSON, then the rows as IEEE 754 binary64, little-endian, row by row."""
    head: dict[str, object] = {
        "reference": baseline.reference,
        "columns": baseline.columns,
        "kinds": baseline.kinds,
        "categories": [[code, text] for code, text in baseline.categories.items()],
        "taken_at": baseline.taken_at,
    }
    if baseline.responses is not None:
        head["responses"] = baseline.responses.tolist()
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
            responses=np.array(facts["responses"], dtype=np.int64) if "responses" in facts else None,
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
    if baseline.responses is not None and baseline.responses.shape != baseline.rows.shape[:1]:
        return False
    return 0 <= baseline.taken_at < _LATEST_TIME
