"""A feature's bins as a table with bars: every share of the reference beside the window's.

This room is pure: values -> markup.
"""

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import Bin, FeatureDrift
from driftgauge.page.formatting import number, share
from driftgauge.page.markup import Markup, clipped, joined, named, plain, tag

LONGEST_CATEGORY = 60
"""Characters of a category that are shown: there are twenty of them."""

NAMES = {
    FeatureKind.NUMERIC: {
        "below": "below all of the reference",
        "above": "above all of the reference",
        "missing": "missing",
    },
    FeatureKind.CATEGORICAL: {
        "rare": "rare ones together",
        "unseen": "unseen: not in the reference",
        "missing": "missing",
    },
}
"""Bins that are no values of the feature, by its kind."""


def bars(feature: FeatureDrift) -> Markup:
    """Every bin of a feature's histogram.

    Returns:
        A table: a bin's name, two bars (the reference's above the window's), both shares in numbers.
    """
    greatest = max((max(one.reference, one.window) for one in feature.histogram), default=0.0) or 1.0
    lines = [_line(one, _name(one, feature.kind), greatest) for one in feature.histogram]
    titles = ("value", "", "reference", "window")
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") if title else _blank() for title in titles)))
    caption = tag("caption", f"Share of the rows in each bin, missing values included: {clipped(feature.feature)}")
    return tag("table", caption, head, tag("tbody", *lines), class_="bars")


def _blank() -> Markup:
    """Above the bars, which say to the eye what the numbers say to everyone."""
    return tag("td", aria_hidden="true")


def _line(one: Bin, name: Markup, greatest: float) -> Markup:
    drawn = joined(
        tag("i", class_=side if value else "nothing", style=f"width:{100 * value / greatest:.1f}%")
        for side, value in (("reference", one.reference), ("window", one.window))
    )
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", drawn, class_="drawn", aria_hidden="true"),
        tag("td", share(one.reference)),
        tag("td", share(one.window)),
    )


def _name(one: Bin, kind: FeatureKind) -> Markup:
    """What lies in a bin."""
    known = NAMES.get(kind, {}).get(one.label)
    if known is not None:
        return tag("em", known)
    if one.upper is not None and float(one.label) != one.upper:  # a decile goes by its number
        return plain(f"up to {number(one.upper)}")
    return named(one.label, LONGEST_CATEGORY)
