"""How large the file of a dataset may be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from driftgauge.errors import ReferenceDataError

MAX_FILE_BYTES: Final = 256 * 2**20
"""A file is read whole. Of a larger one a sample is as good: with 1,000,000 rows the error of D is about 0.001."""

MAX_VALUES: Final = 2**25
"""Rows times columns of a table: 256 MiB of float64. Small files can unpack to large tables."""

DEFAULT_VALUES: Final = 5_000_000
"""The default of `max_reference_values`. `driftgauge reference build` keeps within it, too.

The process that loads such a file takes 280 MiB at most (Parquet with times; else NPZ of texts, 262 MiB;
`benchmarks.footprint.reference_memory`).
So it fits in a container of 512 MiB, beside a proxy of 90 MiB, the old reference and the new one, of 38 MiB each.
"""

_VALUES_OF_A_CATEGORY: Final = 25
"""The memory of a category's code and text, in numbers of eight bytes."""

_SAMPLE: Final = "a sample will do: driftgauge reference build"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How large a file may be. Each check raises `ReferenceDataError` with the file, its size, the limit and a remedy.

    Args:
        bytes: Of the file.
        values: Rows times columns.
    """

    bytes: int = MAX_FILE_BYTES
    values: int = MAX_VALUES

    @property
    def unpacked_bytes(self) -> int:
        """Of the file's arrays when they are no longer compressed: texts take more than eight bytes each."""
        return min(32 * self.values, 8 * MAX_VALUES)

    @property
    def memory_bytes(self) -> int:
        """What loading a file within the limits takes, at most.

        The file, four times the table, and what pyarrow and a block of cells take, whatever the size.
        """
        return self.bytes + 4 * 8 * self.values + 112 * 2**20

    def check_bytes(self, path: Path, size_bytes: int) -> None:
        """Refuse a file that is too long."""
        if size_bytes > self.bytes:
            raise ReferenceDataError(
                f"{path}: the file is larger than {_mib(self.bytes)}, {_SAMPLE} (it has {_mib(size_bytes)})"
            )

    def check_values(self, path: Path, values: int) -> None:
        """Refuse a table with too many values."""
        if values > self.values:
            raise ReferenceDataError(f"{path}: more than {self.values} values, {_SAMPLE} (it has {values})")

    def check_unpacked_bytes(self, path: Path, size_bytes: int) -> None:
        """Refuse a file whose arrays are too long when they are no longer compressed."""
        if size_bytes > self.unpacked_bytes:
            limit, size = _mib(self.unpacked_bytes), _mib(size_bytes)
            raise ReferenceDataError(f"{path}: its arrays take more than {limit}, {_SAMPLE} (they take {size})")

    def check_categories(self, path: Path, categories: int) -> None:
        """Refuse a reference with too many categories of all columns together."""
        limit = self.values // _VALUES_OF_A_CATEGORY
        if categories > limit:
            raise ReferenceDataError(
                f"{path}: more than {limit} categories, {_SAMPLE}, with fewer columns of text (it has {categories})"
            )


ANY_SIZE: Final = FileLimits()
"""The limits of commands and functions, which have a process of their own."""


def out_of_memory(path: Path) -> ReferenceDataError:
    """The error for a file that takes more memory than there is."""
    return ReferenceDataError(f"{path}: loading it ran out of memory; {_SAMPLE}")


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.4g} MiB"
