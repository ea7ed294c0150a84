"""A whole page: what was found, all features in a table, and those that moved most in full.

This room is pure: values -> text. The page asks the network for nothing, and runs nothing.
"""

from collections.abc import Iterator, Sequence

from driftgauge.drift.result import FeatureDrift
from driftgauge.page.contents import Page, Part, by_movement, first_movers
from driftgauge.page.feature_section import section
from driftgauge.page.formatting import badge, count, distance, moment, probability, share, verdict
from driftgauge.page.markup import Markup, joined, named, tag
from driftgauge.page.style import STYLE

_LISTED = 100
"""How many names a list shows."""

_MOVERS = 5
"""How many of the features that moved first are named."""

_HEAD = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)


def render(page: Page) -> str:
    """A page as HTML text.

    Args:
        page: What it shows.

    Returns:
        One self-contained document; UTF-8 can hold every letter of it.
    """
    parts = [_part(part, f"p{index}") for index, part in enumerate(page.parts)]
    parts = parts or [tag("p", "Nothing has been evaluated yet.", class_="summary unknown")]
    way = tag("nav", tag("a", "← all models", href=page.up)) if page.up else Markup()
    return document(page.title, way, tag("h1", named(page.title)), *parts)


def document(title: str, *content: str) -> str:
    """The frame that all pages share.

    Args:
        title: Of the browser's tab.
        content: The page's body.
    """
    head = tag("head", _HEAD, tag("title", f"{title} - driftgauge"), tag("style", STYLE))
    body = tag("body", tag("main", *content), tag("footer", "driftgauge"))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _part(part: Part, identifier: str) -> Markup:
    heading = tag("h2", part.heading) if part.heading else Markup()
    links = {picture.drift.feature: f"{identifier}-{index}" for index, picture in enumerate(part.pictures)}
    sections = (section(picture, links[picture.drift.feature]) for picture in part.pictures)
    return tag("article", heading, _summary(part), _table(part, links), _legend(part), *sections)


def _summary(part: Part) -> Markup:
    """The verdict, and what it rests on."""
    pairs = (joined((tag("dt", key), tag("dd", value))) for key, value in _facts(part))
    notes = tag("ul", *(tag("li", note) for note in part.facts.notes), class_="notes") if part.facts.notes else Markup()
    kind = {True: "drift", False: "ok", None: "unknown"}[part.report.drift]
    lead = tag("p", badge(part.report.drift), " ", tag("strong", part.report.reading))
    return tag("div", lead, tag("dl", *pairs), _movers(part.report.features, part), notes, class_=f"summary {kind}")


def _facts(part: Part) -> Iterator[tuple[str, str]]:
    facts, report = part.facts, part.report
    yield "Window", joined((named(facts.window), f", {count(report.rows, 'row')}"))
    rows = f", {count(facts.reference_rows, 'row')}" if facts.reference_rows else ""
    if facts.reference:
        yield "Reference", joined((named(facts.reference), rows))
    if facts.digest:
        yield "Reference hash", tag("code", facts.digest)
    if facts.rule:
        yield "Rule", facts.rule
    if facts.time is not None:
        yield "Tested", moment(facts.time)
    if report.untested:
        yield "Too few values", _listed(report.untested)
    if report.ignored:
        yield "Left out", _listed(report.ignored)


def _listed(names: Sequence[str]) -> Markup:
    shown = [joined((", " if index else "", named(name))) for index, name in enumerate(names[:_LISTED])]
    return joined((*shown, f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""))


def _movers(features: Sequence[FeatureDrift], part: Part) -> Markup:
    """Which features moved first: often the one that broke, of which the others are a consequence."""
    movers = first_movers(part.report)
    if not features or not movers:
        return Markup()
    lines = (tag("li", named(one.feature), f" {moment(one.since or 0.0)}") for one in movers[:_MOVERS])
    return joined((tag("p", "Moved first:", class_="movers"), tag("ol", *lines)))


def _legend(part: Part) -> Markup:
    if not part.pictures:
        return Markup()
    samples = [joined((tag("i", class_=f"sample {side}"), f" {side} ")) for side in ("reference", "window")]
    hidden = len(part.report.features) - len(part.pictures)
    more = f" The {count(len(part.pictures), 'feature')} that moved most are shown in full." if hidden else ""
    return tag("p", *samples, more, class_="legend")


def _table(part: Part, links: dict[str, str]) -> Markup:
    """Every tested feature, the one that moved most first."""
    if not part.report.features:
        return Markup()
    titles = ("feature", "verdict", "distance", "", "bar", "p", "PSI", "missing")
    head = tag("tr", *(tag("th", title, scope="col") if title else _drawn(Markup()) for title in titles))
    lines = (_line(feature, links.get(feature.feature)) for feature in by_movement(part.report))
    caption = tag("caption", "All tested features, the one that moved most first")
    return tag("table", caption, tag("thead", head), tag("tbody", *lines), class_="overview")


def _line(feature: FeatureDrift, link: str | None) -> Markup:
    name, test = named(feature.feature), feature.distance
    rows = feature.rows + feature.missing
    return tag(
        "tr",
        tag("th", tag("a", name, href=f"#{link}") if link else name, scope="row"),
        tag("td", verdict(feature)),
        tag("td", distance(test.statistic)),
        _drawn(_meter(test.statistic, test.threshold)),
        tag("td", distance(test.threshold)),
        tag("td", probability(test.p_value), class_="spare"),
        tag("td", distance(feature.effects.psi), class_="spare"),
        tag("td", share(feature.missing / rows if rows else 0.0), class_="spare"),
    )


def _drawn(content: Markup) -> Markup:
    """A cell that repeats for the eye what its neighbours say."""
    return tag("td", content, class_="meter", aria_hidden="true")


def _meter(statistic: float, threshold: float) -> Markup:
    """A distance as a bar from 0 to 1, with a mark where it would alarm."""
    mark = tag("u", style=f"left:{100 * threshold:.1f}%") if threshold <= 1 else Markup()
    return tag("div", tag("i", class_="window", style=f"width:{100 * statistic:.1f}%"), mark)
