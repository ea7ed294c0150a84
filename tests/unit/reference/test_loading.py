"""References loaded in a child process, which may fail without harm."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from driftgauge.reference.column import ColumnRules
from driftgauge.reference.dataset import load_reference
from driftgauge.reference.loading import ChildLoader, FileToLoad, LoadResult, load_here, read_signature
from driftgauge.reference.packing import pack, unpack

CONTENT = "a,colour,day,prediction:q,label:q\n1,red,2026-01-01,1,0\n2,white,2026-01-02,0,0\n,red,2026-01-03,1,1\n"


@pytest.fixture
async def loader() -> AsyncIterator[ChildLoader]:
    """A loader that is closed after the test."""
    one = ChildLoader(memory_bytes=64 * 2**20)
    yield one
    await one.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with numbers, categories, dates and predictions."""
    path = tmp_path / "wine.csv"
    path.write_text(CONTENT)
    return path


def facts(result: LoadResult) -> object:
    """What a result holds, in values that can be compared."""
    reference = result.reference
    assert reference is not None
    columns = [
        (
            one.name,
            one.kind,
            one.values.tolist(),
            one.values.flags.writeable,
            one.missing,
            one.cells.bounds.tolist(),
            one.cells.cell_of.tolist(),
            one.cells.shares.tolist(),
            list(one.categories.items()),
        )
        for one in (*reference.features, *reference.predictions)
    ]
    labelled = [
        (
            one.name,
            one.task,
            one.class_texts,
            one.places,
            one.reference.labels.tolist(),
            one.reference.predictions.tolist(),
            one.reference.labels.flags.writeable,
        )
        for one in reference.labelled
    ]
    assert 1 == len(labelled)
    head = (reference.path, reference.rows, reference.digest, reference.loaded_at, reference.notes, reference.schema)
    return head, len(reference.features), reference.missing_words, reference.origin, columns, labelled


def write_lines(path: Path, rows: int, header: str = "a") -> None:
    """Write a CSV file with one number in each row."""
    path.write_text(f"{header}\n" + "1\n" * rows)


async def test_child_loads_what_the_calling_thread_loads(loader: ChildLoader, path: Path) -> None:
    """The reference is the same in every column, note and flag."""
    file = FileToLoad(path, rules=ColumnRules(missing_words=frozenset({"white"})))
    assert facts(await loader.load(file, 7.0)) == facts(load_here(file, 7.0))


async def test_small_files_are_loaded_in_a_thread_at_the_start(loader: ChildLoader, path: Path) -> None:
    """The start does not wait for a child; later files are loaded in one, so that they delay no requests."""
    file = FileToLoad(path, read_signature(path))
    at_start, child_at_start = await loader.load(file, 7.0), loader.child_pid
    await loader.rest()
    later, child_later = await loader.load(file, 7.0), loader.child_pid

    assert facts(at_start) == facts(later)
    assert child_at_start is None
    assert child_later is not None


async def test_long_files_are_loaded_in_the_child_at_the_start_too(path: Path) -> None:
    """They take memory, which only a child has a limit of."""
    write_lines(path, 600_000)
    loader = ChildLoader(memory_bytes=2**20)
    result = await loader.load(FileToLoad(path, read_signature(path)), 7.0)
    await loader.close()

    assert "ran out of memory" in result.fault


async def test_no_child_waits_for_the_next_change(loader: ChildLoader, path: Path) -> None:
    """Files share a child, and its memory is free once no file follows."""
    await loader.load(FileToLoad(path), 7.0)
    first = loader.child_pid
    await loader.load(FileToLoad(path), 7.0)
    assert loader.child_pid == first is not None
    await loader.rest()
    assert loader.child_pid is None


async def test_missing_file_starts_no_child(loader: ChildLoader, path: Path) -> None:
    """It is looked for at each look, which must cost little."""
    missing = path.with_name("no.csv")
    result = await loader.load(FileToLoad(missing), 7.0)
    assert result.fault == f"{missing}: there is no such file"
    assert loader.child_pid is None


async def test_content_that_is_loaded_already_is_no_new_reference(loader: ChildLoader, path: Path) -> None:
    """The digest decides; the result has neither a reference nor a fault."""
    digest = load_reference(path, 0.0).digest
    result = await loader.load(FileToLoad(path, digest=digest), 7.0)
    assert (result.reference, result.fault) == (None, "")


async def test_faulty_file_is_refused_with_the_same_sentence(loader: ChildLoader, path: Path) -> None:
    """The fault names the file, the line and the rule."""
    write_lines(path, 1, header="a,b")
    result = await loader.load(FileToLoad(path), 7.0)
    assert result.fault == f"{path}: line 2 has 1 cells, the header has 2" == load_here(FileToLoad(path), 7.0).fault
    assert not result.is_temporary


async def test_unforeseen_failure_is_a_fault(loader: ChildLoader) -> None:
    """A path that no system call accepts is a fault of that file."""
    result = await loader.load(FileToLoad(Path("wine\0.csv")), 7.0)
    assert result.fault == "wine\0.csv: it cannot be used: ValueError: embedded null byte"


async def test_file_that_takes_too_much_memory_is_a_fault(path: Path, tmp_path: Path) -> None:
    """The child loads the next file, and the large file is a fault that says why and what to do."""
    large = tmp_path / "large.csv"
    write_lines(large, 2_000_000)
    loader = ChildLoader(memory_bytes=16 * 2**20)
    failed = await loader.load(FileToLoad(large), 7.0)
    loaded = await loader.load(FileToLoad(path), 7.0)
    await loader.close()

    assert failed.fault == f"{large}: loading it ran out of memory; a sample will do: driftgauge reference build"
    assert not failed.is_temporary
    assert (loaded.fault, loaded.reference is None) == ("", False)


def test_packed_columns_are_unpacked_as_they_were(path: Path) -> None:
    """Arrays are equal, and those that were read-only are so again."""
    reference = load_reference(path, 7.0)
    back = unpack(pack(reference))
    assert facts(LoadResult(back)) == facts(LoadResult(reference))
    assert not back.features[0].values.flags.writeable
    np.testing.assert_array_equal(back.features[0].values, [1.0, 2.0])
