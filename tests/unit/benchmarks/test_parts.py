"""Environments of peers are created once for each lock."""

import hashlib
from pathlib import Path

import pytest

from benchmarks.parts import LOCKS, create_environment, directory


@pytest.fixture(autouse=True)
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate folder for parts."""
    monkeypatch.setenv("BENCH_PARTS", str(tmp_path / "parts"))
    return tmp_path / "parts"


def lock(folder: Path, text: str) -> Path:
    """Write one lock, `peer`, to a folder."""
    (folder / "peer.lock").write_text(text)
    return folder


@pytest.mark.long
def test_an_environment_is_created_once(parts: Path, tmp_path: Path) -> None:
    """An environment is kept while its lock is the same, and replaced if the lock changes."""
    locks = lock(tmp_path, "# nothing\n")
    python = create_environment("peer", locks)
    (parts / "peer" / "kept").touch()

    assert python == create_environment("peer", locks) == parts / "peer" / "bin" / "python"
    assert python is not None
    assert python.exists()
    assert (parts / "peer" / "kept").exists()

    create_environment("peer", lock(tmp_path, "# still nothing\n"))

    assert not (parts / "peer" / "kept").exists()


@pytest.mark.long
def test_an_environment_that_cannot_be_created_is_none(tmp_path: Path) -> None:
    """The result is `None` each time: an incomplete environment is not used."""
    locks = lock(tmp_path, "./no-such-directory\n")

    assert create_environment("peer", locks) is None
    assert create_environment("peer", locks) is None


def test_a_complete_environment_is_recognised_by_its_mark(parts: Path) -> None:
    """An environment with the hash of its lock is used without running anything."""
    home = parts / "frouros"
    home.mkdir(parents=True)
    (home / ".lock-digest").write_text(hashlib.sha256((LOCKS / "frouros.lock").read_bytes()).hexdigest())

    assert home / "bin" / "python" == create_environment("frouros")


def test_parts_are_in_the_repository_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `BENCH_PARTS` the folder is `.parts/bench`."""
    monkeypatch.delenv("BENCH_PARTS")

    assert Path(".parts/bench").resolve() == directory()


@pytest.mark.parametrize("name", ["alibi-detect", "frouros"])
def test_every_package_of_a_lock_has_its_hash(name: str) -> None:
    """Each pin has at least one hash, and no lock has the address of a registry."""
    lines = (LOCKS / f"{name}.lock").read_text().splitlines()
    pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith(("#", " "))]

    assert pins
    assert all("--hash=sha256:" in lines[number + 1] for number in pins)
    assert not any("://" in line for line in lines)
