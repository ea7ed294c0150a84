"""The wheel, installed into one environment with PyPI's `sidecar`: both work, and neither overwrites the other."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

from driftgauge import __version__
from tests.support import wine
from tests.support.parts import environment_python
from tests.support.ports import free_port
from tests.support.processes import Child, get

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
PAGE_FILES = ("style/base.css", "page.js", "runbooks/drift.md")
HIDDEN = [name for name in os.environ if name.startswith(("PYTHON", "DRIFTGAUGE_")) or name == "PORT"]
"""Variables that would lead to the checkout, or set an option."""


def run(argv: Sequence[str | Path], cwd: Path) -> str:
    """Run a program to its end; returns what it printed."""
    env = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=100)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Iterator[Path]:
    """A copy of the part with `sidecar` and the locked packages, into which the wheel is installed."""
    part = environment_python("sidecar").parents[1]
    with TemporaryDirectory(prefix="driftgauge-wheel-") as folder:
        copy = Path(folder) / "environment"
        shutil.copytree(part, copy, symlinks=True)
        pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", copy / "bin" / "python"]
        run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], copy)
        run([*pip, "check"], copy)
        yield copy


def installed(environment: Path, name: str) -> set[str]:
    """The files of a distribution, relative to the folder of packages."""
    packages = next(environment.glob("lib/python3*/site-packages"))
    (found,) = Distribution.discover(name=name, path=[str(packages)])
    return {str(file) for file in found.files or ()}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Its files are those of `sidecar/driftgauge`, style sheet, runbooks and type marker included, and its metadata."""
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = ROOT / "sidecar"
    files = [path for path in (source / "driftgauge").rglob("*") if path.is_file() and "__pycache__" not in path.parts]

    assert {str(path.relative_to(source)) for path in files} == names
    assert {
        "driftgauge/py.typed",
        "driftgauge/page/style/base.css",
        "driftgauge/page/page.js",
        "driftgauge/page/runbooks/drift.md",
    } <= names


def test_the_environment_is_locked_to_the_versions_of_the_product() -> None:
    """Every package of requirements/runtime.lock is in the lock of the environment, in the same version."""
    of_product, of_environment = (
        {line for line in (ROOT / name).read_text().splitlines() if "==" in line and line[0].isalpha()}
        for name in ("requirements/runtime.lock", ".ci/locks/sidecar.lock")
    )

    assert of_product
    assert set() == of_product - of_environment


def test_no_file_belongs_to_both_distributions(environment: Path) -> None:
    """Each distribution has its own top-level package."""
    ours, theirs = installed(environment, "driftgauge"), installed(environment, "sidecar")

    assert "driftgauge/__init__.py" in ours
    assert "sidecar/__init__.py" in theirs
    assert set() == ours & theirs


@pytest.mark.parametrize("command", [["bin/driftgauge"], ["bin/python", "-m", "driftgauge"]], ids=["script", "module"])
def test_both_commands_print_the_version(environment: Path, command: list[str]) -> None:
    """The installed script and `python -m driftgauge` are the version of this checkout."""
    program, *arguments = command

    assert f"driftgauge {__version__}\n" == run([environment / program, *arguments, "--version"], environment)


@pytest.mark.parametrize("order", ["sidecar, driftgauge", "driftgauge, sidecar"])
def test_one_process_imports_both(environment: Path, order: str) -> None:
    """`sidecar.Sidecar` is the widget of JupyterLab, and `driftgauge` is the installed package."""
    code = f"import {order}; print(sidecar.Sidecar.__mro__[1].__module__, driftgauge.__file__)"
    widget, file = run([environment / "bin/python", "-c", code], environment).split()

    assert "ipywidgets.widgets.widget_output" == widget
    assert next(environment.glob("lib/python3*/site-packages")) / "driftgauge/__init__.py" == Path(file)


def test_the_installed_logger_serves(environment: Path, tmp_path: Path) -> None:
    """It responds on its admin port, with the reference loaded, and exits with 0 on SIGTERM."""
    reference = wine.write_reference(tmp_path / "wine.csv")
    port, admin_port = free_port(), free_port()
    options = ["--port", str(port), "--admin-port", str(admin_port), "--drain-delay-seconds", "0"]
    argv: list[str | Path] = [environment / "bin/driftgauge", "logger", "--reference", reference, *options]
    with Child(argv, cwd=tmp_path, hidden=HIDDEN) as child:
        child.await_response(f"http://127.0.0.1:{admin_port}/readyz")
        child.await_port(port)
        page = get(f"http://127.0.0.1:{admin_port}/metrics").decode()
        exit_code = child.terminate()

    assert f'version="{__version__}"' in next(
        line for line in page.splitlines() if line.startswith("driftgauge_build_info{")
    )
    assert 0 == exit_code
