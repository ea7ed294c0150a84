"""A runbook as a page: Markdown in, HTML in the style of the other pages out."""

import itertools
import re
from typing import TYPE_CHECKING

from driftgauge.page.frame import document
from driftgauge.page.markup import Markup, tag

if TYPE_CHECKING:
    from markdown_it.token import Token

INDEX = "index"
"""The runbook that links to all others."""

_RUNBOOK_LINK = re.compile(r"(?P<name>[a-z-]+)\.md(?P<section>#.*)?")
_PROJECT_LINK = re.compile(r"(?:\.\./)+(?P<path>[^#]+)(?:#.*)?")


def render_runbook(name: str, markdown: str) -> str:
    """Render a runbook as HTML.

    Args:
        name: Its name, which is its file's without `.md`.
        markdown: Its text: CommonMark and tables. Raw HTML is shown as text.

    Returns:
        One document. Headings have the identifiers that GitHub gives them. A link to another runbook leads to its page.
        A link to another document of the project becomes text with the path, since no page of it is served.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415 most processes never show a runbook

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    _name_headings(tokens)
    for token in tokens:
        token.children = _with_served_links(token.children or [])
    content = Markup(parser.renderer.render(tokens, parser.options, {}))
    way = Markup() if name == INDEX else tag("nav", tag("a", "← all runbooks", href="./"))
    title = next((token.content for token in tokens if token.type == "inline"), name)
    return document(title.replace("`", ""), way, tag("article", content, class_="prose"), root="../")


def heading_id(text: str) -> str:
    """The identifier of a heading, as GitHub derives it from the text."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def _name_headings(tokens: "list[Token]") -> None:
    """Give each heading its identifier."""
    for token, content in itertools.pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", heading_id(content.content))


def _with_served_links(tokens: "list[Token]") -> "list[Token]":
    """The tokens of a line, with links that lead to something that the admin port serves, or with text instead."""
    found: list[Token] = []
    path = ""  # of the document that the text is about to name, between the two ends of a link
    text = ""
    for token in tokens:
        if token.type == "link_open":
            path, text = _path_in_project(str(token.attrGet("href"))), ""
            token.attrSet("href", _served(str(token.attrGet("href"))))
        text += token.content
        if not path or token.type not in {"link_open", "link_close"}:
            found.append(token)
        if path and token.type == "link_close":
            found += [] if path.endswith(text) else [_text(token, f" ({path})")]
            path = ""
    return found


def _text(like: "Token", content: str) -> "Token":
    """A token of text, at the level of another token."""
    return type(like)("text", "", 0, content=content, level=like.level)


def _path_in_project(address: str) -> str:
    """The path of a document of the project that is no runbook; empty for all other links."""
    found = _PROJECT_LINK.fullmatch(address)
    return "" if found is None else found["path"]


def _served(address: str) -> str:
    """The address of a runbook's page, relative to the page of another one; other addresses are not changed."""
    found = _RUNBOOK_LINK.fullmatch(address)
    if found is None:
        return address
    return f"./{'' if found['name'] == INDEX else found['name']}{found['section'] or ''}"
