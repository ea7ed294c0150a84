"""How much work and memory one body may cost, besides its limit in bytes.

A JSON parser keeps all values, and the lock of the interpreter, until it has finished. So the memory that the values
will take is estimated before they are parsed, from counts of single bytes: `[1,"a"]` has one bracket, one comma and two
quotes. Text that contains these bytes counts too. Rows of numbers are parsed in slices (`chunked_json`) and have no
such limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from driftgauge.errors import PayloadError, Reason

MAX_PARSED_BYTES: Final = 40 * 2**20
"""Most memory of the values of a body that is parsed in one call, as estimated: 400,000 short texts, for example."""

_BYTES_EACH: Final[Mapping[bytes, int]] = MappingProxyType({b",": 56, b'"': 16, b":": 40, b"[": 80, b"{": 200})
"""Memory for each of these bytes. CPython 3.11 has 32 bytes for a float, 64 for a short text, and 8 for each place of a
value in a list, of which there are three when the list has become an array. A key takes more if it is a new one."""

MAX_NAMES: Final = 2**14
"""Most names of tensors, or of columns of rows by name. Each takes 6 microseconds, since each becomes an array."""

MAX_NAMED_CELLS: Final = 2**20
"""Most cells of a table of named columns. Its rows may lack most columns, so that it is larger than the body."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of decoding one body.

    Args:
        unpacked_bytes: Most bytes of the decompressed body, at least 1.
        names: Most names of tensors or columns.
        cells: Most cells of a table of named columns.
    """

    unpacked_bytes: int
    names: int = MAX_NAMES
    cells: int = MAX_NAMED_CELLS


def check_content(raw: bytes) -> None:
    """Refuse a body whose values take much memory, and so long to parse.

    Raises:
        PayloadError: `TOO_COMPLEX`.
    """
    if len(raw) * max(_BYTES_EACH.values()) <= MAX_PARSED_BYTES:
        return
    size = sum(weight * raw.count(byte) for byte, weight in _BYTES_EACH.items())
    if size > MAX_PARSED_BYTES:
        message = f"The values of the body take about {size >> 20} MiB of memory, more than {MAX_PARSED_BYTES >> 20}."
        raise PayloadError(Reason.TOO_COMPLEX, message)


def check_names(number: int, limit: int) -> None:
    """Refuse a body with many names.

    Raises:
        PayloadError: `TOO_COMPLEX`.
    """
    if number > limit:
        raise PayloadError(Reason.TOO_COMPLEX, f"The body has {number} tensors or columns, more than {limit}.")
