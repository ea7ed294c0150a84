"""The wheel and the chart as a release publishes them."""

import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from driftgauge import __version__
from tests.support.parts import environment_python

ROOT = Path(__file__).parents[2]


def build_wheel(folder: Path) -> Path:
    """Build the wheel in a network namespace that has no interface; returns its path."""
    environment_python("build")
    subprocess.run(["unshare", "--net", "bash", ".ci/wheel", str(folder)], cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.iterdir()
    return wheel


@pytest.mark.real_server
def test_the_wheel_has_the_package_and_nothing_else(tmp_path: Path) -> None:
    """Every file of the package, its types and its licence; no test and no file beside the package."""
    with ZipFile(build_wheel(tmp_path)) as wheel:
        names = set(wheel.namelist())
    code = ROOT / "sidecar"
    package = {
        str(one.relative_to(code)) for one in (code / "driftgauge").rglob("*") if one.is_file() and one.suffix != ".pyc"
    }

    assert package == {name for name in names if ".dist-info/" not in name}
    assert f"driftgauge-{__version__}.dist-info/licenses/LICENSE" in names


@pytest.mark.real_server
def test_the_same_commit_gives_the_same_wheel(tmp_path: Path) -> None:
    """Byte by byte."""
    first, second = build_wheel(tmp_path / "1"), build_wheel(tmp_path / "2")

    assert first.read_bytes() == second.read_bytes()


def test_the_published_chart_has_the_image_of_the_registry(tmp_path: Path) -> None:
    """Only the default of the repository differs from the chart of this checkout."""
    subprocess.run(["bash", ".ci/chart", "registry.example/team", str(tmp_path)], cwd=ROOT, check=True)
    published = yaml.safe_load((tmp_path / "driftgauge/values.yaml").read_text())
    here = yaml.safe_load((ROOT / "charts/driftgauge/values.yaml").read_text())

    assert "registry.example/team/driftgauge" == published["image"].pop("repository")
    assert "driftgauge" == here["image"].pop("repository")
    assert here == published
