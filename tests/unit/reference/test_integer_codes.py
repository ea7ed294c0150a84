"""Integers that are codes, such as postal codes: one category from every source, once the column is categorical."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.features.inputs import extract
from driftgauge.offline.data import as_table
from driftgauge.protocol.category import code
from driftgauge.reference.column import ColumnRules
from driftgauge.reference.dataset import Reference, prepare
from driftgauge.reference.files import parse_table, read_table
from driftgauge.reference.formats.driftgauge_npz import packed
from driftgauge.reference.sample import SampleSpec, draw_sample, sample_table
from tests.support.payloads import Sent, as_json, read, v2

NUMERIC, CATEGORICAL, IGNORED = FeatureKind
ZIP = ColumnRules({"zip": CATEGORICAL})
CODES = [code("94103"), code("10001"), code("94103")]
FLOATS = [94103.0, 10001.0, 94103.0]
INTEGERS = [94103, 10001, 94103]


def save_csv(path: Path, cells: list[str]) -> Path:
    """A CSV file of one column."""
    path.write_text("zip\n" + "".join(f"{cell}\n" for cell in cells))
    return path


def save_parquet(path: Path, values: Any) -> Path:  # noqa: ANN401 - what pyarrow takes
    """A Parquet file of one column."""
    pq.write_table(pa.table({"zip": values}), path)
    return path


def save_npz(path: Path, **arrays: Any) -> Path:  # noqa: ANN401 - arrays
    """An NPZ file of these arrays."""
    np.savez(path, allow_pickle=False, **arrays)
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "csv": lambda folder: save_csv(folder / "a.csv", ["94103", "10001", "94103"]),
    "csv of floats": lambda folder: save_csv(folder / "a.csv", ["94103.0", "10001.0", "94103"]),
    "parquet": lambda folder: save_parquet(folder / "a.parquet", INTEGERS),
    "parquet of floats": lambda folder: save_parquet(folder / "a.parquet", FLOATS),
    "parquet of float32": lambda folder: save_parquet(folder / "a.parquet", pa.array(FLOATS, pa.float32())),
    "parquet of decimals": lambda folder: save_parquet(folder / "a.parquet", [Decimal("94103.00"), 10001, 94103]),
    "parquet of text": lambda folder: save_parquet(folder / "a.parquet", ["94103", "10001.0", "94103"]),
    "parquet of a dictionary": lambda folder: save_parquet(
        folder / "a.parquet", pa.array(INTEGERS).dictionary_encode()
    ),
    "npz": lambda folder: save_npz(folder / "a.npz", zip=np.array(INTEGERS)),
    "npz of text": lambda folder: save_npz(folder / "a.npz", zip=np.array(["94103", "10001", "94103.0"])),
    "npz of a matrix": lambda folder: save_npz(folder / "a.npz", data=np.array([FLOATS]).T, columns=np.array(["zip"])),
}

MEMORY: dict[str, Any] = {
    "list": INTEGERS,
    "floats": np.array(FLOATS, dtype=np.float32),
    "unsigned": np.array(INTEGERS, dtype=np.uint32),
    "objects": np.array([94103, 10001.0, Decimal("94103.0")], dtype=object),
    "numpy objects": [np.int64(94103), np.float32(10001), np.float64(94103)],
    "text": ["94103", "10001", "94103.0"],
}

BODIES = {
    "v1": as_json({"instances": [[94103], [10001], [94103]]}),
    "v1 of floats": as_json({"instances": [[94103.0], [10001.0], [94103.0]]}),
    "v1 of text": as_json({"instances": [["94103"], ["10001"], ["94103.0"]]}),
    "v1 mixed": as_json({"instances": [["94103"], [10001], [94103.0]]}),
    "v1 by name": as_json({"instances": [{"zip": "94103"}, {"zip": 10001.0}, {"zip": 94103}]}),
    "v2 INT64": v2([Sent("zip", "INT64", np.array(INTEGERS))])[0],
    "v2 FP32": v2([Sent("zip", "FP32", np.array(FLOATS, dtype=np.float32), binary=True)])[0],
    "v2 FP64": v2([Sent("zip", "FP64", np.array(FLOATS))])[0],
}


@pytest.mark.parametrize("source", FILES)
def test_a_code_in_a_file(source: str, tmp_path: Path) -> None:
    """`94103` and 94103 and 94103.0 are one category, whatever the file's format and type."""
    table = read_table(FILES[source](tmp_path), ZIP)

    assert ((CATEGORICAL,), CODES) == (table.kinds, table.values[:, 0].tolist())
    assert {code("94103"): "94103", code("10001"): "10001"} == dict(table.categories)


@pytest.mark.parametrize("source", MEMORY)
def test_a_code_in_memory(source: str) -> None:
    """The same of data in memory."""
    table = as_table({"zip": MEMORY[source]}, "window", ZIP)

    assert ((CATEGORICAL,), CODES) == (table.kinds, table.values[:, 0].tolist())


@pytest.mark.parametrize("body", BODIES)
def test_a_code_in_a_request(body: str) -> None:
    """The same on the wire, as a number and as text."""
    assert CODES == extract(read(BODIES[body]), ["zip"], [CATEGORICAL])[:, 0].tolist()


@pytest.mark.parametrize("text", ["094103", "94103.50", "+94103.0", " 94103"])
def test_another_spelling_is_another_category(text: str, tmp_path: Path) -> None:
    """Text is the same in every source, and only a whole number with `.0` is written without it."""
    tables = [
        read_table(save_parquet(tmp_path / "a.parquet", [text]), ZIP),
        read_table(save_npz(tmp_path / "a.npz", zip=np.array([text])), ZIP),
        as_table({"zip": [text]}, "window", ZIP),
    ]

    assert [[code(text)]] * 3 == [table.values[:, 0].tolist() for table in tables]
    assert [[code(text)]] == extract(read(as_json({"instances": [[text]]})), ["zip"], [CATEGORICAL]).tolist()


def test_codes_keep_all_their_digits(tmp_path: Path) -> None:
    """Integers above 2^53 are exact as categories, although they are left out as numbers."""
    large = [2**60 + 1, 2**60 + 3]
    codes = [code(str(2**60 + 1)), code(str(2**60 + 3))]
    sources = [
        save_csv(tmp_path / "a.csv", list(map(str, large))),
        save_parquet(tmp_path / "a.parquet", large),
        save_npz(tmp_path / "a.npz", zip=np.array(large)),
    ]

    assert [codes] * 3 == [read_table(path, ZIP).values[:, 0].tolist() for path in sources]
    assert codes == as_table({"zip": large}, "window", ZIP).values[:, 0].tolist()
    assert (
        codes == extract(read(as_json({"instances": [[one] for one in large]})), ["zip"], [CATEGORICAL])[:, 0].tolist()
    )
    assert codes == extract(read(v2([Sent("zip", "INT64", np.array(large))])[0]), ["zip"], [CATEGORICAL])[:, 0].tolist()


def test_bool_as_categories(tmp_path: Path) -> None:
    """They have the texts `true` and `false`, as on the wire."""
    path = save_parquet(tmp_path / "a.parquet", [True, None, False])
    expected = [code("true"), np.nan, code("false")]

    np.testing.assert_array_equal(expected, read_table(path, ZIP).values[:, 0])
    np.testing.assert_array_equal(expected, as_table({"zip": [True, None, np.bool_(0)]}, "a", ZIP).values[:, 0])


@pytest.mark.parametrize("source", ["csv", "parquet"])
def test_a_sample_has_the_kinds_that_are_set(source: str, tmp_path: Path) -> None:
    """The reference keeps the kind, so that requests and windows are read by it."""
    sample = draw_sample(FILES[source](tmp_path), SampleSpec(categorical=["zip"]))
    reference = prepare(parse_table(tmp_path / "built.npz", packed(sample)), 0.0)

    assert ((CATEGORICAL,), {"94103", "10001"}) == (reference.kinds, _texts(reference))


def test_a_sample_of_a_table_that_says_numbers(tmp_path: Path) -> None:
    """The kind that a person sets goes before that of a file which driftgauge has written."""
    table = read_table(FILES["npz"](tmp_path))
    (tmp_path / "built.npz").write_bytes(packed(table))
    sample = sample_table(read_table(tmp_path / "built.npz"), SampleSpec(categorical=["zip"]))

    assert ((NUMERIC,), (CATEGORICAL,), CODES) == (table.kinds, sample.kinds, sample.values[:, 0].tolist())


@pytest.mark.parametrize("source", ["csv", "parquet"])
def test_a_column_that_is_not_there(source: str, tmp_path: Path) -> None:
    """One sentence names it."""
    path = FILES[source](tmp_path)
    with pytest.raises(ReferenceDataError) as caught:
        draw_sample(path, SampleSpec(categorical=["zip", "shop"]))

    assert f"{path}: there is no column 'shop' to test as categories" == str(caught.value)


def test_columns_that_the_reference_leaves_out_are_not_read(tmp_path: Path) -> None:
    """Whatever a window holds there."""
    rules = ColumnRules({"zip": IGNORED})
    paths = [FILES[source](tmp_path) for source in ("csv", "parquet", "parquet of text", "npz", "npz of text")]

    assert [(IGNORED,)] * 5 == [read_table(path, rules).kinds for path in paths]
    assert [(IGNORED,)] * 2 == [as_table({"zip": MEMORY[name]}, "a", rules).kinds for name in ("objects", "text")]


def test_text_of_numbers_where_the_reference_holds_numbers(tmp_path: Path) -> None:
    """A window of text is read as numbers, also if it has more different ones than categories are kept."""
    numbers = np.arange(10_500)
    path = save_parquet(tmp_path / "a.parquet", list(map(str, numbers)))

    assert numbers.tolist() == read_table(path, ColumnRules({"zip": NUMERIC})).values[:, 0].tolist()


def _texts(reference: Reference) -> set[str]:
    return set(reference.features[0].categories.values())
