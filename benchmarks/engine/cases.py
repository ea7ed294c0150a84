"""The sizes that are measured, and the streams, in files that every competitor reads."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.statistics.work import generator


@dataclass(frozen=True, slots=True)
class Case:
    """Sizes.

    Args:
        reference_rows: Values of each feature's reference.
        window_rows: Rows of a window.
        features: Columns of both.
    """

    reference_rows: int
    window_rows: int
    features: int

    @property
    def name(self) -> str:
        """The case's name in tables."""
        return f"{_short(self.reference_rows)} x {_short(self.window_rows)} x {self.features}"


GRID = (
    Case(1_000, 500, 13),
    Case(10_000, 2_000, 13),
    Case(10_000, 2_000, 100),
    Case(10_000, 10_000, 100),
    Case(100_000, 2_000, 100),
)

QUICK = (Case(1_000, 500, 13),)


def write(case: Case, looks: int, file: Path) -> None:
    """Write a reference and a stream, standard normal, long enough for windows that start a tenth of a window apart."""
    rng = generator(9, case.reference_rows, case.window_rows, case.features)
    stream_rows = case.window_rows + looks * (case.window_rows // 10)
    np.savez(
        file,
        reference=rng.standard_normal((case.reference_rows, case.features)),
        stream=rng.standard_normal((stream_rows, case.features)),
        window_rows=np.int64(case.window_rows),
    )


def _short(count: int) -> str:
    return f"{count // 1_000}k" if count % 1_000 == 0 else str(count)
