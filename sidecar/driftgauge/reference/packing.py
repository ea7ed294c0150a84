"""A reference on its way from one process to another, in pieces that are short to unpickle."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace

from driftgauge.drift.profile import Profile
from driftgauge.reference.dataset import Reference


@dataclass(frozen=True, slots=True, eq=False)
class PackedReference:
    """A reference whose columns are pickled one by one.

    One call of the unpickler keeps the lock of the interpreter until it ends. With 2,000 columns of 10,000 categories
    each, one call for all would hold up the event loop for seconds; one column takes a few milliseconds at most.

    Args:
        head: The reference without columns.
        features: The columns of inputs.
        predictions: The columns of outputs.
    """

    head: Reference
    features: Sequence["PackedColumn"]
    predictions: Sequence["PackedColumn"]


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
        head=replace(reference, features=(), predictions=()),
        features=[_pack_column(profile) for profile in reference.features],
        predictions=[_pack_column(profile) for profile in reference.predictions],
    )


def unpack(packed: PackedReference) -> Reference:
    """The reference as it was packed: arrays that could not be written to cannot be written to."""
    return replace(
        packed.head,
        features=tuple(_unpack_column(column) for column in packed.features),
        predictions=tuple(_unpack_column(column) for column in packed.predictions),
    )


def _pack_column(profile: Profile) -> PackedColumn:
    buffers: list[pickle.PickleBuffer] = []
    return PackedColumn(pickle.dumps(profile, protocol=5, buffer_callback=buffers.append), buffers)


def _unpack_column(column: PackedColumn) -> Profile:
    profile: Profile = pickle.loads(column.content, buffers=column.buffers)  # noqa: S301 - written by this package
    return profile
