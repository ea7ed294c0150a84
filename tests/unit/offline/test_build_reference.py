"""References that are built in Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftgauge
from tests.support.samples import by_name, sample


def test_a_reference_is_built_from_memory_as_from_a_file(tmp_path: Path) -> None:
    """The same rows are drawn, and what is written is what is returned."""
    table = pa.table(by_name(sample(1)))
    pq.write_table(table, tmp_path / "training.parquet")
    from_file = driftgauge.build_reference(tmp_path / "training.parquet", rows=50, seed=3, predictions=["sugar"])
    output = tmp_path / "reference.npz"
    from_memory = driftgauge.build_reference(table, output, rows=50, seed=3, predictions="sugar")

    assert (50, ("acidity", "alcohol"), ("sugar",)) == (
        from_memory.rows,
        from_memory.columns,
        from_memory.prediction_columns,
    )
    for first, second in zip(from_file.features, from_memory.features, strict=True):
        np.testing.assert_array_equal(first.values, second.values)
    assert from_memory.digest == driftgauge.read_reference(output).digest
    assert from_memory.origin is not None
    assert 250 == from_memory.origin.rows_seen


def test_a_reference_is_built_in_the_order_of_time(tmp_path: Path) -> None:
    """The rows are sorted by their times, or known to be in order; the newest ones are kept."""
    days = np.datetime64("2026-01-01") + np.arange(30)
    data = {"ts": days[::-1], "a": np.arange(30.0)[::-1]}
    timed = driftgauge.build_reference(data, tmp_path / "a.npz", rows=8, time_column="ts")
    ordered = driftgauge.build_reference({"a": data["a"]}, rows=8, ordered=True)

    assert list(range(23, 30)) == list(timed.features[0].values)
    assert list(range(8)) == list(ordered.features[0].values)
    assert (("a",), True, True) == (timed.columns, timed.is_ordered, ordered.is_ordered)
    assert timed.time_span == driftgauge.read_reference(tmp_path / "a.npz").time_span
    with pytest.raises(driftgauge.ReferenceDataError, match="time_column: must be text; it is 5"):
        driftgauge.build_reference(data, time_column=5)  # type: ignore[arg-type]


def test_identifiers_are_left_out_of_a_built_reference() -> None:
    """As the command leaves them out, with a note."""
    rows = 1200
    training = {"id": [f"order {row}" for row in range(rows)], "age": np.arange(rows)}

    assert "as identifiers do" in driftgauge.build_reference(training).notes[0]


def test_codes_are_categories_of_a_built_reference(tmp_path: Path) -> None:
    """Columns that `categorical` names are tested by the shares of their values, in memory as in files."""
    shops = [10_000 + row % 7 for row in range(70)]
    (tmp_path / "training.csv").write_text("shop\n" + "".join(f"{shop}\n" for shop in shops))
    built = [
        driftgauge.build_reference(data, categorical="shop") for data in ({"shop": shops}, tmp_path / "training.csv")
    ]

    assert ["categorical"] * 2 == [reference.kinds[0] for reference in built]
    assert 0.5 == driftgauge.check(built[0], {"shop": [*shops, *([99] * 70)]}).features[0].distance.statistic


@pytest.mark.parametrize(
    "arguments",
    [
        {"rows": 0},
        {"seed": -1},
        {"predictions": ["x"]},
        {"categorical": ["x"]},
        {"categorical": [1]},
        {"output": "a.csv"},
    ],
)
def test_a_reference_is_not_built_from_bad_arguments(arguments: dict[str, Any]) -> None:
    """Each is refused."""
    with pytest.raises(driftgauge.ReferenceDataError):
        driftgauge.build_reference(sample(1), **arguments)


def test_a_reference_is_built_with_labels(tmp_path: Path) -> None:
    """Labels by the name of their output, with task and classes; wrong arguments are named."""
    data = {"a": [1, 2, 3], "q": [0, 1, 1], "truth": [0, 1, 0]}
    built = driftgauge.build_reference(
        data, tmp_path / "a.npz", predictions="q", labels={"q": "truth"}, task="classification", classes=["0", "1"]
    )

    assert (("a",), ("q",), ("0", "1")) == (built.columns, built.prediction_columns, built.labelled[0].class_texts)
    for arguments, sentence in (
        ({"labels": ["q"]}, "labels: must be columns by the name of their output"),
        ({"labels": {"q": "truth", "p": "truth"}}, "labels: each column must be of one output"),
        ({"task": "ranking"}, "task: must be one of auto, classification, regression"),
    ):
        with pytest.raises(driftgauge.ReferenceDataError, match=sentence):
            driftgauge.build_reference(data, **arguments)
