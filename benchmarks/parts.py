"""Peers in separate virtual environments, created from locks at first use; and programs in Go."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

LOCKS = Path(__file__).with_name("locks")

_MARK = ".lock-digest"
"""A file in every complete environment, with the hash of its lock."""


def directory() -> Path:
    """The folder of the environments: `BENCH_PARTS`, by default `.parts/bench` in the repository."""
    return Path(os.environ.get("BENCH_PARTS", ".parts/bench")).resolve()


def create_environment(name: str, locks: Path = LOCKS) -> Path | None:
    """Create a virtual environment with the packages of a lock, if it does not exist.

    Args:
        name: Name of the lock, without its ending.
        locks: The folder of the lock.

    Returns:
        Its interpreter; `None` if it could not be created, for which pip has printed the reason to standard error.

    Notes:
        A complete environment is used unchanged; one of another lock, or an incomplete one, is replaced.
    """
    lock, home = locks / f"{name}.lock", directory() / name
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    python, mark = home / "bin" / "python", home / _MARK
    if mark.is_file() and mark.read_text() == digest:
        return python
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, with_pip=False, symlinks=True)  # the pip of this environment installs into that one
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, "-r", str(lock)]
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode != 0:  # noqa: S603 only constant arguments
        return None
    mark.write_text(digest)
    return python


def build_go(name: str, source: Path) -> Path | None:
    """Build a Go program that needs only the standard library.

    Args:
        name: Name of the program.
        source: The folder of its module.

    Returns:
        The path of the program; `None` without a Go toolchain.
    """
    program = directory() / name
    program.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["go", "build", "-o", str(program), "."], cwd=source, check=True)  # noqa: S603, S607 - on PATH
    except (FileNotFoundError, subprocess.CalledProcessError):
        sys.stderr.write(f"{name}: there is no Go toolchain; the peer is left out\n")
        return None
    return program
