"""One version: that of the code, the chart and the changelog."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from driftgauge import __version__

ROOT = Path(__file__).parents[2]
FILES = (".ci/version", "sidecar/driftgauge/__init__.py", "charts/driftgauge/Chart.yaml", "CHANGELOG.md")


def version(root: Path, *tag: str) -> subprocess.CompletedProcess[str]:
    """Run the script that prints the version."""
    command = ["bash", str(root / ".ci/version"), *tag]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files that name the version."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text that is in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_code_and_chart_have_one_version() -> None:
    """It is the only thing that the script prints."""
    done = version(ROOT)

    assert (0, f"{__version__}\n", "") == (done.returncode, done.stdout, done.stderr)


def test_every_text_names_the_image_of_this_version() -> None:
    """In manifests, values, documents and messages; tests and the changelog may name others."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    texts = [ROOT / name for name in listed if not name.startswith(("tests/", "CHANGELOG.md"))]
    named = {
        (str(path.relative_to(ROOT)), tag)
        for path in texts
        if path.is_file() and path.suffix in {".md", ".yaml", ".yml", ".py", ".txt", ".tpl", ""}
        for tag in re.findall(r"\bdriftgauge:(\d+\.\d+\.\d+[\w.-]*)", path.read_text())
    }

    assert named
    assert {__version__} == {tag for _, tag in named}, named


@pytest.mark.parametrize("key", [f"version: {__version__}", f'appVersion: "{__version__}"'])
def test_another_version_of_the_chart_is_refused(copy: Path, key: str) -> None:
    """One sentence names both."""
    replace(copy / "charts/driftgauge/Chart.yaml", f"\n{key}\n", f"\n{key.replace(__version__, '9.8.7')}\n")
    done = version(copy)

    assert (1, "") == (done.returncode, done.stdout)
    assert "of the chart is 9.8.7" in done.stderr
    assert __version__ in done.stderr


def test_a_tag_of_another_version_is_refused(copy: Path) -> None:
    """A tag is `v` and the version."""
    assert 1 == version(copy, "v9.8.7").returncode
    assert f"it must be v{__version__}" in version(copy, __version__).stderr


def test_a_tag_needs_a_section_in_the_changelog(copy: Path) -> None:
    """The heading has the version and a date."""
    changelog = copy / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## [Unreleased]\n")
    without = version(copy, f"v{__version__}")
    changelog.write_text(f"# Changelog\n\n## [Unreleased]\n\n## [{__version__}] - 2026-12-01\n")
    with_one = version(copy, f"v{__version__}")

    assert (1, 0) == (without.returncode, with_one.returncode)
    assert f"no section '## [{__version__}] - <date>'" in without.stderr
