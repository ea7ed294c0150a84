"""Peers in virtual environments of their own, made from locks when they are asked for first; and programs in Go."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

LOCKS = Path(__file__).with_name("locks")

_MARK = ".lock-digest"
"""Stands in an environment that is complete, and says of which lock."""


def directory() -> Path:
    """Where parts of benchmarks are kept: `BENCH_PARTS`, or beside the checkout's other parts."""
    return Path(os.environ.get("BENCH_PARTS", ".parts/bench")).resolve()


def environment(name: str, locks: Path = LOCKS) -> Path | None:
    """The interpreter of a virtual environment that holds what a lock lists.

    Args:
        name: Of the lock, without its ending.
        locks: Where it lies.

    Returns:
        The interpreter; `None` where the environment could not be made, which pip has told on standard error.

    Notes:
        A whole environment is used as it is; one of another lock, or half of one, is made anew.
    """
    lock, home = locks / f"{name}.lock", directory() / name
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    python, mark = home / "bin" / "python", home / _MARK
    if mark.is_file() and mark.read_text() == digest:
        return python
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, with_pip=True, symlinks=True)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    command = [str(python), "-m", "pip", "install", *options, "-r", str(lock)]
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode != 0:  # noqa: S603 of our own words alone
        return None
    mark.write_text(digest)
    return python


def built(name: str, source: Path) -> Path | None:
    """A Go program of the standard library alone, built from its source.

    Args:
        name: What it is called.
        source: The folder of its module.

    Returns:
        The program; `None` without a Go toolchain.
    """
    program = directory() / name
    program.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["go", "build", "-o", str(program), "."], cwd=source, check=True)  # noqa: S603, S607 - on PATH
    except (FileNotFoundError, subprocess.CalledProcessError):
        sys.stderr.write(f"{name}: there is no Go toolchain; the peer is left out\n")
        return None
    return program
