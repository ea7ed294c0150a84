"""Finds programs, environments and packages that not every machine has, or skips the test.

`bash .ci/parts` and `bash .ci/image` create them, `bash .ci/packages` installs the programs.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

PARTS = Path(os.environ.get("REAL_PARTS") or Path(__file__).parents[2] / ".parts")


def environment_python(name: str) -> Path:
    """The interpreter of a part's virtual environment; skips the test if there is none."""
    python = PARTS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python} is missing; `bash .ci/parts` creates it")
    return python


def node_modules(part: str = "cloudevents-js") -> Path:
    """The packages of a part of JavaScript, by default the sender; skips the test if they or node are missing."""
    modules = PARTS / part / "node_modules"
    if not modules.is_dir():
        pytest.skip(f"{modules} is missing; `bash .ci/parts` creates it")
    program("node")
    return modules


def program(name: str) -> str:
    """The path of a program of the system; skips the test if there is none."""
    path = system_program(name)
    if path is None:
        pytest.skip(f"{name} is not installed; `bash .ci/packages` installs it")
    return path


def system_program(name: str) -> str | None:
    """The path of a program, or `None`; not from this virtual environment, whose redis-server knows no TLS."""
    own = str(Path(sys.prefix) / "bin")
    outside = [folder for folder in os.get_exec_path() if folder != own]
    return shutil.which(name, path=os.pathsep.join(outside))


def kustomize() -> list[str]:
    """The command that builds a kustomization, without its argument; skips the test if there is no engine."""
    built = PARTS / "programs" / "kustomize"
    if built.exists():
        return [str(built), "build"]
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip(f"{built} is missing, and so is kubectl; `bash .ci/parts programs` builds it")
    return [kubectl, "kustomize"]


def package(name: str, target: str = "chart-test") -> Any:  # noqa: ANN401 - a module that may not be installed
    """The module of a package that `make TARGET` installs; skips the test if it is not installed."""
    return pytest.importorskip(name, reason=f"the module {name} is not installed; `make {target}` installs it")
