"""Rows of an export, of two features, one output and its labels."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from driftgauge.drift.profile import FeatureKind
from driftgauge.protocol.category import code
from driftgauge.reference.exported_rows import ExportedRows
from driftgauge.reference.table import Table

PARIS: Final = code("Paris")
LONDON: Final = code('a, "b"\n')
"""Of a text that CSV has to quote."""

TIMES: Final = [datetime(2026, 3, 1, 10, 0, second, 250_000, UTC).timestamp() for second in (0, 1, 2)]
ROWS: Final = ExportedRows(
    Table(
        Path("rows.npz"),
        ("alcohol", "city", "prediction:quality", "label:quality"),
        (FeatureKind.NUMERIC, FeatureKind.CATEGORICAL, FeatureKind.NUMERIC, FeatureKind.NUMERIC),
        np.array([[0.1, PARIS, 5, np.nan], [10, np.nan, 6, 6], [np.nan, LONDON, 7, np.nan]]),
        categories={PARIS: "Paris", LONDON: 'a, "b"\n'},
        times=np.array(TIMES),
        ordered=True,
    ),
    np.array([0xFF, 2**63, 1], dtype=np.uint64),
    np.array([0, 1, 0]),
    np.array(["stable", "stable", ""]),
    np.array([True, True, False]),
)
