"""Tensors, the datatypes of the Open Inference Protocol, and JSON values as arrays of a datatype."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.json_text import as_numbers, nested_array, types_in


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A named array; its first axis are the rows.

    Args:
        name: The name of the tensor or column; empty for V1 rows by position, which have none.
        data: Shape `(rows, ...)`; any numeric or bool dtype, or `object` for text, nulls or a mix of types. A missing
            value is NaN, or `None` under `object`.
    """

    name: str
    data: NDArray[Any]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.data.shape[0]) if self.data.ndim else 1


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The content of one payload.

    Args:
        tensors: The inputs of a request or the predictions of a response, in wire order; at least one.
    """

    tensors: tuple[Tensor, ...]


BOOL: Final = "BOOL"
BF16: Final = "BF16"
BYTES: Final = "BYTES"

FLOATS: Final = frozenset({"FP16", "FP32", "FP64", BF16})

WIRE_DTYPES: Final[Mapping[str, np.dtype[Any]]] = MappingProxyType(
    {
        BOOL: np.dtype("u1"),
        **{f"UINT{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
        **{f"INT{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
        **{f"FP{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
        BF16: np.dtype("<u2"),
    }
)
"""The binary form of a value of each datatype of fixed size, which are all but BYTES."""

_INTEGRAL: Final = frozenset({bool, int, NoneType})


def is_known(datatype: str) -> bool:
    """Whether the protocol has this datatype.

    Source:
        Open Inference Protocol, REST, "Tensor Data Types"; BF16 as in Triton's binary extension.
    """
    return datatype == BYTES or datatype in WIRE_DTYPES


def from_json(values: list[Any], datatype: str, name: str) -> NDArray[Any]:
    """The array of a tensor's data in JSON, flat or nested.

    Args:
        values: The member `data` of the tensor.
        datatype: A datatype for which `is_known` holds.
        name: The name of the tensor, for error messages.

    Returns:
        The shape of the nested lists. BOOL is bool. Integers have their own dtype, so that 64 bits stay exact, or are
        objects if there is a null among them. Floats are float64 with NaN for null; they are not rounded to the
        datatype, so that they equal the same decimals in a reference. BYTES are objects: str or None.

    Raises:
        PayloadError: `MALFORMED` if ragged, or if a value does not belong to the datatype.

    Source:
        Open Inference Protocol, REST, "Tensor Data".
    """
    block = nested_array(values, f"tensor {name!r:.80}")
    if datatype in FLOATS:
        return _floats(block, datatype, name)
    if datatype == BYTES:
        _check(types_in(block) <= {str, NoneType}, datatype, name)
        return block
    return _integers(block, datatype, name)


def _check(holds: bool, datatype: str, name: str) -> None:  # noqa: FBT001 - the checked condition
    if not holds:
        message = f"Tensor {name!r:.80} has the datatype {datatype}, but a value that is none."
        raise PayloadError(Reason.MALFORMED, message)


def _floats(block: NDArray[Any], datatype: str, name: str) -> NDArray[Any]:
    numbers = as_numbers(block)
    _check(numbers.dtype == np.float64, datatype, name)
    return numbers


def _integers(block: NDArray[Any], datatype: str, name: str) -> NDArray[Any]:
    if not types_in(block) <= _INTEGRAL:
        block = _without_points(block, datatype, name)
    present = block[block != None]  # noqa: E711 - item by item
    dtype = np.dtype(bool) if datatype == BOOL else WIRE_DTYPES[datatype]
    try:
        exact = present.astype(WIRE_DTYPES[datatype])
    except OverflowError:
        exact = None
    _check(exact is not None and (datatype != BOOL or not np.any(exact > 1)), datatype, name)
    return block.astype(dtype) if present.size == block.size else block


def _without_points(block: NDArray[Any], datatype: str, name: str) -> NDArray[Any]:
    """Integers that were written as 1.0 or 1e3 become int, since JSON has only one kind of number."""
    items = block.ravel().tolist()
    _check(all(type(item) in _INTEGRAL or _is_whole(item) for item in items), datatype, name)
    whole = np.empty(len(items), dtype=object)
    whole[:] = [int(item) if type(item) is float else item for item in items]
    return whole.reshape(block.shape)


def _is_whole(item: object) -> bool:
    return isinstance(item, float) and item.is_integer()
