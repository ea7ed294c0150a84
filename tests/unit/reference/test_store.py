"""References of a running process: lookup, reload, and what is logged of each change."""

import os
from pathlib import Path

import numpy as np

from driftgauge.inference.payload import ModelKey
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.loading import LoadResult
from driftgauge.reference.store import Fault, ReferenceStore

GOOD = "a,b\n1,2\n3,4\n"
BETTER = "a,b\n5,6\n7,8\n9,9\n"
BAD = "a,b\n1\n"


def model(inference_service: str, namespace: str = "prod") -> ModelKey:
    """A model of this InferenceService."""
    return ModelKey(namespace, inference_service, "predictor", inference_service)


def rows(references: ReferenceStore, key: ModelKey) -> int | None:
    """How many rows the reference of a model has, if it has one."""
    reference = references.get(key)
    return reference.rows if reference else None


def write(path: Path, content: str) -> Path:
    """Put a file in place as one step, so that its inode changes."""
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(content)
    return part.replace(path)


def test_nothing_before_the_first_refresh(tmp_path: Path) -> None:
    """No file is read when the object is made."""
    references = ReferenceStore(write(tmp_path / "wine.csv", GOOD), None)

    assert references.get(model("wine")) is None
    assert {} == references.loaded()


def test_file_serves_every_model(tmp_path: Path) -> None:
    """The file of proxy mode is the reference of whatever model is asked for."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(path, None)
    (sentence,) = references.refresh(7.0)
    digest = references.loaded()["*"].digest

    assert sentence == f"loaded the reference {path}: 2 rows, 2 columns, sha256 {digest[:12]}"
    assert (2, 2) == (rows(references, model("wine")), rows(references, model("other", "")))
    assert {7.0} == {reference.loaded_at for reference in references.loaded().values()}


def test_notes_are_reported_once(tmp_path: Path) -> None:
    """The notes on the columns follow the sentence on the reference, as plain sentences."""
    path = write(tmp_path / "wine.csv", "a,b,prediction:q\n1,7,1\n2,7,0\n")
    references = ReferenceStore(path, None)
    first, note = references.refresh(7.0)

    assert first.startswith(f"loaded the reference {path}: 2 rows, 2 columns, 1 of predictions, sha256 ")
    assert f"{path}: column 'b' is constant" == note
    assert not isinstance(note, Fault)
    assert [] == references.refresh(8.0)


def test_unchanged_file_is_not_reported_again(tmp_path: Path) -> None:
    """A second refresh of the same file reports nothing and keeps the object."""
    references = ReferenceStore(write(tmp_path / "wine.csv", GOOD), None)
    references.refresh(1.0)
    before = references.get(model("wine"))

    assert [] == references.refresh(2.0)
    assert references.get(model("wine")) is before


def test_touched_file_is_not_replaced(tmp_path: Path) -> None:
    """A new file of the same content is the same reference: the content's hash decides."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(path, None)
    references.refresh(1.0)
    before = references.get(model("wine"))
    write(path, GOOD)

    assert [] == references.refresh(2.0)
    assert references.get(model("wine")) is before


def test_config_map_swap(tmp_path: Path) -> None:
    """Kubernetes replaces the `..data` link, not the file: the new version is loaded."""
    for version, content in (("..2026_01", GOOD), ("..2026_02", BETTER)):
        write(tmp_path / version / "wine.csv", content)
    (tmp_path / "..data").symlink_to("..2026_01")
    (tmp_path / "wine.csv").symlink_to("..data/wine.csv")
    references = ReferenceStore(None, tmp_path)
    references.refresh(1.0)
    (tmp_path / "..data_tmp").symlink_to("..2026_02")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    (sentence,) = references.refresh(2.0)

    assert sentence.startswith(f"replaced the reference {tmp_path}/wine.csv: 3 rows, 2 columns")
    assert {"wine": 3} == {name: reference.rows for name, reference in references.loaded().items()}


def test_bad_new_file_is_refused(tmp_path: Path) -> None:
    """A faulty new version is reported once, and the old reference stays."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(path, None)
    references.refresh(1.0)
    write(path, BAD)
    fault = f"{path}: line 2 has 1 cells, the header has 2; the reference loaded before stays"

    assert [fault] == references.refresh(2.0)
    assert [] == references.refresh(3.0)
    assert 2 == rows(references, model("wine"))


def test_another_fault_is_reported(tmp_path: Path) -> None:
    """A changed fault is reported again; so is the return of the old content."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(path, None)
    references.refresh(1.0)
    write(path, BAD)
    references.refresh(2.0)
    path.unlink()

    assert [f"{path}: there is no such file; the reference loaded before stays"] == references.refresh(3.0)
    assert [] == references.refresh(4.0)
    write(path, GOOD)
    assert [f"{path}: the file can be used again, its content is what was loaded before"] == references.refresh(5.0)
    assert 2 == rows(references, model("wine"))


def test_bad_first_file(tmp_path: Path) -> None:
    """A process whose reference is faulty from the start has none, until the file is mended."""
    path = write(tmp_path / "wine.csv", BAD)
    references = ReferenceStore(path, None)

    assert [f"{path}: line 2 has 1 cells, the header has 2"] == references.refresh(1.0)
    assert references.get(model("wine")) is None
    write(path, GOOD)
    assert references.refresh(2.0)[0].startswith("loaded the reference")
    assert 2 == rows(references, model("wine"))


def test_change_in_place_is_seen(tmp_path: Path) -> None:
    """A file rewritten in place, with its size and its time of change as before, is read again all the same."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(path, None)
    references.refresh(1.0)
    before = path.stat()
    path.write_text(GOOD.replace("4", "5"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert references.refresh(2.0)[0].startswith("replaced the reference")


def test_lookup_in_a_directory(tmp_path: Path) -> None:
    """A model gets its namespace's file, else its InferenceService's, else none."""
    write(tmp_path / "wine.csv", GOOD)
    write(tmp_path / "prod" / "wine.csv", BETTER)
    references = ReferenceStore(None, tmp_path)

    assert 2 == len(references.refresh(1.0))
    assert {"prod/wine", "wine"} == set(references.loaded())
    assert (3, 2, None) == tuple(rows(references, key) for key in (model("wine"), model("wine", "test"), model("beer")))


def test_every_revision_of_a_model_has_its_reference(tmp_path: Path) -> None:
    """The revision is no part of the name of a reference."""
    write(tmp_path / "prod" / "wine.csv", GOOD)
    references = ReferenceStore(None, tmp_path)
    references.refresh(1.0)

    assert 2 == rows(references, model("wine")._replace(revision="v2"))


def test_untrusted_names_reach_no_file(tmp_path: Path) -> None:
    """A model's name is looked up among the names that were listed, never joined to a path."""
    write(tmp_path / "secret.csv", GOOD)
    (tmp_path / "mounted").mkdir()
    write(tmp_path / "mounted" / "prod" / "wine.csv", GOOD)
    references = ReferenceStore(None, tmp_path / "mounted")
    references.refresh(1.0)
    strange = [model("../secret"), model("secret", ".."), model("prod/wine", ""), model("", ""), model("*")]

    assert [None] * 5 == [references.get(key) for key in strange]


def test_what_a_directory_may_hold_besides(tmp_path: Path) -> None:
    """Hidden names, other extensions, deeper folders and folders named like files are passed over."""
    write(tmp_path / ".hidden.csv", BAD)
    write(tmp_path / "..2026_01" / "wine.csv", BAD)
    write(tmp_path / "README.md", "text")
    (tmp_path / "prod" / "deep.csv").mkdir(parents=True)
    write(tmp_path / "prod" / "deep.csv" / "wine.csv", BAD)
    references = ReferenceStore(None, tmp_path)

    assert [] == references.refresh(1.0)
    assert {} == references.loaded()


def test_two_files_of_one_name(tmp_path: Path) -> None:
    """Two files of one name are refused by naming both, once; the one loaded before stays."""
    first = write(tmp_path / "prod" / "wine.csv", GOOD)
    references = ReferenceStore(None, tmp_path)
    references.refresh(1.0)
    second = write(tmp_path / "prod" / "wine.npz", "nonsense")

    assert [f"{first} and {second} are both references of prod/wine: only one may be"] == references.refresh(2.0)
    assert [] == references.refresh(3.0)
    assert 2 == rows(references, model("wine"))


def test_missing_directory(tmp_path: Path) -> None:
    """A directory that cannot be listed is reported once, and tried again."""
    folder = tmp_path / "later"
    references = ReferenceStore(None, folder)

    assert [f"{folder}: the directory cannot be listed: No such file or directory"] == references.refresh(1.0)
    assert [] == references.refresh(2.0)
    write(folder / "wine.csv", GOOD)
    assert 1 == len(references.refresh(3.0))


def test_new_name_and_vanished_name(tmp_path: Path) -> None:
    """A new file is loaded; a deleted one is reported once and stays loaded."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(None, tmp_path)
    references.refresh(1.0)
    path.unlink()
    write(tmp_path / "beer.csv", BETTER)
    sentences = references.refresh(2.0)

    assert 2 == len(sentences)
    assert f"{path}: there is no such file; the reference loaded before stays" in sentences
    assert {"wine", "beer"} == set(references.loaded())
    assert [] == references.refresh(3.0)


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    """Half of a surrogate pair, which numpy's text may hold, is a fault of the file; mended, it is loaded."""
    path = tmp_path / "wine.npz"
    references = ReferenceStore(path, None)
    np.savez(path, data=np.ones((4, 2)), columns=np.array(["a", "\ud800"]))

    assert [f"{path}: the name of column 2 is not Unicode: '\\ud800'"] == references.refresh(1.0)
    np.savez(path, data=np.ones((9, 2)), columns=np.array(["a", "b"]))
    references.refresh(2.0)
    assert 9 == rows(references, model("wine"))


def test_entries_that_cannot_be_looked_at(tmp_path: Path) -> None:
    """A link that the system refuses to follow is reported once, on either level; the other files are loaded."""
    write(tmp_path / "prod" / "wine.csv", GOOD)
    strange = [tmp_path / "beer.csv", tmp_path / "prod" / "beer.csv"]
    for path in strange:
        path.symlink_to("n" * 300)  # no file system has names that long
    references = ReferenceStore(None, tmp_path)
    sentences = references.refresh(1.0)

    assert [f"{path}: it cannot be looked at: File name too long" for path in strange] == sentences[:2]
    assert [] == references.refresh(2.0)
    assert {"prod/wine"} == set(references.loaded())


def test_unforeseen_failure_is_a_fault_of_its_file() -> None:
    """A path that no system call accepts is reported once."""
    path = Path("wine\0.csv")
    references = ReferenceStore(path, None)

    (fault,) = references.refresh(1.0)
    assert isinstance(fault, Fault)
    assert fault == f"{path}: it cannot be used: ValueError: embedded null byte"
    assert [] == references.refresh(2.0)


def test_same_name_with_another_extension(tmp_path: Path) -> None:
    """A reference may change its format: the new file replaces the old one's content."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(None, tmp_path)
    references.refresh(1.0)
    path.unlink()
    write(tmp_path / "wine.CSV", BETTER)

    assert 1 == len(references.refresh(2.0))
    assert 3 == rows(references, model("wine"))


def test_a_file_whose_name_is_not_text_is_a_fault(tmp_path: Path) -> None:
    """As a label it would cost the whole scrape."""
    (tmp_path / os.fsdecode(b"w\xefne.csv")).write_text("a\n1\n")
    references = ReferenceStore(None, tmp_path)

    (fault,) = references.refresh(1.0)
    assert "is not UTF-8" in fault
    assert {} == references.loaded()


def test_file_whose_loading_fails_is_not_loaded_again(tmp_path: Path) -> None:
    """The old reference stays, the fault is reported once, and a change of the file is a reason to try again."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(path, None)
    references.refresh(1.0)
    write(path, BETTER)
    _, (change,) = references.find_changes(at_once=True)
    fault = f"{path}: loading it ran out of memory"

    assert [f"{fault}; the reference loaded before stays"] == references.record(change, LoadResult(fault=fault))
    assert ([], []) == references.find_changes()
    assert 2 == rows(references, model("wine"))
    write(path, BETTER)
    assert references.refresh(2.0)[0].startswith("replaced the reference")


def test_file_that_could_not_be_loaded_for_now_is_loaded_again(tmp_path: Path) -> None:
    """A fault that is not the file's is reported once, and the file is tried at each look."""
    path = write(tmp_path / "wine.csv", GOOD)
    references = ReferenceStore(path, None)
    failed = LoadResult(fault=f"{path}: it cannot be loaded", is_temporary=True)
    _, (change,) = references.find_changes()

    assert [failed.fault] == references.record(change, failed)
    _, (again,) = references.find_changes()
    assert [] == references.record(again, failed)
    assert references.refresh(2.0)[0].startswith("loaded the reference")


def test_the_order_of_the_rows_is_reported(tmp_path: Path) -> None:
    """A person sees in the log whether the option has found the times."""
    path = write(tmp_path / "wine.csv", "ts,a\n2026-01-01,1\n2026-01-02,2\n")
    references = ReferenceStore(path, None, ColumnRules(time=TimeRules("ts")))
    (sentence,) = references.refresh(7.0)

    assert sentence.startswith(f"loaded the reference {path}: 2 rows, 1 columns, in the order of time, sha256 ")
