"""A reference on its way from one process to another, in pieces that are short to unpickle."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from driftgauge.drift.outcomes.outcome_columns import LabelledOutput
from driftgauge.drift.profile import Profile
from driftgauge.reference.dataset import Reference

_Column = TypeVar("_Column")


@dataclass(frozen=True, slots=True, eq=False)
class PackedReference:
    """A reference whose columns are pickled one by one.

    One call of the unpickler keeps the lock of the interpreter until it ends. With 2,000 columns of 10,000 categories
    each, one call for all would hold up the event loop for seconds; one column takes a few milliseconds at most.

    Args:
        head: The reference without columns.
        features: The columns of inputs.
        predictions: The columns of outputs.
        labelled: The outputs with labels.
    """

    head: Reference
    features: Sequence["PackedColumn"]
    predictions: Sequence["PackedColumn"]
    labelled: Sequence["PackedColumn"]


@dataclass(frozen=True, slots=True, eq=False)
class PackedColumn:
    """One pickled column.

    Args:
        content: The pickle.
        buffers: The arrays in it. They are not copied when the column is packed.
    """

    content: bytes
    buffers: Sequence[pickle.PickleBuffer]


def pack(reference: Reference) -> PackedReference:
    """Pickle each column of a reference."""
    return PackedReference(
        head=replace(reference, features=(), predictions=(), labelled=()),
        features=[_pack_column(profile) for profile in reference.features],
        predictions=[_pack_column(profile) for profile in reference.predictions],
        labelled=[_pack_column(output) for output in reference.labelled],
    )


def unpack(packed: PackedReference) -> Reference:
    """The reference as it was packed: arrays that could not be written to cannot be written to."""
    return replace(
        packed.head,
        features=tuple(_unpack_column(column, Profile) for column in packed.features),
        predictions=tuple(_unpack_column(column, Profile) for column in packed.predictions),
        labelled=tuple(_unpack_column(column, LabelledOutput) for column in packed.labelled),
    )


def _pack_column(column: Profile | LabelledOutput) -> PackedColumn:
    buffers: list[pickle.PickleBuffer] = []
    return PackedColumn(pickle.dumps(column, protocol=5, buffer_callback=buffers.append), buffers)


def _unpack_column(packed: PackedColumn, _kind: type[_Column]) -> _Column:
    column: _Column = pickle.loads(packed.content, buffers=packed.buffers)  # noqa: S301 - written by this package
    return column
