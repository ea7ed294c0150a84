"""What peers need beside this project's own packages: environments of their own, made once, from locks."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.children import ROOT

LOCKS = Path(__file__).parent / "locks"


def folder() -> Path:
    """Where parts are kept: `$BENCH_PARTS`, else `.parts/bench` of the checkout."""
    return Path(os.environ.get("BENCH_PARTS", ROOT / ".parts" / "bench"))


def environment(name: str) -> Path | None:
    """The programs of the virtual environment of that name, which is made if it is not there as locked.

    Returns:
        Its folder `bin`; `None` if it cannot be made here (no such package for this machine, no network).
    """
    place, lock = folder() / name, LOCKS / f"{name}.lock"
    made = place / "made-from.lock"
    if not made.exists() or made.read_bytes() != lock.read_bytes():
        install = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        steps: list[list[str]] = [
            [sys.executable, "-m", "venv", "--clear", str(place)],
            [*install, "--require-hashes", "--requirement", str(lock)],
        ]
        if any(subprocess.run(step, check=False).returncode for step in steps):  # noqa: S603 - as written above
            sys.stderr.write(f"{name}: its environment cannot be made here; the peer is left out\n")
            return None
        made.write_bytes(lock.read_bytes())
    return place / "bin"


def built(name: str, source: Path) -> Path | None:
    """A Go program of the standard library alone, built from its source; `None` without a Go toolchain."""
    program = folder() / name
    program.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["go", "build", "-o", program, "."], cwd=source, check=True)  # noqa: S603, S607 - from PATH
    except (FileNotFoundError, subprocess.CalledProcessError):
        sys.stderr.write(f"{name}: there is no Go toolchain; the peer is left out\n")
        return None
    return program
