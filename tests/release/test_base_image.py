"""The base of the image: named by digest in one place, which one command renews."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASE = re.compile(r"^ARG BASE_IMAGE=(docker\.io/library/python:3\.11-slim-\w+)@(sha256:[0-9a-f]{64})$", re.MULTILINE)
OTHER = "sha256:" + "0" * 63 + "1"


def renew(folder: Path, printed: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a copy of its files; the only client of registries on PATH is a `crane` that prints a text."""
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci/base-digest", folder / ".ci")
    shutil.copy(ROOT / "Dockerfile", folder)
    programs = folder / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "grep", "sed"):
        (programs / name).symlink_to(shutil.which(name) or name)
    (programs / "crane").write_text(f"#!{shutil.which('bash')}\necho '{printed}'\n")
    (programs / "crane").chmod(0o755)
    command = ["bash", ".ci/base-digest"]
    env = {"PATH": str(programs)}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, env=env)


def test_the_base_is_named_by_digest_once() -> None:
    """Both stages take it from the one argument."""
    text = (ROOT / "Dockerfile").read_text()

    assert 1 == len(BASE.findall(text))
    assert {"${BASE_IMAGE}"} == set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))


def test_the_command_writes_the_digest_of_the_registry(tmp_path: Path) -> None:
    """Only the digest of that line changes."""
    done = renew(tmp_path, OTHER)
    before = (ROOT / "Dockerfile").read_text()

    assert (0, "") == (done.returncode, done.stderr)
    assert BASE.sub(rf"ARG BASE_IMAGE=\1@{OTHER}", before) == (tmp_path / "Dockerfile").read_text()


def test_a_digest_that_is_the_newest_stays(tmp_path: Path) -> None:
    """The command says so and writes nothing."""
    text = (ROOT / "Dockerfile").read_text()
    [(_, digest)] = BASE.findall(text)
    done = renew(tmp_path, digest)

    assert "is the newest" in done.stdout
    assert text == (tmp_path / "Dockerfile").read_text()


def test_what_is_no_digest_is_not_written(tmp_path: Path) -> None:
    """An error page or an empty response ends the command with 1."""
    done = renew(tmp_path, "<html>")

    assert 1 == done.returncode
    assert "no digest" in done.stderr
    assert (ROOT / "Dockerfile").read_text() == (tmp_path / "Dockerfile").read_text()
