"""A whole page: the verdict, a table of all features, and the most severe ones in full.

The page loads nothing from the network, and has no script.
"""

from collections.abc import Iterator, Sequence
from importlib import resources

from driftgauge.drift.result import DriftReport, FeatureDrift, Untested, VerdictState
from driftgauge.drift.rows_to_detect import sensitivity
from driftgauge.drift.severity import most_drifted
from driftgauge.drift.untested import by_explanation
from driftgauge.page.contents import Page, Part, first_alarms
from driftgauge.page.feature_section import section
from driftgauge.page.formatting import badge, count, distance, moment, probability, reason, share, summary, verdict
from driftgauge.page.markup import Markup, joined, named, tag

_LISTED = 100
"""Names that a list shows."""

_FIRST_ALARMS = 5
"""Features that are listed by the time of their alarm."""

_STYLE = Markup(resources.files("driftgauge.page").joinpath("style.css").read_text("utf-8"))
_HEAD = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)


def render(page: Page) -> str:
    """Render a page as HTML.

    Args:
        page: Its contents.

    Returns:
        One self-contained document, which UTF-8 can encode.
    """
    parts = [_part(part, f"p{index}") for index, part in enumerate(page.parts)]
    parts = parts or [tag("p", "Nothing has been evaluated yet.", class_="summary cannot_tell")]
    way = tag("nav", tag("a", "← all models", href=page.up)) if page.up else Markup()
    return document(page.title, way, tag("h1", named(page.title)), *parts)


def document(title: str, *content: str) -> str:
    """The frame of every page.

    Args:
        title: The title of the browser's tab.
        content: The content of the page.
    """
    head = tag("head", _HEAD, tag("title", f"{title} - driftgauge"), tag("style", _STYLE))
    body = tag("body", tag("main", *content), tag("footer", "driftgauge"))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _part(part: Part, identifier: str) -> Markup:
    heading = tag("h2", part.heading) if part.heading else Markup()
    links = {picture.drift.feature: f"{identifier}-{index}" for index, picture in enumerate(part.pictures)}
    sections = (section(picture, links[picture.drift.feature]) for picture in part.pictures)
    return tag("article", heading, _summary(part), _table(part, links), _legend(part), *sections)


def _summary(part: Part) -> Markup:
    """The verdict, and what was compared."""
    pairs = (joined((tag("dt", key), tag("dd", value))) for key, value in _facts(part))
    notes = tag("ul", *(tag("li", note) for note in part.facts.notes), class_="notes") if part.facts.notes else Markup()
    report = part.report
    lead = tag("p", summary(report))
    reading = tag("p", tag("strong", report.reading))
    return tag("div", lead, reading, tag("dl", *pairs), _first_alarms(report), notes, class_=f"summary {report.state}")


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
    known = [one.rows_to_detect for one in report.features if one.rows_to_detect is not None]
    if known:
        yield "Sensitivity", sensitivity(known, report.rows_per_second)
    if report.untested:
        yield "Cannot tell", _untested(report.untested)
    if report.ignored:
        yield "Left out", _listed(report.ignored)


def _untested(untested: Sequence[Untested]) -> Markup:
    """The features without a verdict, and why."""
    groups = list(by_explanation(untested).items())
    lines = [tag("div", f"{explanation}: ", _listed(names)) for explanation, names in groups[:_LISTED]]
    more = len(groups) - _LISTED
    return joined((*lines, tag("div", f"and {more:,} more reasons") if more > 0 else Markup()))


def _listed(names: Sequence[str]) -> Markup:
    shown = [joined((", " if index else "", named(name))) for index, name in enumerate(names[:_LISTED])]
    return joined((*shown, f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""))


def _first_alarms(report: DriftReport) -> Markup:
    """Which features moved first: often the first one has a fault, and the others follow from it."""
    features = first_alarms(report)[:_FIRST_ALARMS]
    if not features:
        return Markup()
    lines = (tag("li", named(one.feature), f" {moment(one.since or 0.0)}") for one in features)
    return joined((tag("p", "Moved first:", class_="movers"), tag("ol", *lines)))


def _legend(part: Part) -> Markup:
    if not part.pictures:
        return Markup()
    samples = [joined((tag("i", class_=f"sample {side}"), f" {side} ")) for side in ("reference", "window")]
    hidden = len(part.report.features) - len(part.pictures)
    more = f" The {count(len(part.pictures), 'feature')} that moved most are shown in full." if hidden else ""
    return tag("p", *samples, more, class_="legend")


def _table(part: Part, links: dict[str, str]) -> Markup:
    """Every feature with results, the most severe first, then those without."""
    if not part.report.features:
        return Markup()
    titles = ("feature", "verdict", "distance", "", "threshold", "p", "PSI", "missing")
    head = tag("tr", *(tag("th", title, scope="col") if title else _drawn(Markup()) for title in titles))
    lines = [_line(feature, links.get(feature.feature)) for feature in most_drifted(part.report.features)]
    shown = {feature.feature for feature in part.report.features}
    lines += [_line_without_results(one) for one in part.report.untested if one.feature not in shown]
    caption = tag("caption", "All features, the one that moved most first")
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


def _line_without_results(untested: Untested) -> Markup:
    state = joined((badge(VerdictState.CANNOT_TELL), " ", reason(untested.reason)))
    return tag(
        "tr",
        tag("th", named(untested.feature), scope="row"),
        tag("td", state),
        tag("td"),
        _drawn(Markup()),
        tag("td"),
        *(tag("td", class_="spare") for _ in range(3)),
    )


def _drawn(content: Markup) -> Markup:
    """A cell that repeats its neighbours as a picture; screen readers skip it."""
    return tag("td", content, class_="meter", aria_hidden="true")


def _meter(statistic: float, threshold: float) -> Markup:
    """A distance as a bar from 0 to 1, with a mark at the threshold."""
    mark = tag("u", style=f"left:{100 * threshold:.1f}%") if threshold <= 1 else Markup()
    return tag("div", tag("i", class_="window", style=f"width:{100 * statistic:.1f}%"), mark)
