"""The Python blocks of the documents run, in the order of their page, and its tables name what is there."""

import re
from pathlib import Path

import pytest

import driftgauge
from driftgauge.cli.export.export_files import content_of
from tests.support.exports import ROWS
from tests.support.markdown_blocks import ROOT, Block, all_blocks

PAGES = sorted({block.page for block in all_blocks("python")})


def run(block: Block, names: dict[str, object]) -> None:
    """Run a block with the names of those before it; a traceback has the lines of the page."""
    code = "\n" * (block.line - 1) + block.text
    exec(compile(code, block.page, "exec"), names)  # noqa: S102 - the page is in the repository


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block runs in one session, in a directory from which the examples can be read."""
    pytest.importorskip("pandas")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "labels.csv").write_text("id,row,label:grade\n")
    (tmp_path / "orders.csv").write_text("order,paid\norder-4711,1\n")
    (tmp_path / "key").write_text("secret\n")
    (tmp_path / "rows.parquet").write_bytes(content_of(tmp_path / "rows.parquet", ROWS))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}

    for block in all_blocks("python"):
        if block.page == page:
            run(block, names)


def test_there_are_blocks() -> None:
    """The page on Python has some."""
    assert "docs/python.md" in PAGES


def test_the_members_of_a_report_are_its_own() -> None:
    """Each row of the table of `Report` names members that a report has itself."""
    section = (ROOT / "docs" / "python.md").read_text().partition("## `Report`")[2].partition("\n## ")[0]
    cells = "".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))
    members = {name for name in re.findall(r"`([\w.]+)", cells) if name != "repr"}

    assert {"state", "to_html", "save"} <= members
    assert [] == sorted(members - {*dir(driftgauge.Report), *driftgauge.Report.__annotations__})
