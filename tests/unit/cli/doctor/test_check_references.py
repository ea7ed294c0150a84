"""References as the doctor finds them: as the running process has them, else as they load."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from driftgauge.cli.doctor.check_references import check_references
from driftgauge.cli.doctor.finding import Finding, Level, fail, ok, warn
from driftgauge.cli.doctor.running_process import RunningProcess
from driftgauge.config.load import load

ENOUGH = "alcohol\n" + "".join(f"{number / 7}\n" for number in range(2_000))


async def check(process: RunningProcess | None = None, **flags: Path) -> list[Finding]:
    """What the doctor finds with some options."""
    return await check_references(load("logger", {name: str(path) for name, path in flags.items()}), process)


def facts_of(path: Path, content: str) -> dict[str, Any]:
    """What a process says of a file that had this content when it loaded it."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return {"name": path.stem, "path": str(path), "sha256": digest, "rows": 1600, "columns": 11, "rows_needed": 0}


def running(*references: dict[str, Any], loaded: int | None = None) -> RunningProcess:
    """A process that lists some references, and may have loaded more."""
    count = len(references) if loaded is None else loaded
    return RunningProcess("http://x", {"version": "0", "references": references, "references_loaded": count})


async def test_none_is_a_warning() -> None:
    """Nothing would be tested."""
    assert [Level.WARN] == [finding.level for finding in await check()]


async def test_a_reference_with_rows_enough_is_ok(tmp_path: Path) -> None:
    """The line has its rows and columns."""
    (tmp_path / "wine.csv").write_text(ENOUGH)
    path = tmp_path / "wine.csv"

    sentence = f"{path} (every model): 2000 rows, 1 columns, rows enough for the false-alarm budget"
    assert [ok("reference", sentence)] == await check(reference=path)


async def test_a_small_reference_is_a_warning(tmp_path: Path) -> None:
    """The sentence has the rows that would do; it is that of the model where it is filed for one."""
    (tmp_path / "prod").mkdir()
    path = tmp_path / "prod" / "wine.csv"
    path.write_text(ENOUGH[:400])
    found = await check(reference_dir=tmp_path)

    assert [Level.WARN] == [finding.level for finding in found]
    assert found[0].sentence.startswith(f"{path} (prod/wine): ")
    assert found[0].sentence.endswith("rows would do")


async def test_files_that_cannot_be_used_are_failures(tmp_path: Path) -> None:
    """One that is missing, and one that is empty."""
    (tmp_path / "wine.csv").write_text("")
    missing, empty = await check(reference=tmp_path / "none.csv"), await check(reference=tmp_path / "wine.csv")

    assert [fail("reference", f"{tmp_path / 'none.csv'}: there is no such file")] == missing
    assert [Level.FAIL] == [finding.level for finding in empty]


async def test_an_empty_directory_is_a_warning(tmp_path: Path) -> None:
    """The sentence says what to file."""
    sentence = f"{tmp_path} has no files: file <inference_service>.csv there"

    assert [warn("reference", sentence)] == await check(reference_dir=tmp_path)


async def test_what_the_running_process_has_is_not_loaded_again(tmp_path: Path) -> None:
    """Its memory is for the process; a file that it should have and has not is a warning."""
    used, other = tmp_path / "wine.csv", tmp_path / "iris.csv"
    used.write_text(ENOUGH)
    other.write_text(ENOUGH)
    found = await check(running(facts_of(used, ENOUGH)), reference_dir=tmp_path)

    assert [
        ok("reference", f"{used} (wine): 1600 rows, 11 columns, rows enough for the false-alarm budget"),
        warn("reference", f"{other} loads here, but the running process has not loaded it: see its log"),
    ] == found


async def test_a_file_that_changed_and_cannot_be_loaded_is_a_failure(tmp_path: Path) -> None:
    """The process has the older version, and after its next start it would have none."""
    path = tmp_path / "wine.csv"
    path.write_text("changed since, and no table")
    found = await check(running(facts_of(path, ENOUGH)), reference_dir=tmp_path)
    path.unlink()
    gone = await check(running(facts_of(path, ENOUGH)), reference=path)

    assert [Level.FAIL, Level.FAIL] == [one.level for one in found + gone]
    assert found[0].sentence.startswith(f"{path}: ")


async def test_a_file_that_changed_and_was_not_loaded_is_a_warning(tmp_path: Path) -> None:
    """The sentence says that the process has an older version."""
    path = tmp_path / "wine.csv"
    path.write_text(ENOUGH + "9.5\n")

    sentence = f"{path} loads here, but the running process has an older version of it: see its log"
    assert [warn("reference", sentence)] == await check(running(facts_of(path, ENOUGH)), reference_dir=tmp_path)


@pytest.mark.parametrize(("loaded", "level"), [(3, Level.OK), (2, Level.WARN)])
async def test_references_that_the_process_does_not_list_are_counted(tmp_path: Path, loaded: int, level: Level) -> None:
    """As many as it has loaded are ok; a file more is a warning."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.csv").write_text(ENOUGH)
    found = await check(running(facts_of(tmp_path / "a.csv", ENOUGH), loaded=loaded), reference_dir=tmp_path)

    assert [Level.OK, level] == [one.level for one in found]
