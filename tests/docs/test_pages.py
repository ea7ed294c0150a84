"""Every page of the project: links lead somewhere, blocks say their language, queries are PromQL on our metrics."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.markdown_blocks import PAGES, ROOT, Block, all_blocks, anchors, blocks, links
from tests.support.parts import program

QUERIES = all_blocks("promql")
LANGUAGES = {"json", "promql", "python", "sh", "text", "yaml"}
every_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """The file is there, and so is the heading; links to other sites are encrypted."""
    for target in links(page):
        file, _, anchor = target.partition("#")
        if ":" in file:
            assert file.startswith(("https://", "http://localhost", "http://127.0.0.1", "mailto:")), target
            continue
        other = (page.parent / file).resolve() if file else page

        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@every_page
def test_every_block_says_its_language(page: Path) -> None:
    """Fenced with a language that a test knows, because the tests of commands and YAML find blocks by it."""
    assert [] == [str(block) for block in blocks(page) if block.language not in LANGUAGES]


@pytest.mark.parametrize("block", QUERIES, ids=map(str, QUERIES))
def test_every_query_is_one(block: Block, tmp_path: Path) -> None:
    """The query is parsed by promtool, and each metric in it is in the table of docs/metrics.md."""
    table = (ROOT / "docs" / "metrics.md").read_text()
    known = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "page", "rules": [{"alert": "A", "expr": block.text}]}]}))
    argv = [program("promtool"), "check", "rules", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    named = re.findall(r"\b(?:driftgauge|request)_\w+", block.text)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert {re.sub(r"_(bucket|sum)$", "", name) for name in named} <= known | {"request"}
