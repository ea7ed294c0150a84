"""The table of all features of a report, the one that is farthest above its threshold first."""

from itertools import chain

from driftgauge.drift.result import DriftTest, DriftTestResult, FeatureDrift, Untested, VerdictState
from driftgauge.drift.severity import severity
from driftgauge.page.contents import TABLE_FEATURES, Part
from driftgauge.page.formatting import badge, count, distance, probability, reason, share, statistic, times, verdict
from driftgauge.page.markup import Markup, joined, named, tag
from driftgauge.page.sketch import sketch

_COLUMNS = (
    ("feature", "", ""),
    ("verdict", "", ""),
    ("distribution", "picture", "the reference as an area, the window as a line"),
    ("times threshold", "", "the largest of distance and share of missing values, in units of its threshold"),
    ("D", "spare", "distance of the window from the reference, 0 to 1"),
    ("", "spare picture", ""),
    ("threshold", "spare", "the smallest D that alarms"),
    ("evidence", "spare", "what the detector has collected, as a power of ten of seconds"),
    ("p", "spare", "probability of such a D if nothing had changed and rows were independent"),
    ("PSI", "spare", "population stability index, nats"),
    ("missing", "spare", "share of the rows without a value"),
)
"""Each column's title, its class, and what it is. A column without a title repeats its neighbours as a picture."""

_NOUNS = {"Predictions": "prediction"}
"""What a line of a part is, if it is no feature."""


def feature_table(part: Part, links: dict[str, str]) -> Markup:
    """Make the table of a part; nothing without features.

    Args:
        part: A report with its features in order.
        links: The identifier of each feature's section, by its name; not every feature has one.

    Notes:
        Those without results follow the others without a verdict. A script makes the columns sortable.
    """
    if not part.features:
        return Markup()
    evidence = any(test.test is DriftTest.SEQUENTIAL for feature in part.features for test in feature.tests)
    shown = {feature.feature for feature in part.report.features}
    without_results = [one for one in part.report.untested if one.feature not in shown]
    urgent = [one for one in part.features if one.state is not VerdictState.OK]
    lines = chain(
        (_line(one, part, links, evidence=evidence) for one in urgent),
        (_line_without_results(one) for one in without_results[:TABLE_FEATURES]),
        (_line(one, part, links, evidence=evidence) for one in part.features[len(urgent) :]),
    )
    head = (
        _title(title if place else _NOUNS.get(part.heading, title), kind, meaning)
        for place, (title, kind, meaning) in enumerate(_COLUMNS)
        if title != ("p" if evidence else "evidence")
    )
    caption = tag("caption", "All features, the one that moved most first")
    table = tag("table", caption, tag("thead", tag("tr", *head)), tag("tbody", *lines), class_="overview features")
    return joined((table, _left_out(len(part.report.features) - len(part.features))))


def _title(title: str, kind: str, meaning: str) -> Markup:
    more = {name: text for name, text in (("class_", kind), ("title", meaning)) if text}
    return tag("th", title, scope="col", **more) if title else tag("td", aria_hidden="true", **more)


def _left_out(features: int) -> Markup:
    """How many features the table leaves out."""
    if not features:
        return Markup()
    return tag("p", f"{count(features, 'feature')} that moved less are left out here; the JSON report has all.")


def _line(feature: FeatureDrift, part: Part, links: dict[str, str], *, evidence: bool) -> Markup:
    name, test = named(feature.feature), feature.distance
    link, shape = links.get(feature.feature), part.sketches.get(feature.feature)
    return tag(
        "tr",
        tag("th", tag("a", name, href=f"#{link}") if link else name, scope="row"),
        tag("td", verdict(feature)),
        tag("td", Markup() if shape is None else sketch(shape), class_="picture"),
        tag("td", times(severity(feature))),
        _number(distance(test.statistic), alarm=test.drift),
        tag("td", _meter(test.statistic, test.threshold), class_="spare picture", aria_hidden="true"),
        _number(distance(test.threshold)),
        _evidence(feature) if evidence else _number(probability(test.p_value)),
        _number(distance(feature.effects.psi)),
        _missing(feature),
    )


def _line_without_results(untested: Untested) -> Markup:
    state = joined((badge(VerdictState.CANNOT_TELL), " ", reason(untested.reason)))
    return tag(
        "tr",
        tag("th", named(untested.feature), scope="row"),
        tag("td", state),
        tag("td", class_="picture"),
        tag("td"),
        *(tag("td", class_="spare") for _ in range(6)),
    )


def _number(text: str, *, alarm: bool = False) -> Markup:
    return tag("td", text, class_="spare alarm" if alarm else "spare")


def _evidence(feature: FeatureDrift) -> Markup:
    test = _test(feature, DriftTest.SEQUENTIAL)
    return _number("") if test is None else _number(statistic(test), alarm=test.drift)


def _missing(feature: FeatureDrift) -> Markup:
    test, rows = _test(feature, DriftTest.MISSING), feature.rows + feature.missing
    return _number(share(feature.missing / rows if rows else 0.0), alarm=test is not None and test.drift)


def _test(feature: FeatureDrift, test: DriftTest) -> DriftTestResult | None:
    return next((one for one in feature.tests if one.test is test), None)


def _meter(statistic: float, threshold: float) -> Markup:
    """A distance as a bar from 0 to 1, with a mark at the threshold."""
    mark = tag("u", style=f"left:{100 * threshold:.1f}%") if threshold <= 1 else Markup()
    return tag("div", tag("i", class_="window", style=f"width:{100 * statistic:.1f}%"), mark, class_="meter")
