"""The code blocks of README and documents, with the place where they stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from markdown_it import MarkdownIt

from tests.support.helm import Manifest

ROOT = Path(__file__).parents[2]
_PLACES = (
    "*.md",
    "docs/**/*.md",
    "examples/**/*.md",
    "charts/**/*.md",
    "sidecar/driftgauge/**/*.md",
)
PAGES = sorted({path for place in _PLACES for path in ROOT.glob(place)})


@dataclass(frozen=True)
class Block:
    """One block of code.

    Args:
        page: Path of the page in the project.
        line: Line of its first line in the page, from 1.
        language: What stands behind the opening fence; empty for a block that is only indented.
        text: The code.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it stands, as in a message of a compiler."""
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in their order, fenced or indented."""
    name = str(page.relative_to(ROOT))
    for token in MarkdownIt().parse(page.read_text()):
        if token.type in {"fence", "code_block"} and token.map is not None:
            first = token.map[0] + (2 if token.type == "fence" else 1)
            yield Block(name, first, token.info.strip(), token.content)


def all_blocks(language: str) -> list[Block]:
    """The blocks of all pages in a language."""
    return [block for page in PAGES for block in blocks(page) if block.language == language]


def links(page: Path) -> list[str]:
    """The targets of all links and pictures of a page."""
    inner = [child for token in MarkdownIt().enable("table").parse(page.read_text()) for child in token.children or []]
    found = [
        child.attrs.get("href") or child.attrs.get("src") for child in inner if child.type in {"link_open", "image"}
    ]
    return [unquote(str(target)) for target in found]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them; none of a page that is not Markdown."""
    if page.suffix != ".md":
        return set()
    tokens = MarkdownIt().parse(page.read_text())
    headings = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def inline_code(page: Path) -> list[str]:
    """The texts in backticks of a page."""
    inner = [child for token in MarkdownIt().enable("table").parse(page.read_text()) for child in token.children or []]
    return [child.content for child in inner if child.type == "code_inline"]


def yaml_documents(block: Block) -> list[Any]:
    """The YAML documents of a block."""
    return list(yaml.safe_load_all(block.text))


def whole_object(document: Manifest) -> Manifest:
    """An object; a fragment of an InferenceService, which starts at `spec`, gets what stands above it."""
    if set(document) == {"spec"} and "predictor" in document["spec"]:
        annotations = {"serving.kserve.io/deploymentMode": "Standard"}
        metadata = {"name": "wine", "annotations": annotations}
        head = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": metadata}
        return {**head, **document}
    return document
