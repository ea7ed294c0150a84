"""Changed reference files of every format are read, or refused by ReferenceDataError and nothing else."""

import contextlib
import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.dataset import prepare
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.driftgauge_npz import packed
from driftgauge.reference.table import table_of_columns

CSV = [
    b"a,b\n1,x\n2.5,y\n,\n",
    b'\xef\xbb\xbfa;"b ""c"\r\n1;2\r\n"3\r\n";4\r\n',
    b"a\tprediction:b\n1e300\tTrue\n-inf\tNA\n",
    b"zip,day\n00123,2024-01-31\n99999,31.01.2024\n",
    "größe,ψ\n1 000,€ 5\n12 %,$1,303.68\n".encode(),
    b"day,a\n2024-01-31T12:00Z,1\n1706702400,2\n20240131,3\n",
    b"0,1\n9007199254740993,-1\n1,1e400\n",
]
RULES = st.sampled_from(
    [
        ColumnRules(),
        ColumnRules({"a": FeatureKind.CATEGORICAL, "zip": FeatureKind.CATEGORICAL}),
        ColumnRules({"a": FeatureKind.NUMERIC, "b": FeatureKind.IGNORED}),
        ColumnRules(time=TimeRules("day", zone="Europe/Berlin")),
        ColumnRules(time=TimeRules("c", zone="UTC")),
    ]
)
TOKENS = st.sampled_from([b",", b";", b"\n", b"\r", b'"', b"\x00", b"-", b"e", b"nan", b"\xff", b"1", b"a,a"])


def _npz(**arrays: Any) -> bytes:  # noqa: ANN401 - whatever numpy makes an array of
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _parquet(columns: dict[str, Any], compression: str) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression=compression)
    return file.getvalue()


NPZ = [
    _npz(a=np.arange(3.0), b=np.array(["x", "y", "x"])),
    _npz(data=np.ones((3, 2)), columns=np.array(["a", "b"])),
    _npz(data=np.ones((2, 3), dtype=np.float16)),
    _npz(a=np.array([b"x", b"\xff"]), b=np.array([True, False]), c=np.array([1, 2], dtype="M8[s]")),
    packed(parse_table(Path("r.csv"), CSV[0])),
    packed(table_of_columns({"a": [1, 2], "day": [1.7e9, 1.6e9]}, rules=ColumnRules(time=TimeRules("day")))),
]
PARQUET = [
    _parquet({"a": [1.5, None, 3.0], "b": ["x", "y", None]}, compression="none"),
    _parquet({"a": pa.array(["x", "y", "x"]).dictionary_encode(), "b": [True, False, None]}, compression="snappy"),
    _parquet({"a": [1.0, 2.0], "c": pa.array([1_706_702_400_000, 1], pa.timestamp("ms", "UTC"))}, compression="none"),
    _parquet({"a": [2**60, 1], "b": [dt.date(2024, 1, 31), None]}, compression="gzip"),
]


def _read(extension: str, content: bytes, rules: ColumnRules) -> None:
    with contextlib.suppress(ReferenceDataError):
        prepare(parse_table(Path("reference" + extension), content, rules), now=0)


@st.composite
def changed(draw: st.DrawFn, content: bytes, added: st.SearchStrategy[bytes]) -> bytes:
    """A file with a few bytes replaced, removed or added, or with its end cut off."""
    raw = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 3))] = draw(added)
    return bytes(raw[: draw(st.none() | st.integers(0, len(raw)))])


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """An archive of which one array is changed, with valid checksums, so that numpy reads the changed bytes."""
    with zipfile.ZipFile(io.BytesIO(draw(st.sampled_from(NPZ)))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = draw(st.sampled_from(sorted(members)))
    members[name] = draw(
        changed(members[name], st.binary(max_size=3) | st.sampled_from([b"9", b"(", b"O", b"S", b"-"]))
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key, value in members.items():
            archive.writestr(key, value)
    return file.getvalue()


@given(st.sampled_from(CSV).flatmap(lambda content: changed(content, st.binary(max_size=3) | TOKENS)), RULES)
def test_csv(content: bytes, rules: ColumnRules) -> None:
    """Any bytes as CSV are read or refused."""
    _read(".csv", content, rules)


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing")
@given(archives() | st.sampled_from(NPZ).flatmap(lambda content: changed(content, st.binary(max_size=3))), RULES)
def test_npz(content: bytes, rules: ColumnRules) -> None:
    """Any bytes as NPZ are read or refused."""
    _read(".npz", content, rules)


@given(st.sampled_from(PARQUET).flatmap(lambda content: changed(content, st.binary(max_size=3))), RULES)
def test_parquet(content: bytes, rules: ColumnRules) -> None:
    """Any bytes as Parquet are read or refused."""
    _read(".parquet", content, rules)
