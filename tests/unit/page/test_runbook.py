"""A runbook as a page."""

import re

import pytest

from driftgauge.page.runbook import heading_id, render_runbook


def content(markdown: str) -> str:
    """What a runbook's text becomes, without the frame of the page."""
    text = render_runbook("drift", markdown)
    return text[text.index('class="prose">') + len('class="prose">') : text.index("</article>")].strip()


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("What to do", "what-to-do"),
        ("With `decision: p-value`", "with-decision-p-value"),
        ("DriftgaugeModelDrift", "driftgaugemodeldrift"),
        ("A scale_break, 2 units", "a-scale_break-2-units"),
    ],
)
def test_a_heading_has_the_identifier_that_github_gives_it(text: str, identifier: str) -> None:
    """Links work in the project and on the page."""
    assert identifier == heading_id(text)


def test_a_link_to_a_runbook_leads_to_its_page() -> None:
    """Sections are kept; the index is the folder."""
    links = "[a](sidecar.md) [b](cannot-tell.md#do) [c](index.md#retrain) [d](#here) [e](https://example.org/x.md)"

    assert ["./sidecar", "./cannot-tell#do", "./#retrain", "#here", "https://example.org/x.md"] == re.findall(
        r'href="(.*?)"', content(links)
    )


def test_a_link_to_another_document_becomes_its_path() -> None:
    """The page must not lead to what is not served."""
    text = "See [the *times*](../../docs/references.md#times) and [docs/statistics.md](../../docs/statistics.md)."

    assert "<p>See the <em>times</em> (docs/references.md) and docs/statistics.md.</p>" == content(text)


def test_html_is_shown_as_text() -> None:
    """Markdown brings no element of its own."""
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" == content("<script>alert(1)</script>")


def test_the_title_is_the_first_heading() -> None:
    """A tab of the browser shows it."""
    assert "<title>Drift of data - driftgauge</title>" in render_runbook("drift", "# Drift of `data`\n\nText.\n")


def test_tables_and_code_are_rendered() -> None:
    """Runbooks have both."""
    text = content("| a |\n|---|\n| `b` |\n\n    code <here>\n")

    assert "<td><code>b</code></td>" in text
    assert "<pre><code>code &lt;here&gt;\n</code></pre>" in text
