"""Files that are too large are refused before they take memory, with the size, the limit and the remedy."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from driftgauge.config.options import Config
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.file_limits import DEFAULT_VALUES, FileLimits
from driftgauge.reference.files import parse_table, read_content
from driftgauge.reference.formats.driftgauge_npz import META, packed
from driftgauge.reference.loading import ChildLoader, FileToLoad, load_here
from driftgauge.reference.sample import SampleSpec, draw_sample
from driftgauge.reference.store import Fault, ReferenceStore

ROWS = 10
COLUMNS = 4
SAMPLE = "a sample will do: driftgauge reference build"


def write(folder: Path, name: str) -> Path:
    """A file of ten rows and four columns."""
    path = folder / name
    values = np.arange(ROWS * COLUMNS, dtype=np.float64).reshape(ROWS, COLUMNS)
    names = ["a", "b", "c", "d"]
    if path.suffix == ".npz":
        columns = dict(zip(names, values.T, strict=True))
        arrays: dict[str, NDArray[np.float64]] = {"data": values} if path.stem == "matrix" else columns
        np.savez(path, **arrays)  # type: ignore[arg-type] # no name is allow_pickle
    elif path.suffix == ".parquet":
        pq.write_table(pa.table(dict(zip(names, values.T, strict=True))), path)
    else:
        ends = {"mac": "\r", "windows": "\r\n"}
        lines = [",".join(names), *(",".join(map(str, row)) for row in values.tolist())]
        path.write_bytes(ends.get(path.stem, "\n").join([*lines, ""]).encode())
    return path


@pytest.mark.parametrize("name", ["a.csv", "mac.csv", "windows.csv", "columns.npz", "matrix.npz", "a.parquet"])
def test_values_are_counted(tmp_path: Path, name: str) -> None:
    """A table of as many values as allowed is read; one value less is refused."""
    path = write(tmp_path, name)
    content = path.read_bytes()
    with pytest.raises(ReferenceDataError) as caught:
        parse_table(path, content, limits=FileLimits(values=39))

    assert str(caught.value) == f"{path}: more than 39 values, {SAMPLE} (it has 40)"
    assert parse_table(path, content, limits=FileLimits(values=40)).values.size == 40


def test_bytes_are_counted(tmp_path: Path) -> None:
    """A file of as many bytes as allowed is read; one byte less is refused before it is read."""
    path = write(tmp_path, "a.csv")
    size = path.stat().st_size
    with path.open("ab") as file:
        file.truncate(3 * 2**20)
    with pytest.raises(ReferenceDataError) as caught:
        read_content(path, FileLimits(bytes=2**21))
    with path.open("ab") as file:
        file.truncate(size)

    assert str(caught.value) == f"{path}: the file is larger than 2 MiB, {SAMPLE} (it has 3 MiB)"
    assert len(read_content(path, FileLimits(bytes=size))) == size
    with pytest.raises(ReferenceDataError, match="the file is larger than"):
        read_content(path, FileLimits(bytes=size - 1))


def test_text_that_unpacks_to_much(tmp_path: Path) -> None:
    """Few values of long texts are refused by their bytes, of NPZ and of Parquet."""
    npz, parquet = tmp_path / "a.npz", tmp_path / "a.parquet"
    np.savez_compressed(npz, a=np.array(["x" * 1000] * 100))
    texts = [f"{index}" * 400 for index in range(100, 200)]
    pq.write_table(pa.table({"a": texts}), parquet, use_dictionary=False)
    for path in (npz, parquet):
        with pytest.raises(ReferenceDataError, match=r"its arrays take more than 0\.003052 MiB, a sample will do"):
            parse_table(path, path.read_bytes(), limits=FileLimits(values=100))


def test_array_that_claims_more_values_than_it_has(tmp_path: Path) -> None:
    """Memory for what a header claims would be allocated, so it is compared with the length of the member."""
    path = tmp_path / "a.npz"
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**24,)}
    with zipfile.ZipFile(path, "w") as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
        member.write(bytes(800))
    with pytest.raises(ReferenceDataError, match="array 'a' holds Python objects or is damaged"):
        parse_table(path, path.read_bytes())


def test_texts_of_our_own_format_are_no_values(tmp_path: Path) -> None:
    """A reference that `build` wrote has as many values as its table, and kinds and categories beside them."""
    source = tmp_path / "a.csv"
    source.write_text("colour,size\n" + "red,1\nwhite,2\n" * 50)
    content = packed(draw_sample(source, SampleSpec()))
    path = tmp_path / "a.npz"
    path.write_bytes(content)

    with np.load(path) as archive:
        assert len(json.loads(archive[META].tobytes())["categories"]) == 2
    assert parse_table(path, content, limits=FileLimits(values=202)).values.size == 200


def test_categories_are_counted(tmp_path: Path) -> None:
    """Texts take memory in the serving process; so many columns of them are refused that it would be a burden."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f"x{index % 5},y{index % 4}\n" for index in range(100)))
    fits = load_here(FileToLoad(path, limits=FileLimits(values=225)), 0.0)
    fails = load_here(FileToLoad(path, limits=FileLimits(values=224)), 0.0)

    assert fits.reference is not None
    assert fails.fault == f"{path}: more than 8 categories, {SAMPLE}, with fewer columns of text (it has 9)"


def test_store_refuses_what_is_too_large(tmp_path: Path) -> None:
    """The reference loaded before stays, and the sentence says so."""
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n2\n")
    references = ReferenceStore(path, None, limits=FileLimits(bytes=100, values=3))
    references.refresh(1.0)
    path.write_text("a\n1\n2\n3\n4\n")
    (sentence,) = references.refresh(2.0)

    assert isinstance(sentence, Fault)
    assert sentence == f"{path}: more than 3 values, {SAMPLE} (it has 4); the reference loaded before stays"
    assert references.loaded()["*"].rows == 2


async def test_file_too_long_starts_no_child(tmp_path: Path) -> None:
    """Its size is known before it is opened."""
    path = write(tmp_path, "a.csv")
    loader = ChildLoader(memory_bytes=2**20)
    result = await loader.load(FileToLoad(path, limits=FileLimits(bytes=10)), 0.0)
    started = loader.child_pid
    await loader.close()

    assert "the file is larger than" in result.fault
    assert started is None


@pytest.mark.parametrize("suffix", ["csv", "npz", "parquet"])
@pytest.mark.long
async def test_memory_of_the_child_is_enough_for_the_limit(tmp_path: Path, suffix: str) -> None:
    """A file of numbers and texts at the limits of bytes and values is loaded."""
    rows = 50_000
    rng = np.random.default_rng(4)
    columns = {
        **{f"number{index}": rng.normal(size=rows) for index in range(5)},
        **{f"text{index}": np.array(["red", "white", "rosé", "other"])[rng.integers(0, 4, rows)] for index in range(5)},
    }
    path = tmp_path / f"a.{suffix}"
    if suffix == "npz":
        np.savez(path, **columns)  # type: ignore[arg-type] # no name is allow_pickle
    elif suffix == "parquet":
        pq.write_table(pa.table(columns), path)
    else:
        lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
        path.write_text("\n".join(lines))
    limits = FileLimits(bytes=path.stat().st_size, values=10 * rows)
    loader = ChildLoader(limits.memory_bytes)
    result = await loader.load(FileToLoad(path, limits=limits), 0.0)
    await loader.close()

    assert result.fault == ""
    assert result.reference is not None
    assert len(result.reference.features) == 10


def test_sample_is_within_the_default_limit(tmp_path: Path) -> None:
    """What `driftgauge reference build` writes is loaded with the default options, however wide it is."""
    path = tmp_path / "a.parquet"
    column = pa.array(np.arange(30_000) % 100)
    pq.write_table(pa.table({f"f{index}": column for index in range(200)}), path)

    assert Config.model_fields["max_reference_values"].default == DEFAULT_VALUES
    assert draw_sample(path, SampleSpec()).values.size == DEFAULT_VALUES
