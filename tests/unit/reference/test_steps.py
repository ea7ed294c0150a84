"""The steps that drawing a sample reports."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.reference.column import TimeRules
from driftgauge.reference.sample import SampleSpec, draw_sample

Steps = list[tuple[str, float | None]]


def steps_of(path: Path, spec: SampleSpec) -> Steps:
    """What is reported."""
    steps: Steps = []
    draw_sample(path, spec, lambda step, share: steps.append((step, share)))
    return steps


def test_each_pass_over_a_csv_file_ends_at_the_whole(tmp_path: Path) -> None:
    """Counting, times and sample; then the work on the rows in memory, whose share is not known."""
    path = tmp_path / "a.csv"
    path.write_text("t,a\n" + "".join(f"{1_700_000_000 + number},{number % 7}\n" for number in range(500)))
    steps = steps_of(path, SampleSpec(rows=100, time=TimeRules("t")))

    assert [
        ("counting the rows of a.csv", 1.0),
        ("reading the times of a.csv", 1.0),
        ("reading the sample of a.csv", 1.0),
        ("splitting the rows into columns", None),
    ] == [(step, None if share is None else pytest.approx(share, abs=0.01)) for step, share in steps]


def test_a_parquet_file_is_reported_by_its_row_groups(tmp_path: Path) -> None:
    """Each passes a share of the rows."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [float(number % 7) for number in range(400)]}), path, row_group_size=100)

    assert [
        ("reading the sample of a.parquet", 0.25),
        ("reading the sample of a.parquet", 0.5),
        ("reading the sample of a.parquet", 0.75),
        ("reading the sample of a.parquet", 1.0),
        ("hashing a.parquet", None),
    ] == steps_of(path, SampleSpec(rows=50))
