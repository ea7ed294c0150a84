"""The build that is measured: with the data plane compiled, as in the image, where a C compiler is installed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

from benchmarks.children import ROOT
from benchmarks.parts import directory
from driftgauge.build_kind import BuildKind


@cache
def compiled_package() -> Path | None:
    """Build the compiled wheel of this checkout and unpack it, once for each state of the sources.

    Returns:
        The folder to put on `PYTHONPATH`; `None` without gcc.

    Raises:
        RuntimeError: The wheel could not be built.
    """
    if shutil.which("gcc") is None:
        return None
    folder = directory() / f"compiled-{_digest()}"
    directory().mkdir(parents=True, exist_ok=True)
    with (directory() / "compiled.lock").open("w") as lock:  # another process may want it at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    """Build and unpack the wheel in place of those of other states.

    Raises:
        RuntimeError: The wheel could not be built.
    """
    for old in directory().glob("compiled-*"):
        shutil.rmtree(old)
    wheels = folder.with_suffix(".wheel")
    done = subprocess.run(  # noqa: S603 - a script of this repository
        ["bash", ".ci/wheel", str(wheels), "compiled"],  # noqa: S607 - any bash does
        cwd=ROOT,
        env={**os.environ, "BUILD_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the compiled wheel could not be built: {done.stderr.strip().splitlines()[-1]}")
    [wheel] = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheels / "unpacked")
    (wheels / "unpacked").rename(folder)
    shutil.rmtree(wheels)


def measured_build() -> BuildKind:
    """Which build is measured."""
    return BuildKind.PURE if compiled_package() is None else BuildKind.COMPILED


def _digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in (ROOT / "pyproject.toml", *sorted((ROOT / "sidecar").rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
