"""The built wheel in an environment of its own, beside PyPI's `sidecar`, whose name the folder of the source has."""

import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from driftgauge import __version__
from tests.support.parts import PARTS, environment_python

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a command that must end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the part `sidecar`, in which the wheel is installed from its file alone."""
    part = environment_python("sidecar").parents[1]
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder / "dist", cwd=ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    copy = folder / "environment"
    shutil.copytree(part, copy, symlinks=True)
    uv = PARTS / "tools" / "bin" / "uv"
    python = copy / "bin" / "python"
    run(uv, "pip", "install", "--offline", "--no-deps", "--no-index", "--python", python, wheel, cwd=folder)
    return copy


def installed(environment: Path) -> dict[str, Distribution]:
    """The distributions of an environment, by name."""
    (packages,) = environment.glob("lib/python3*/site-packages")
    return {one.metadata["Name"].lower(): one for one in distributions(path=[str(packages)])}


def test_the_wheel_starts_beside_sidecar(environment: Path, tmp_path: Path) -> None:
    """The command, the module and the import work, and so does the other package."""
    python, expected = environment / "bin" / "python", f"driftgauge {__version__}\n"
    data = "{'age': [1, 2, 3]}"
    code = f"import sidecar, driftgauge; print(sidecar.Sidecar.__name__, driftgauge.check({data}, {data}).drift)"

    assert expected == run(environment / "bin" / "driftgauge", "--version", cwd=tmp_path)
    assert expected == run(python, "-m", "driftgauge", "--version", cwd=tmp_path)
    assert "Sidecar False\n" == run(python, "-c", code, cwd=tmp_path)


def test_the_wheel_shares_no_file_with_sidecar(environment: Path) -> None:
    """Either can be removed without harm to the other."""
    files = [{str(file) for file in installed(environment)[name].files or ()} for name in ("driftgauge", "sidecar")]

    assert all(files)
    assert not set.intersection(*files)


def test_the_wheel_holds_the_package_its_types_and_the_licence(environment: Path) -> None:
    """Nothing is at the top level but the package, and type checkers find its marker."""
    files = {str(file) for file in installed(environment)["driftgauge"].files or ()}
    folder = f"driftgauge-{__version__}.dist-info"

    assert {"driftgauge", folder, ".."} == {name.partition("/")[0] for name in files}
    assert {"driftgauge/py.typed", "driftgauge/page/style.css", f"{folder}/licenses/LICENSE"} <= files


def test_the_locked_packages_are_all_that_the_wheel_requires(environment: Path, tmp_path: Path) -> None:
    """Every requirement of every distribution is met."""
    run(PARTS / "tools" / "bin" / "uv", "pip", "check", "--python", environment / "bin" / "python", cwd=tmp_path)
