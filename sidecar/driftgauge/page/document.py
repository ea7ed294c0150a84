"""The page of a model, or of two files: the verdict, a table of all features, and the most severe ones in full.

The page loads nothing but itself. All of it can be read without its script, which sorts and filters tables.
"""

from driftgauge.page.contents import Page, Part
from driftgauge.page.feature_section import section
from driftgauge.page.feature_table import feature_table
from driftgauge.page.formatting import count
from driftgauge.page.frame import document
from driftgauge.page.markup import Markup, joined, named, tag
from driftgauge.page.summary import summary_box

_SIDES = ("reference", "window")


def render(page: Page) -> str:
    """Render a page as HTML.

    Args:
        page: Its contents.

    Returns:
        One self-contained document, which UTF-8 can encode.
    """
    live = page.refresh_seconds is not None
    boxes = [
        summary_box(part, page.parts[place - 1] if place else None, live=live) for place, part in enumerate(page.parts)
    ]
    boxes = boxes or [tag("p", "Nothing has been evaluated yet.", class_="summary cannot_tell")]
    links = [
        {picture.drift.feature: f"p{place}-{index}" for index, picture in enumerate(part.pictures)}
        for place, part in enumerate(page.parts)
    ]
    parts = list(zip(page.parts, links, strict=True))
    return document(
        page.title,
        _way(page),
        tag("h1", named(page.title)),
        tag("div", *boxes, page.beside, class_="boxes"),
        tag("div", _legend(page), class_="tools"),
        *(_table(part, identifiers) for part, identifiers in parts),
        page.below,
        *(_sections(part, identifiers) for part, identifiers in parts),
        root="" if live else None,
        refresh_seconds=page.refresh_seconds,
    )


def _way(page: Page) -> Markup:
    """The links to the list of models, and to the other revisions of the model."""
    links = [tag("a", "← all models", href=page.up)] if page.up else []
    if page.others:
        named_links = [joined((" ", tag("a", named(name), href=link))) for name, link in page.others]
        links.append(tag("span", " Other revisions:", *named_links))
    return tag("nav", *links) if links else Markup()


def _table(part: Part, links: dict[str, str]) -> Markup:
    """The table of a part, below its heading."""
    table = feature_table(part, links)
    return joined((tag("h2", part.heading), table)) if part.heading and table else table


def _sections(part: Part, links: dict[str, str]) -> Markup:
    """The features of a part that are shown in full, below a heading."""
    if not part.pictures:
        return Markup()
    heading = tag("h2", f"{part.heading} one by one") if part.heading else Markup()
    sections = (section(picture, links[picture.drift.feature]) for picture in part.pictures)
    return tag("article", heading, _shown(part), *sections)


def _legend(page: Page) -> Markup:
    """What the two colours are, where there are pictures."""
    if not any(part.pictures for part in page.parts):
        return Markup()
    return tag("p", *(joined((tag("i", class_=f"sample {side}"), f" {side} ")) for side in _SIDES), class_="legend")


def _shown(part: Part) -> Markup:
    """How many features are shown in full, if not all are."""
    if len(part.report.features) == len(part.pictures):
        return Markup()
    return tag("p", f"The {count(len(part.pictures), 'feature')} that moved most are shown in full.", class_="quiet")
