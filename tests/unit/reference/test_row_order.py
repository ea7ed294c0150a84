"""References in the order of time: the cells of their rows, in the thread and from the child process."""

from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.monitoring.baseline_rows import Baseline
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.dataset import Reference, load_reference, prepare
from driftgauge.reference.packing import pack, unpack
from driftgauge.reference.table import table_of_columns

NUMBERS = [3.0, None, 1.0, 2.0]
WORDS = ["red", "red", None, "rose"]


def reference(*, is_ordered: bool) -> Reference:
    """Four rows with a number and a word that may be missing, and a date."""
    columns = {"a": NUMBERS, "colour": WORDS, "day": ["2026-01-01"] * 4, "prediction:q": NUMBERS}
    return prepare(table_of_columns(columns, rules=ColumnRules(time=TimeRules(is_ordered=is_ordered))), 0.0)


def cells(one: Reference) -> list[list[int] | None]:
    """The cells of the rows of each column."""
    return [
        None if profile.in_order is None else profile.in_order.tolist() for profile in (*one.features, *one.predictions)
    ]


def test_each_row_has_its_cell_in_the_order_of_time() -> None:
    """A row that lacks the value has the number of cells, as have all rows of a column that is left out."""
    one = reference(is_ordered=True)
    number, colour, *_ = one.features
    expected = number.cells.index(np.array([3.0, 1.0, 2.0])).tolist()
    expected.insert(1, number.cells.shares.size)
    red, rose = 0, 1

    assert [expected, [red, red, colour.cells.shares.size, rose], [1] * 4, expected] == cells(one)
    assert one.is_ordered


def test_without_an_order_no_row_has_a_cell() -> None:
    """A file says nothing about the order of its rows unless an option does."""
    one = reference(is_ordered=False)

    assert ([None] * 4, False) == (cells(one), one.is_ordered)


def test_the_order_survives_the_way_from_the_child() -> None:
    """Columns are pickled one by one, with their cells, which cannot be written to."""
    one = reference(is_ordered=True)
    other = unpack(pack(one))
    found = other.features[0].in_order

    assert (cells(one), one.is_ordered, one.time_span) == (cells(other), other.is_ordered, other.time_span)
    assert found is not None
    assert not found.flags.writeable


def test_evidence_belongs_to_the_use_of_the_order(tmp_path: Path) -> None:
    """The same content read in another way, or with hours of another zone, is another reference to the detector."""
    path = tmp_path / "a.csv"
    path.write_text("ts,a\n1700000000,1\n1700000001,2\n")
    rules = [TimeRules(), TimeRules(is_ordered=True), TimeRules("ts", zone="UTC"), TimeRules("ts", zone="Asia/Kolkata")]
    references = [load_reference(path, 0.0, ColumnRules(time=one)) for one in rules]

    assert 1 == len({one.digest for one in references})
    assert 4 == len({one.identity for one in references})
    assert references[0].digest == references[0].identity


def test_a_baseline_is_in_order() -> None:
    """The first responses are rows as they came."""
    rows = np.array([[2.0], [1.0], [np.nan]])
    (profile,) = Baseline("", ("q",), (FeatureKind.NUMERIC,), rows, {}, 0.0).profiles()

    assert profile.in_order is not None
    assert [*profile.cells.index(np.array([2.0, 1.0])), profile.cells.shares.size] == profile.in_order.tolist()


@pytest.mark.parametrize("name", ["ts", "a"])
def test_the_column_of_times_is_no_feature(tmp_path: Path, name: str) -> None:
    """Whatever its values look like, and wherever it stands."""
    path = tmp_path / "a.csv"
    path.write_text("ts,a,b\n" + "".join(f"{1_700_000_000 + row},{1_800_000_000 - row},{row}\n" for row in range(3)))
    one = load_reference(path, 0.0, ColumnRules(time=TimeRules(name)))
    span = {"ts": (1_700_000_000.0, 1_700_000_002.0), "a": (1_799_999_998.0, 1_800_000_000.0)}

    assert name not in one.columns
    assert span[name] == one.time_span
