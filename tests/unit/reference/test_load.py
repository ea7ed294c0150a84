"""One reference: sorted columns, schema, and what a reference must have that a window need not."""

import re
from pathlib import Path

import pytest

from sidecar.errors import ReferenceDataError
from sidecar.reference import load_reference, read_table, schema_hash

DATA = Path(__file__).parents[2] / "data" / "reference"


def test_columns_are_sorted_without_what_is_missing(tmp_path: Path) -> None:
    """Each column is sorted by itself, its missing values are left out, and rows counts all."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n3,1\n,2\n1,0\n")
    reference = load_reference(path, 12.5)

    assert [[1.0, 3.0], [0.0, 1.0, 2.0]] == [column.tolist() for column in reference.sorted_columns]
    assert (("a", "b"), 3, path, 12.5) == (reference.columns, reference.rows, reference.path, reference.loaded_at)
    assert (read_table(path).digest, schema_hash(["a", "b"])) == (reference.digest, reference.schema)


def test_columns_can_not_be_written(tmp_path: Path) -> None:
    """A reference is shared by threads, so its arrays are read-only."""
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    with pytest.raises(ValueError, match="read-only"):
        load_reference(path, 0.0).sorted_columns[0][0] = 2.0


def test_column_without_values() -> None:
    """A column without any value cannot serve as reference, though it may stand in a window."""
    path = DATA / "empty_column.csv"
    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: column 'alcohol' has no value in any row")):
        load_reference(path, 0.0)

    assert ("acidity", "alcohol") == read_table(path).columns


def test_schema_tells_names_and_order_apart() -> None:
    """Another order, another name or another split of the same letters is another schema."""
    hashes = {schema_hash(columns) for columns in (["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""], ["a,b"])}

    assert 5 == len(hashes)
    assert {16} == {len(one) for one in hashes}
