"""Files that are still being written: none is loaded before it is complete."""

import asyncio
import os
from pathlib import Path

from driftgauge.reference.loading import ChildLoader, FileToLoad, load_here, read_signature
from driftgauge.reference.store import ReferenceStore

GOOD = "a,b\n1,2\n3,4\n"
BETTER = "a,b\n5,6\n7,8\n9,9\n"


def poll(references: ReferenceStore, now: float = 0.0) -> list[str]:
    """What a running process does every `reference_poll_seconds`; returns the sentences that it logs."""
    sentences, changes = references.find_changes()
    for change in changes:
        sentences += references.record(change, load_here(change.file, now))
    return sentences


def rows(references: ReferenceStore) -> dict[str, int]:
    """The rows of each loaded reference."""
    return {name: reference.rows for name, reference in references.loaded().items()}


def link(path: Path, target: str) -> None:
    """Let a symbolic link lead to a target, as one step."""
    new = path.with_name(f"{path.name}_tmp")
    new.symlink_to(target)
    new.replace(path)


def test_first_poll_loads_at_once(tmp_path: Path) -> None:
    """A start does not wait for a second look."""
    path = tmp_path / "wine.csv"
    path.write_text(GOOD)
    references = ReferenceStore(path, None)

    assert poll(references)[0].startswith("loaded the reference")


def test_file_that_grows_is_loaded_when_it_is_complete(tmp_path: Path) -> None:
    """While it grows nothing is logged and the old reference stays, even if what is there could be read."""
    path = tmp_path / "wine.csv"
    path.write_text(GOOD)
    references = ReferenceStore(path, None)
    poll(references)
    for end in (3, 8, 12, len(BETTER)):
        path.write_text(BETTER[:end])
        assert poll(references) == []
        assert rows(references) == {"*": 2}

    assert poll(references)[0].startswith("replaced the reference")
    assert rows(references) == {"*": 3}
    assert poll(references) == []


def test_replaced_file_is_loaded_at_the_second_poll(tmp_path: Path) -> None:
    """A rename puts another file in its place, which may still be open for writing."""
    path = tmp_path / "wine.csv"
    path.write_text(GOOD)
    references = ReferenceStore(path, None)
    poll(references)
    part = tmp_path / "wine.part"
    part.write_text(BETTER)
    part.replace(path)

    assert poll(references) == []
    assert poll(references)[0].startswith("replaced the reference")


def test_change_of_size_and_inode_alone_is_seen(tmp_path: Path) -> None:
    """A file that is written on with the time of its last change set back is still changing."""
    path = tmp_path / "wine.csv"
    path.write_text(GOOD)
    references = ReferenceStore(path, None)
    poll(references)
    for content in ("a,b\n1,2\n", BETTER):
        path.write_text(content)
        os.utime(path, ns=(0, 0))
        assert poll(references) == []

    assert poll(references)[0].startswith("replaced the reference")
    assert rows(references) == {"*": 3}


def test_swapped_link_is_followed_at_once(tmp_path: Path) -> None:
    """Kubernetes swaps `..data` when a ConfigMap's new version is complete; every swap counts, a faulty one too."""
    for version, content in (("..1", GOOD), ("..2", BETTER), ("..3", "a,b\n1\n"), ("..4", GOOD)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "wine.csv").write_text(content)
    link(tmp_path / "..data", "..1")
    link(tmp_path / "wine.csv", "..data/wine.csv")
    references = ReferenceStore(None, tmp_path)
    poll(references)

    link(tmp_path / "..data", "..2")
    assert poll(references)[0].startswith("replaced the reference")
    link(tmp_path / "..data", "..3")
    assert poll(references) == [
        f"{tmp_path}/wine.csv: line 2 has 1 cells, the header has 2; the reference loaded before stays"
    ]
    link(tmp_path / "..data", "..4")
    assert poll(references)[0].startswith("replaced the reference")
    assert poll(references) == []


def test_file_behind_an_unchanged_link_may_be_changing(tmp_path: Path) -> None:
    """Only the swap of a link is atomic, not a change of the file that it leads to."""
    target = tmp_path / "target.csv"
    target.write_text(GOOD)
    path = tmp_path / "wine.csv"
    link(path, "target.csv")
    references = ReferenceStore(path, None)
    poll(references)
    target.write_text(BETTER)

    assert poll(references) == []
    assert poll(references)[0].startswith("replaced the reference")


def test_new_name_waits_for_a_second_poll(tmp_path: Path) -> None:
    """A file that appears in a directory is complete when two polls find it the same."""
    references = ReferenceStore(None, tmp_path)
    poll(references)
    (tmp_path / "wine.csv").write_text("a,b\n1")
    assert poll(references) == []
    (tmp_path / "wine.csv").write_text(GOOD)
    assert poll(references) == []
    assert poll(references)[0].startswith("loaded the reference")


def test_name_whose_extension_changes_waits(tmp_path: Path) -> None:
    """Another path is another file, and no swapped link."""
    (tmp_path / "wine.csv").write_text(GOOD)
    references = ReferenceStore(None, tmp_path)
    poll(references)
    (tmp_path / "wine.csv").rename(tmp_path / "wine.CSV")
    (tmp_path / "wine.CSV").write_text("a,b\n1")
    assert poll(references) == []
    (tmp_path / "wine.CSV").write_text(BETTER)
    assert poll(references) == []
    assert poll(references)[0].startswith("replaced the reference")


def test_file_that_is_deleted_and_written_again_is_no_fault(tmp_path: Path) -> None:
    """Some programs delete a file before they write it; a file that is away at two polls is a fault, once."""
    path = tmp_path / "wine.csv"
    path.write_text(GOOD)
    references = ReferenceStore(path, None)
    poll(references)
    path.unlink()
    assert poll(references) == []
    path.write_text(BETTER)
    assert poll(references) == []
    assert poll(references)[0].startswith("replaced the reference")

    path.unlink()
    assert poll(references) == []
    assert poll(references) == [f"{path}: there is no such file; the reference loaded before stays"]
    assert poll(references) == []


def test_file_that_changes_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    """What was read may be neither the old nor the new content; it is no fault, and the complete file is loaded."""
    path = tmp_path / "wine.csv"
    path.write_text(GOOD)
    references = ReferenceStore(path, None)
    _, (change,) = references.find_changes()
    path.write_text("a,b\n5")
    result = load_here(change.file, 0.0)

    assert (result.reference, result.fault, result.is_changing) == (None, "", True)
    assert references.record(change, result) == []
    path.write_text(BETTER)
    assert poll(references) == []
    assert poll(references)[0].startswith("loaded the reference")


def test_file_that_vanishes_while_it_is_read_is_no_fault(tmp_path: Path) -> None:
    """It is looked for at the next poll."""
    path = tmp_path / "wine.csv"
    path.write_text(GOOD)
    file = FileToLoad(path, read_signature(path))
    path.unlink()

    assert load_here(file, 0.0).is_changing


async def test_child_does_not_take_a_changing_file(tmp_path: Path) -> None:
    """The child process compares the file with what was looked at, too."""
    path = tmp_path / "wine.csv"
    await asyncio.to_thread(path.write_text, GOOD)
    signature = read_signature(path)
    assert signature is not None
    loader = ChildLoader(memory_bytes=64 * 2**20)
    result = await loader.load(FileToLoad(path, signature._replace(bytes=3)), 0.0)
    await loader.close()

    assert (result.reference, result.fault, result.is_changing) == (None, "", True)
