"""Responses that wait for labels, and the labels that met them. A protocol; adapters: `MemoryLabels`, `RedisLabels`.

A label that meets its response makes one row of outcomes, which is appended to the model's stream of outcomes in the
same step. What waits is bounded: the time to live is divided into slices, and each slice keeps the responses with the
smallest digests of their ids. So what waits is a uniform sample of each slice, and all replicas choose the same.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import ModelKey

SLICES = 24
"""Slices of the time to live of responses that wait."""


class LabelOutcome(StrEnum):
    """What became of a label: exactly one of these, by the value of the label `outcome`."""

    MATCHED = "matched"
    UNKNOWN = "unknown"
    NOT_KEPT = "not_kept"
    DUPLICATE = "duplicate"
    CORRECTED = "corrected"
    TOO_LATE = "too_late"
    MALFORMED = "malformed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class LabelLayout:
    """How rows of outcomes of a model are made of.

    Args:
        predictions: Names of the columns of its responses, in the order of the ring's rows.
        kinds: Their kinds.
        outputs: Names of the outputs whose labels are taken, at most 10. A label without a name is of the first one.
        output_kinds: Whether labels of each are numbers or categories.
    """

    predictions: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    outputs: tuple[str, ...]
    output_kinds: tuple[FeatureKind, ...]

    @property
    def width(self) -> int:
        """Columns of an outcome row."""
        return len(self.predictions) + len(self.outputs)

    @cached_property
    def schema(self) -> str:
        """Hash of the columns of an outcome row, 16 hexadecimal digits: the predictions, then the labels of outputs."""
        columns = (self.predictions, tuple(map(str, self.kinds)), self.outputs, tuple(map(str, self.output_kinds)))
        return blake2b(repr(columns).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class WaitingResponse(NamedTuple):
    """A response that waits for labels.

    Args:
        ids: Digests (`id_digests`) of the ids of the inference, at least one; the first decides whether it is kept.
        time: When it passed, in seconds since the epoch.
        rows: Shape `(n, k)`, float64: its predictions, in the columns of the layout.
    """

    ids: tuple[int, ...]
    time: float
    rows: NDArray[np.float64]


class StoredLabel(NamedTuple):
    """The label of one output of one row of an inference.

    Args:
        id: Digest of one of the ids of the inference.
        row: The row, from 0.
        output: Index of the output in the layout.
        value: The number, or the code of the category; finite.
        time: When the response passed, in seconds since the epoch, as far as the label says so; `None` if it does not.
    """

    id: int
    row: int
    output: int
    value: float
    time: float | None = None


class Match(NamedTuple):
    """What became of one label.

    Args:
        outcome: `UNKNOWN` if no response with this id waits, which may come later.
        delay_seconds: From the response to now, for a label that matched; else `None`.
        is_judged: Whether the call judged it: its row was appended to the outcomes. Otherwise `mature` does that.
        may_come: Of one that is unknown or not kept: whether its id may be a further one of a response, whose first id
            alone decides whether it is kept, so that a response with it may come all the same.
    """

    outcome: LabelOutcome
    delay_seconds: float | None = None
    is_judged: bool = False
    may_come: bool = False


class Put(NamedTuple):
    """What became of responses.

    Args:
        kept: Those that were added, and those that wait already, with the same time and rows.
        left_out: Those that are beyond the bound of their slice, and those that had to leave it for a smaller digest,
            be they of this call or of an earlier one.
        displaced: Those whose id came again: the newest one counts.
    """

    kept: int
    left_out: int
    displaced: int


class Matured(NamedTuple):
    """Rows of responses that have become so old that they are judged, or are not labelled any more.

    Args:
        labelled: Rows that were appended to the outcomes because they matured.
        unlabelled: Rows without any label of slices that ended, counted once.
        more: Whether there are more rows to judge than were asked for.
    """

    labelled: int
    unlabelled: int
    more: bool = False

    @classmethod
    def sum(cls, steps: "Sequence[Matured]") -> "Matured":
        """What became of the rows of all steps, of which the last one says whether there are more."""
        labelled, unlabelled = (sum(one[place] for one in steps) for place in range(2))
        return cls(labelled, unlabelled, steps[-1].more)


class Slice(NamedTuple):
    """One slice of the time to live.

    Args:
        start: Its first moment, in seconds since the epoch.
        end: The first moment after it.
        responses: Responses that are kept.
        left_out: Responses that were left out.
        rows: Rows of the kept ones.
        labelled_rows: Rows that have a label of at least one output.
    """

    start: float
    end: float
    responses: int
    left_out: int
    rows: int
    labelled_rows: int


class ResponseSample(NamedTuple):
    """A sample of responses that wait, or did.

    Args:
        rows: Shape `(n, k)`, float64: rows of responses of one layout.
        times: Shape `(n,)`: when the response of each row passed, in seconds since the epoch.
        other_columns: Share of the responses of the same time that have another layout, in [0, 1]; 0 without any.
    """

    rows: NDArray[np.float64]
    times: NDArray[np.float64]
    other_columns: float


class LabelStore(Protocol):
    """Keeps responses until their labels come. Replicas that use the same store share them.

    All methods raise only `StorageError`. A call that failed may have been executed, wholly or in part. With `again`
    the same arguments get what the last call of the same method for this model would have returned, and nothing is done
    twice. There must be one call at a time of a method that has `again`, for each model.
    """

    async def put(
        self, model: ModelKey, layout: LabelLayout, responses: Sequence[WaitingResponse], *, again: bool = False
    ) -> Put:
        """Let responses wait for labels, and remember the layout as the model's newest one."""

    async def layout(self, model: ModelKey) -> LabelLayout | None:
        """The newest layout of a model; `None` if no response ever waited."""

    async def match(
        self, model: ModelKey, layout: LabelLayout, labels: Sequence[StoredLabel], *, again: bool = False
    ) -> list[Match]:
        """Match labels with responses, in order, and append those that are judged at once to the outcomes.

        Returns:
            One result for each label. Responses of another layout are unknown.
        """

    async def mature(self, model: ModelKey, most: int | None = None, *, again: bool = False) -> Matured:
        """Append labelled rows that have matured since the last call, in the order of the responses' times.

        Args:
            model: The model.
            most: After so many rows no further step begins, of which each has 50 rows or those of one response; `None`
                for all. Rows without a label are counted when no more are to be judged.
            again: As of the class.
        """

    async def slices(self, model: ModelKey) -> list[Slice]:
        """The slices that are not empty, oldest first."""

    async def sample(self, model: ModelKey, layout: LabelLayout, start: float, end: float, rows: int) -> ResponseSample:
        """A uniform sample of the rows of all responses of a time, labelled or not: at most so many rows."""

    def retain(self, models: Container[ModelKey]) -> None:
        """Free the memory of this process for models that are not in `models`. Never blocks, never raises."""
