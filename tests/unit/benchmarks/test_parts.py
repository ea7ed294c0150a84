"""Environments of peers: made once for a lock, and told apart from what is not there."""

import hashlib
from pathlib import Path

import pytest

from benchmarks.parts import LOCKS, directory, environment


@pytest.fixture(autouse=True)
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own."""
    monkeypatch.setenv("BENCH_PARTS", str(tmp_path / "parts"))
    return tmp_path / "parts"


def lock(folder: Path, text: str) -> Path:
    """A folder with one lock, called `peer`."""
    (folder / "peer.lock").write_text(text)
    return folder


def test_an_environment_is_made_once(parts: Path, tmp_path: Path) -> None:
    """What stands in it is kept as long as the lock is the same, and made anew with another."""
    locks = lock(tmp_path, "# nothing\n")
    python = environment("peer", locks)
    (parts / "peer" / "kept").touch()

    assert python == environment("peer", locks) == parts / "peer" / "bin" / "python"
    assert python is not None
    assert python.exists()
    assert (parts / "peer" / "kept").exists()

    environment("peer", lock(tmp_path, "# still nothing\n"))

    assert not (parts / "peer" / "kept").exists()


def test_one_that_cannot_be_made_is_none(tmp_path: Path) -> None:
    """Each time: half an environment counts for nothing."""
    locks = lock(tmp_path, "./no-such-directory\n")

    assert environment("peer", locks) is None
    assert environment("peer", locks) is None


def test_a_whole_environment_is_known_by_its_mark(parts: Path) -> None:
    """Nothing is run to know it."""
    home = parts / "frouros"
    home.mkdir(parents=True)
    (home / ".lock-digest").write_text(hashlib.sha256((LOCKS / "frouros.lock").read_bytes()).hexdigest())

    assert home / "bin" / "python" == environment("frouros")


def test_parts_lie_in_the_checkout_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the others."""
    monkeypatch.delenv("BENCH_PARTS")

    assert Path(".parts/bench").resolve() == directory()


@pytest.mark.parametrize("name", ["alibi-detect", "frouros"])
def test_every_package_of_a_lock_has_its_hash(name: str) -> None:
    """Each pin is followed by one at least, and no registry is named."""
    lines = (LOCKS / f"{name}.lock").read_text().splitlines()
    pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith(("#", " "))]

    assert pins
    assert all("--hash=sha256:" in lines[number + 1] for number in pins)
    assert not any("://" in line for line in lines)
