"""The one value that every inference protocol is decoded to."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One named block of values; its first axis counts rows.

    Args:
        name: The tensor's or column's name; empty where the protocol gives none (V1 rows by position).
        data: Values of shape `(rows, ...)`; any numeric or bool dtype, or `object` where the
            wire held text, nulls or a mix. A missing value is NaN, or `None` under `object`.
    """

    name: str
    data: NDArray[Any]

    @property
    def rows(self) -> int:
        """How many rows the tensor holds."""
        return int(self.data.shape[0]) if self.data.ndim else 1


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What one payload held.

    Args:
        tensors: Inputs of a request or outputs of a response, in wire order; at least one.
        model_name: The model's name where the body tells it (V2 responses).
    """

    tensors: tuple[Tensor, ...]
    model_name: str | None = None
