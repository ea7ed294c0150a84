"""The same cells in every source: CSV by both readers, Parquet, NPZ, data in memory and requests."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.features.inputs import extract
from driftgauge.protocol.category import code
from driftgauge.reference.column import ColumnRules
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.csv_file import read_csv
from driftgauge.reference.formats.csv_stream import read_outline, read_rows, split_rows
from driftgauge.reference.formats.text_columns import table_of_cells
from driftgauge.reference.table import Table, table_of_columns, without_missing_words
from tests.support.payloads import as_json, read

PATH = Path("a")
NAMES = ("text", " number ")
KINDS = (FeatureKind.CATEGORICAL, FeatureKind.NUMERIC)

ODD_TEXTS = ("", " ", "NA", " NA", "nan", "NULL", "None", "unknown", " Private", "3.0", "3", "-999", "3.10", "a,b", '"')
TEXTS = st.sampled_from(ODD_TEXTS) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NO_NUMBERS = ("", " ", "NA", " na ", "NaN", "n/a", "#N/A", "<NA>", "null", "NULL", "None", "unknown")
NUMBERS = st.sampled_from([-999.0, 0.0, 1.5]) | st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(st.tuples(TEXTS, NUMBERS | st.sampled_from(NO_NUMBERS)), min_size=1, max_size=8)
WORDS = st.frozensets(st.sampled_from(["unknown", "-999", "NA", " Private", "3"])).map(
    lambda words: words | {"unknown"}
)


def as_csv(rows: list[tuple[str, float | str]]) -> bytes:
    """The rows below a header, with the quotes that they need."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(NAMES)
    writer.writerows((label, value if isinstance(value, str) else repr(value)) for label, value in rows)
    return text.getvalue().encode()


def read_whole(content: bytes, rules: ColumnRules) -> Table:
    """A CSV file as a running process reads it."""
    return read_csv(PATH, content, rules)


def by_blocks(content: bytes, rules: ColumnRules) -> Table:
    """A CSV file as `reference build` reads it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        outline = read_outline(path, block_bytes=16)
        rows = read_rows(path, outline, np.arange(outline.rows), block_bytes=16)
    cells = table_of_cells(PATH, outline.columns, lambda: split_rows(PATH, outline.delimiter, rows), rules)
    return without_missing_words(cells, rules.missing_words)


def columns_of(rows: list[tuple[str, float | str]]) -> dict[str, list[str]]:
    """Both columns as text."""
    labels, numbers = zip(*rows, strict=True)
    return {NAMES[0]: list(labels), NAMES[1]: [cell if isinstance(cell, str) else repr(cell) for cell in numbers]}


def as_parquet(rows: list[tuple[str, float | str]]) -> bytes:
    """A Parquet file of text, null where it is empty."""
    columns = {name: [cell or None for cell in cells] for name, cells in columns_of(rows).items()}
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()}), buffer)
    return buffer.getvalue()


def as_npz(rows: list[tuple[str, float | str]]) -> bytes:
    """An NPZ file of text."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.array(cells) for name, cells in columns_of(rows).items()})
    return buffer.getvalue()


def by_request(rows: list[tuple[str, float | str]], words: frozenset[str]) -> NDArray[np.float64]:
    """The cells of a V1 request."""
    body = as_json({"instances": [dict(zip(NAMES, row, strict=True)) for row in rows]})
    return extract(read(body), NAMES, KINDS, missing_words=words)


@settings(deadline=None)
@given(ROWS, WORDS)
def test_every_source_gives_the_same_cells(rows: list[tuple[str, float | str]], words: frozenset[str]) -> None:
    """The same codes, numbers and missing cells, under the same names."""
    rules = ColumnRules(dict(zip(NAMES, KINDS, strict=True)), words)
    content = as_csv(rows)
    tables = {
        "csv": parse_table(Path("a.csv"), content, rules),
        "csv in blocks": by_blocks(content, rules),
        "parquet": parse_table(Path("a.parquet"), as_parquet(rows), rules),
        "npz": parse_table(Path("a.npz"), as_npz(rows), rules),
        "memory": table_of_columns(
            {name: list(column) for name, column in zip(NAMES, zip(*rows, strict=True), strict=True)}, rules=rules
        ),
    }
    expected = by_request(rows, words)

    assert [NAMES] * 5 == [table.columns for table in tables.values()]
    for table in tables.values():
        np.testing.assert_array_equal(expected, table.values)


@settings(deadline=None)
@given(ROWS, WORDS)
def test_a_text_stands_as_it_is(rows: list[tuple[str, float | str]], words: frozenset[str]) -> None:
    """A category is missing only if it is empty or a missing word, else it is the text itself, `.0` apart."""
    expected = [
        np.nan if (text := {"3.0": "3"}.get(label, label)) in words | {""} else code(text)
        for label, _ in rows
        if label in ODD_TEXTS
    ]
    found = by_request([(label, 0.0) for label, _ in rows if label in ODD_TEXTS] or [("", 0.0)], words)

    np.testing.assert_array_equal(expected or [np.nan], found[:, 0])


CONTENT = st.lists(
    st.sampled_from(["a", "1", " ", ",", ";", "NA", '"x\n"', '"', "\n", "\r\n", "2024-01-31", "é", "$1"]), max_size=30
)


@settings(deadline=None)
@given(CONTENT)
def test_both_readers_of_csv_agree(pieces: list[str]) -> None:
    """On any text: the same table, or both refuse it; of stray quotes, one may refuse more than the other."""
    content = "".join(pieces).encode()
    tables: list[Table | None] = []
    for read_table in (read_whole, by_blocks):
        try:
            tables.append(read_table(content, ColumnRules()))
        except ReferenceDataError:
            tables.append(None)
    whole, in_blocks = tables

    if in_blocks is None:
        assert whole is None or b'"' in content
    elif whole is None:
        assert 1 == content.count(b'"') % 2
    else:
        assert (whole.columns, whole.kinds, whole.left_out) == (in_blocks.columns, in_blocks.kinds, in_blocks.left_out)
        np.testing.assert_array_equal(whole.values, in_blocks.values)
