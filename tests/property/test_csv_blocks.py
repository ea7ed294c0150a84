"""CSV files are read in blocks: lines and values are those of the whole text."""

import csv
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.profile import FeatureKind
from driftgauge.protocol.category import code
from driftgauge.reference.formats.csv_file import BLOCK_BYTES, blocks, lines, read_csv

pytestmark = pytest.mark.long

PATH = Path("wine.csv")

TEXTS = st.text(st.sampled_from('a1.,"\r\n \té—\U0001f600\u2028\x1c'), max_size=60)


@given(text=TEXTS, block_bytes=st.integers(0, 20))
def test_lines_do_not_depend_on_the_length_of_a_block(text: str, block_bytes: int) -> None:
    """They are those of the text as a stream, with their ends, whatever the ends are."""
    content = text.encode()
    assert list(lines(content, block_bytes)) == io.StringIO(text, newline="").readlines()
    assert "".join(blocks(content, block_bytes)) == text


@given(text=TEXTS, block_bytes=st.integers(0, 20))
def test_byte_order_mark_is_no_part_of_a_line(text: str, block_bytes: int) -> None:
    """It is taken off the first block only."""
    content = b"\xef\xbb\xbf" + text.encode()
    assert "".join(lines(content, block_bytes)) == text


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("texts", [False, True])
def test_values_of_a_file_of_many_blocks(line_end: str, texts: bool) -> None:  # noqa: FBT001 - a parameter
    """Every number is, bit for bit, what Python reads, and every text has its code."""
    rng = np.random.default_rng(3)
    numbers = [repr(number) for number in (rng.normal(size=140_000) * 10.0 ** rng.integers(-9, 9, 140_000)).tolist()]
    words = [f'"{"é" * (index % 3)}, {line_end}""{index % 50}"""' for index in range(len(numbers) // 4)]
    columns = [numbers[start::4] for start in range(3)] + [words if texts else numbers[3::4]]
    text = line_end.join(["a,b,c,d", *map(",".join, zip(*columns, strict=True))])
    content = text.encode()
    table = read_csv(PATH, content)
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    expected = [[*map(float, row[:3]), code(row[3]) if texts else float(row[3])] for row in rows]

    assert len(content) > 2 * BLOCK_BYTES
    assert table.kinds[3] is (FeatureKind.CATEGORICAL if texts else FeatureKind.NUMERIC)
    assert table.values.tobytes() == b"".join(struct.pack("4d", *row) for row in expected)
