"""Labelled predictions as files."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from driftgauge.admin import labelled_files
from driftgauge.admin.labelled_files import ModelInputs, as_csv, as_npz, labelled_rows
from driftgauge.drift.profile import FeatureKind
from driftgauge.protocol.category import code
from driftgauge.reference.files import read_table
from driftgauge.reference.profiles import profiles_of
from driftgauge.reference.table import Table
from driftgauge.storage.assembling import NO_ROWS, Appended, assemble, put_together
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.ring import Block, Window

LAYOUT = LabelLayout(
    ("grade", "price"),
    (FeatureKind.CATEGORICAL, FeatureKind.NUMERIC),
    ("grade",),
    (FeatureKind.CATEGORICAL,),
)
GOOD, ODD = code("good"), code('a, "b"')
TEXTS = {GOOD: "good", ODD: 'a, "b"'}
COUNT = 3
WINDOW = Window(
    rows=np.array([[GOOD, 0.1, ODD], [ODD, np.nan, GOOD], [code("unknown"), 2.0, np.nan]]),
    time=3.0,
    skipped_blocks=0,
    numbers=np.arange(1, 1 + COUNT),
    requests=np.arange(COUNT),
    times=np.array([3.0, 1.0, 2.0]),
    ids=np.array([2**63, 1, 2], dtype=np.uint64),
    places=np.zeros(COUNT, dtype=np.int64),
    writers=np.zeros(COUNT, dtype=np.int64),
    positions=np.arange(1, 1 + COUNT),
    totals={"a": COUNT},
)


def test_a_csv_has_texts_and_all_digits() -> None:
    """In the order of the responses' times; a missing value is empty, a text that is unknown has its number."""
    lines = list(csv.DictReader(io.StringIO(as_csv(labelled_rows(LAYOUT, WINDOW, TEXTS)).decode())))

    assert list(lines[0]) == ["id", "row", "time", "prediction:grade", "prediction:price", "label:grade"]
    assert [line["time"] for line in lines] == ["1.0", "2.0", "3.0"]
    assert list(lines[0].values()) == ["0000000000000001", "0", "1.0", 'a, "b"', "", "good"]
    assert lines[1]["prediction:grade"] == f"#{code('unknown'):.0f}"
    assert lines[1]["label:grade"] == ""
    assert list(lines[2].values()) == ["8000000000000000", "0", "3.0", "good", "0.1", 'a, "b"']


def test_an_npz_is_read_as_a_table(tmp_path: Path) -> None:
    """With the columns of a reference, the texts of classes, and the id of each row."""
    path = tmp_path / "labels.npz"
    path.write_bytes(as_npz(labelled_rows(LAYOUT, WINDOW, TEXTS)))
    table = read_table(path)

    assert table.columns == ("prediction:grade", "prediction:price", "label:grade")
    assert [table.categories.get(one) for one in table.values[0, [0, 2]].tolist()] == ['a, "b"', "good"]
    with np.load(path) as members:
        assert members["ids"].tolist() == [1, 2, 2**63]


def inputs() -> ModelInputs:
    """The inputs of two of the three inferences: the oldest has left the ring."""
    names, count = ("alcohol", "grape"), 2
    kinds = (FeatureKind.NUMERIC, FeatureKind.CATEGORICAL)
    rows = np.array([[9.5, GOOD], [10.5, np.nan]])
    digests = np.array([2, 2**63], dtype=np.uint64)
    block = Block("s", rows, np.ones(count, dtype=np.int64), np.array([1.9, 2.9]), digests)
    table = Table(Path("inputs"), names, kinds, rows, categories=TEXTS)
    profiles = profiles_of(table.columns, table.kinds, table.values, table.categories)
    return ModelInputs(
        profiles, assemble(put_together([], [Appended(count, block, "a", count)]), "s", count, 10, 0), NO_ROWS
    )


def test_inputs_stand_beside_their_labels() -> None:
    """Empty where the ring has them no more; a reference leaves these rows out."""
    every = labelled_rows(LAYOUT, WINDOW, TEXTS, inputs())
    complete = labelled_rows(LAYOUT, WINDOW, TEXTS, inputs(), complete=True)
    lines = list(csv.DictReader(io.StringIO(as_csv(every).decode())))

    assert every.columns == ("alcohol", "grape", "prediction:grade", "prediction:price", "label:grade")
    assert [(line["alcohol"], line["grape"]) for line in lines] == [("", ""), ("9.5", "good"), ("10.5", "")]
    assert complete.rows[:, 0].tolist() == [9.5, 10.5]
    assert complete.ids.tolist() == [2, 2**63]


def test_the_newest_rows_are_in_a_file_that_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only as many rows as a file may have values for: the first of the stream is left out."""
    monkeypatch.setattr(labelled_files, "MAX_VALUES", 7)

    assert labelled_rows(LAYOUT, WINDOW, TEXTS).numbers.tolist() == [2, 3]
