"""Narrow floats in a reference stand for the decimals that a text file would hold."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftgauge.reference.files import read_table


def test_float32_columns_of_every_format_tie_with_text(tmp_path: Path) -> None:
    """Else each would drift from the other by its last digits alone."""
    (tmp_path / "a.csv").write_text("x\n0.1\n9.7\n")
    np.savez(tmp_path / "a.npz", x=np.array([0.1, 9.7], dtype=np.float32))
    pq.write_table(pa.table({"x": pa.array([0.1, 9.7], pa.float32())}), tmp_path / "a.parquet")
    text, *others = (read_table(tmp_path / f"a.{kind}").values.tolist() for kind in ("csv", "npz", "parquet"))

    assert [text, text] == others
