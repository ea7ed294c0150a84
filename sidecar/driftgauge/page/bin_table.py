"""A feature's bins as a table with bars: the reference's share of each bin beside the window's."""

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import Bin, FeatureDrift
from driftgauge.page.formatting import number, share
from driftgauge.page.markup import Markup, clipped, joined, named, plain, tag

LONGEST_CATEGORY = 60
"""Characters of a category's text that are shown: a histogram has up to twenty categories."""

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
"""What a bin is called that is no value of the feature, by the feature's kind."""


def bin_table(feature: FeatureDrift) -> Markup:
    """Draw every bin of a feature's histogram.

    Returns:
        A table of bins: name, two bars (the reference's above the window's), both shares in per cent.
    """
    greatest = max((max(one.reference, one.window) for one in feature.histogram), default=0.0) or 1.0
    lines = [_line(one, _name(one, feature.kind), greatest) for one in feature.histogram]
    titles = ("value", "", "reference", "window")
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") if title else _blank() for title in titles)))
    caption = tag("caption", f"Share of the rows in each bin, missing values included: {clipped(feature.feature)}")
    return tag("table", caption, head, tag("tbody", *lines), class_="bars")


def _blank() -> Markup:
    """The head of the bars' column, which screen readers skip: the bars repeat the numbers."""
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
    """What a bin contains."""
    known = NAMES.get(kind, {}).get(one.label)
    if known is not None:
        return tag("em", known)
    if one.upper is not None and float(one.label) != one.upper:  # a decile's label is its number, not a value
        return plain(f"up to {number(one.upper)}")
    return named(one.label, LONGEST_CATEGORY)
