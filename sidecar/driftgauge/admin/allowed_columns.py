"""Which columns of rows may leave the process: the option `export_columns`."""

import csv
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from driftgauge.errors import DriftgaugeError
from driftgauge.reference.column import shortened


class RefusedColumnError(DriftgaugeError):
    """A file would have a column that must not leave the process."""


class AllowedColumns:
    """The columns that may leave the process.

    Args:
        patterns: Patterns of names, with commas between them; `*` allows all. Outputs are `prediction:<output>`, labels
            `label:<output>`.
    """

    def __init__(self, patterns: str = "*") -> None:
        self._patterns = tuple(next(csv.reader([patterns], skipinitialspace=True), ()))

    def allows(self, name: str) -> bool:
        """Whether a column may leave the process. The case counts."""
        return any(fnmatchcase(name, pattern) for pattern in self._patterns)

    def check(self, names: Sequence[str]) -> None:
        """Refuse a file that needs all of its columns, if one of them may not leave the process.

        Raises:
            RefusedColumnError: One may not; the sentence names the first.
        """
        refused = next((name for name in names if not self.allows(name)), None)
        if refused is not None:
            raise RefusedColumnError(f"column {shortened(refused)} is not served: export_columns does not allow it")


ALL_COLUMNS: Final = AllowedColumns()
