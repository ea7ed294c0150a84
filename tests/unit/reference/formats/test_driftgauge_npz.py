"""Our own NPZ: what is written is read again, and damage is refused."""

import io
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.dataset import load_reference
from driftgauge.reference.formats.driftgauge_npz import META, packed, packed_window, row_keys
from driftgauge.reference.formats.npz_file import read_npz
from driftgauge.reference.table import Origin, Table

PATH = Path("a.npz")
NUMERIC, CATEGORICAL, IGNORED = FeatureKind
ORIGIN = Origin("train.csv", "ab" * 32, 9, 0, "1.0")
RED = code("red")


def example() -> Table:
    """A table with a column of every kind."""
    values = np.array([[1.5, RED, np.nan], [np.nan, np.nan, np.nan]])
    return Table(
        PATH,
        ("a", "colour", "day"),
        (NUMERIC, CATEGORICAL, IGNORED),
        values,
        categories={RED: "red"},
        left_out={"day": "why"},
        origin=ORIGIN,
    )


def assert_same(expected: Table, actual: Table) -> None:
    """Both tables are equal."""
    np.testing.assert_array_equal(expected.values, actual.values)
    for name in ("columns", "kinds", "categories", "left_out", "origin", "named"):
        assert getattr(expected, name) == getattr(actual, name), name


def test_what_is_written_is_read() -> None:
    """Kinds, texts, reasons and origin survive."""
    assert_same(example(), read_npz(PATH, packed(example())))


@given(
    st.lists(st.tuples(st.text(min_size=1), st.sampled_from(FeatureKind)), min_size=1, max_size=4),
    st.dictionaries(st.integers(0, 2**53 - 1).map(float), st.text(), min_size=1, max_size=5),
    st.data(),
)
def test_any_table_survives(
    columns: list[tuple[str, FeatureKind]], categories: dict[float, str], data: st.DataObject
) -> None:
    """Whatever names, texts and values a table has, it is read as it was written."""
    numbers = st.floats(allow_infinity=False)
    cell = {NUMERIC: numbers, CATEGORICAL: st.sampled_from(sorted(categories)), IGNORED: st.just(np.nan)}
    rows = [[data.draw(cell[kind]) for _, kind in columns] for _ in range(data.draw(st.integers(1, 4)))]
    names = tuple(name.replace("\0", "").strip() or "x" for name, _ in columns)
    values = np.array(rows)
    kinds = tuple(kind for _, kind in columns)
    used = set(values[:, [kind is CATEGORICAL for kind in kinds]].ravel().tolist())
    texts = {one: text for one, text in categories.items() if one in used}
    table = Table(PATH, names, kinds, values, categories=categories)

    assert_same(replace(table, categories=texts), read_npz(PATH, packed(table)))


def test_the_same_table_gives_the_same_bytes() -> None:
    """No clock goes into the file, so that its hash names its content."""
    assert packed(example()) == packed(example())


def test_a_window_can_serve_as_reference(tmp_path: Path) -> None:
    """The rows of a ring, sorted by time, make a file that loads; texts of other rows are left out."""
    path = tmp_path / "w.npz"
    rows = np.array([[1.0, RED], [2.0, np.nan]])
    table = Table(
        PATH, ("a", "colour"), (NUMERIC, CATEGORICAL), rows, categories={RED: "red", 5.0: "white"}, origin=ORIGIN
    )
    path.write_bytes(packed_window(table, np.array([9.5, 7.5]), np.arange(1, 3), np.arange(2, dtype=np.uint64)))
    reference = load_reference(path, 0.0)
    read = read_npz(PATH, path.read_bytes())

    assert read.times is not None
    assert ([7.5, 9.5], [2.0, 1.0]) == (read.times.tolist(), read.values[:, 0].tolist())
    assert (True, (7.5, 9.5)) == (reference.is_ordered, reference.time_span)

    assert ((NUMERIC, CATEGORICAL), ORIGIN) == (reference.kinds, reference.origin)
    assert {RED: "red"} == dict(reference.features[1].categories)


def test_rows_are_known_again_by_number_id_and_time() -> None:
    """The same rows have the same keys in any window; one other number, id or time makes another key."""
    table = Table(PATH, ("a",), (NUMERIC,), np.arange(4.0)[:, np.newaxis])
    times, numbers, ids = np.array([1.0, 1, 2, 2]), np.array([1, 2, 2, 2]), np.array([5, 5, 5, 6], dtype=np.uint64)
    whole = row_keys(packed_window(table, times, numbers, ids), times)
    part = slice(1, 4)
    newer = row_keys(packed_window(table.take(np.arange(1, 4)), times[part], numbers[part], ids[part]), times[part])

    assert whole is not None
    assert newer is not None
    assert 4 == np.unique(whole).size
    assert whole[part].tolist() == newer.tolist()
    assert None is row_keys(packed(table), times)


def damaged(**changes: Any) -> bytes:  # noqa: ANN401 any damage
    """The example's file with another member `driftgauge`."""
    with np.load(io.BytesIO(packed(example()))) as archive:
        arrays = dict(archive)
    meta = json.loads(arrays[META].tobytes()) | changes
    arrays[META] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "its format is 2, this driftgauge reads format 1: build it again"),
        ({"kinds": ["numeric"]}, "member 'driftgauge' does not fit the matrix 'data'"),
        ({"kinds": ["numeric", "categorical", "other"]}, "member 'driftgauge' is damaged"),
        ({"kinds": ["categorical"] * 3}, "member 'driftgauge' does not fit the matrix 'data'"),
        ({"kinds": None}, "member 'driftgauge' is damaged"),
        ({"categories": [[1]]}, "member 'driftgauge' is damaged"),
        ({"left_out": []}, "member 'driftgauge' is damaged"),
        ({"origin": {"source": "x"}}, "member 'driftgauge' is damaged"),
        ({"origin": {**asdict(ORIGIN), "rows_seen": 1}}, "member 'driftgauge' does not fit the matrix 'data'"),
    ],
)
def test_damage_is_refused(changes: dict[str, Any], sentence: str) -> None:
    """One sentence, whatever is wrong with the member."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"a.npz: {sentence}")):
        read_npz(PATH, damaged(**changes))


@pytest.mark.parametrize(
    "member",
    [np.array([1.0]), np.array([[1]], dtype=np.uint8), np.frombuffer(b"{", np.uint8), np.frombuffer(b"[]", np.uint8)],
    ids=["floats", "matrix", "no-json", "no-object"],
)
def test_a_member_of_another_form_is_refused(member: np.typing.NDArray[Any]) -> None:
    """It must be one text of JSON in bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, data=np.eye(1), columns=np.array(["a"]), **{META: member})
    with pytest.raises(ReferenceDataError, match=re.escape("a.npz: member 'driftgauge' is damaged")):
        read_npz(PATH, buffer.getvalue())


def test_a_column_that_is_left_out_has_no_values() -> None:
    """Whatever the matrix holds there."""
    values = np.array([[1.0, 2.0]])
    content = packed(Table(PATH, ("a", "b"), (NUMERIC, IGNORED), values))

    np.testing.assert_array_equal([[1.0, np.nan]], read_npz(PATH, content).values)
