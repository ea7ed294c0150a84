"""Until driftgauge is published, no text sends anyone to a package index for it."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FROM_AN_INDEX = re.compile(
    r"""(?: (?:pip3?|pipx|uv\ tool)\ install(?:\ -{1,2}\S+)* | uvx | uv\ tool\ run | (?:uv|poetry|pdm)\ add )
        \ ['"]?driftgauge(?![\w./-])
      | \bdriftgauge\[(?:parquet|\.\.\.)\]""",
    re.VERBOSE,
)
"""A command that installs driftgauge by its name, or its name with an extra."""


def texts() -> Iterator[tuple[Path, str]]:
    """Every text of the repository but this one, with its path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in listed:
        path = ROOT / name
        if path.is_file() and path != Path(__file__):
            try:
                yield path, path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


@pytest.mark.parametrize(
    "text",
    [
        "pip install driftgauge",
        "pip install 'driftgauge[parquet]'",
        "python -m pip install --upgrade driftgauge",
        "%pip install -q driftgauge==0.1.0",
        "uv add driftgauge",
        "uvx driftgauge check",
        "install driftgauge[parquet]",
    ],
)
def test_a_command_that_needs_an_index_is_found(text: str) -> None:
    """By any installer, with options, quotes, versions and extras."""
    assert FROM_AN_INDEX.search(text)


@pytest.mark.parametrize(
    "text", ["pip install .", "pip install dist/driftgauge-0.1.0-py3-none-any.whl", "pip install ./driftgauge"]
)
def test_a_command_that_needs_none_is_not(text: str) -> None:
    """A checkout and a wheel are no names."""
    assert not FROM_AN_INDEX.search(text)


def test_no_text_installs_driftgauge_from_an_index() -> None:
    """Code, messages, documents, notebooks and examples alike."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}" for path, text in texts() for match in FROM_AN_INDEX.finditer(text)
    ]

    assert [] == found


def test_the_messages_ask_for_the_pyarrow_of_the_extra() -> None:
    """What a message says to install is what `pyproject.toml` calls enough for Parquet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        match[1]
        for path, text in texts()
        if path.is_relative_to(ROOT / "sidecar")
        for match in re.finditer(r"pip install '(pyarrow[^']*)'", text)
    }

    assert set(project["optional-dependencies"]["parquet"]) == named
