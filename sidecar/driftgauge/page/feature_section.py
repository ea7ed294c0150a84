"""The section of one feature: a sentence, its chart, its tests and the size of the change."""

from collections.abc import Iterator

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import DriftTestResult, FeatureDrift
from driftgauge.page.bin_table import bin_table
from driftgauge.page.chart import chart
from driftgauge.page.contents import Picture
from driftgauge.page.formatting import (
    TESTS,
    badge,
    distance,
    moment,
    number,
    probability,
    share,
    statistic,
    threshold,
)
from driftgauge.page.markup import Markup, clipped, joined, named, tag

_MIDDLE = 5
"""Index of the median among the eleven deciles."""


def section(picture: Picture, identifier: str) -> Markup:
    """Make a feature's section.

    Args:
        picture: The feature and its chart.
        identifier: The section's identifier, unique in the page, of letters, digits and hyphens.
    """
    feature = picture.drift
    return tag(
        "section",
        tag("header", tag("h3", named(feature.feature), id=f"{identifier}-name"), badge(feature.state, feature.change)),
        tag("p", feature.reading, class_="reading"),
        tag("div", _drawing(picture, identifier), _facts(feature), class_="columns"),
        id=identifier,
        class_="feature",
        aria_labelledby=f"{identifier}-name",
    )


def _drawing(picture: Picture, identifier: str) -> Markup:
    """The chart of a numeric feature, with its bins to unfold; of a category the bins themselves."""
    feature = picture.drift
    if picture.curve is None or picture.shape is None:
        return tag("div", bin_table(feature), class_="drawing")
    figure = chart(feature.feature, identifier, picture.shape, picture.curve)
    more = tag("details", tag("summary", "Shares in bins and deciles"), bin_table(feature), _deciles(feature))
    return tag("div", tag("figure", figure), more, class_="drawing")


def _deciles(feature: FeatureDrift) -> Markup:
    """Both samples' deciles side by side."""
    pairs = zip(feature.reference_quantiles, feature.window_quantiles, strict=False)
    lines = [
        tag("tr", tag("th", f"{10 * index} %", scope="row"), tag("td", number(old)), tag("td", number(new)))
        for index, (old, new) in enumerate(pairs)
    ]
    titles = (tag("th", title, scope="col") for title in ("at or below", "reference", "window"))
    caption = tag("caption", f"Deciles: {clipped(feature.feature)}")
    return tag("table", caption, tag("thead", tag("tr", *titles)), tag("tbody", *lines), class_="deciles")


def _facts(feature: FeatureDrift) -> Markup:
    pairs = joined(joined((tag("dt", key), tag("dd", value))) for key, value in _pairs(feature))
    return tag("div", _tests(feature), tag("dl", pairs), class_="facts")


def _tests(feature: FeatureDrift) -> Markup:
    """Every test with its threshold."""
    head = tag("tr", *(tag("th", title, scope="col") for title in ("test", "value", "threshold", "p", "alarm")))
    caption = tag("caption", f"Tests: {clipped(feature.feature)}")
    lines = (_test(test) for test in feature.tests)
    return tag("table", caption, tag("thead", head), tag("tbody", *lines), class_="tests")


def _test(test: DriftTestResult) -> Markup:
    return tag(
        "tr",
        tag("th", TESTS[test.test], scope="row"),
        tag("td", statistic(test)),
        tag("td", threshold(test)),
        tag("td", probability(test.p_value)),
        tag("td", "▲ yes" if test.drift else "no"),
        class_="alarm" if test.drift else "quiet",
    )


def _pairs(feature: FeatureDrift) -> Iterator[tuple[str, str]]:
    """The other numbers, each with its name."""
    effects = feature.effects
    rows = feature.rows + feature.missing
    if feature.window_quantiles and feature.reference_quantiles:
        old, new = feature.reference_quantiles[_MIDDLE], feature.window_quantiles[_MIDDLE]
        yield "Median", f"{number(new)} (reference {number(old)})"
    if effects.wasserstein is not None:
        yield "Wasserstein", f"{distance(effects.wasserstein)} standard deviations"
    yield "PSI", f"{distance(effects.psi)} nats"
    yield "Jensen-Shannon", distance(effects.jensen_shannon)
    yield "Values tested", f"{feature.rows:,}, worth {round(feature.effective_rows):,} independent ones"
    yield "Detectable", f"{distance(feature.detectable)}, in nine windows of ten"
    if feature.rows_to_detect is not None:
        yield "Rows to detect", f"about {feature.rows_to_detect:,}, for a shift of half a standard deviation"
    yield "Missing", f"{feature.missing:,} ({share(feature.missing / rows if rows else 0.0)})"
    outside = "Unseen categories" if feature.kind is FeatureKind.CATEGORICAL else "Outside the range"
    yield outside, f"{feature.outside:,} ({share(feature.outside / rows if rows else 0.0)})"
    if feature.since is not None:
        yield "Alarm since", moment(feature.since)
