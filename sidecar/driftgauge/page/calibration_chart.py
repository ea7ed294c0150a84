"""The chart of calibration: how often predictions of each bin are right, in the reference and now, with a tolerance."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from driftgauge.drift.outcomes.outcome_report import CalibrationBin
from driftgauge.page.formatting import number, share, ticks
from driftgauge.page.markup import Markup, clipped, tag

# The drawing's size and its panel, in units of about a pixel.
WIDTH, HEIGHT = 420, 250
LEFT, RIGHT = 50.0, 410.0
TOP, BASE = 20.0, 204.0

_CHARACTER_WIDTH = 6.6
"""Width of a character of a label, roughly."""

_GAP = 0.12
"""Share of a bin's width that stays free on each side."""

_MARGIN = 0.06
"""Share of the range of values that stays free above and below."""

_DOT = 3.6
"""Radius of a mark."""


def calibration_chart(name: str, identifier: str, bins: Sequence[CalibrationBin]) -> Markup:
    """Draw the bins of one output side by side.

    Args:
        name: The output's name.
        identifier: The section's identifier, unique in the page.
        bins: At least one; those of one class are together.

    Returns:
        An SVG element with a title and a description for screen readers. A mark outside the band is filled, one inside
        it is hollow, so that they differ without colour as well.
    """
    of_classes = bool(bins[0].class_text)
    low, high = _limits(bins, of_classes=of_classes)
    title, text = f"{identifier}-title", f"{identifier}-text"
    return tag(
        "svg",
        tag("title", f"Calibration of {clipped(name)}", id=title),
        tag("desc", _description(bins, of_classes=of_classes), id=text),
        _axis(low, high, of_classes=of_classes),
        _drawn_bins(bins, low, high),
        _names(bins),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{title} {text}",
    )


def is_outside(one: CalibrationBin) -> bool:
    """Whether the window's value of a bin is outside the band."""
    return one.window is not None and not one.tolerated_lower <= one.window <= one.tolerated_upper


def _description(bins: Sequence[CalibrationBin], *, of_classes: bool) -> str:
    outside = [one for one in bins if is_outside(one)]
    what = "share of right predictions" if of_classes else "mean error"
    if not outside:
        return f"The {what} of each of {len(bins)} bins lies within the band of tolerance, or its bin has no rows."
    worst = max(outside, key=lambda one: abs((one.window or 0.0) - one.reference))
    shown = share if of_classes else number
    return (
        f"The {what} of {len(outside)} of {len(bins)} bins lies outside the band of tolerance; farthest that of "
        f"{clipped(worst.label)}: {shown(worst.window or 0.0)} now, {shown(worst.reference)} in the reference."
    )


def _limits(bins: Sequence[CalibrationBin], *, of_classes: bool) -> tuple[float, float]:
    """The range of the vertical axis: all values and bands, of shares within [0, 1]."""
    values = [value for one in bins for value in (one.reference, one.tolerated_lower, one.tolerated_upper)]
    values += [one.window for one in bins if one.window is not None]
    low, high = min(values), max(values)
    margin = _MARGIN * (high - low) or 0.5
    low, high = low - margin, high + margin
    return (max(low, 0.0), min(high, 1.0)) if of_classes else (low, high)


def _height(low: float, high: float) -> Callable[[float], float]:
    def scaled(value: float) -> float:
        return BASE + (TOP - BASE) * (min(max(value, low), high) - low) / (high - low)

    return scaled


def _axis(low: float, high: float, *, of_classes: bool) -> Markup:
    """The grid lines, with their values, and what the vertical axis shows."""
    y = _height(low, high)
    lines = []
    for value, text in ticks(low, high):
        lines.append(_line(LEFT, y(value), RIGHT, y(value), "grid"))
        shown = f"{100 * value:.0f} %" if of_classes and high - low > 0.1 else text  # noqa: PLR2004 whole per cents differ
        lines.append(_text(LEFT - 5, y(value) + 4, shown, "tick end"))
    caption = "share of right predictions" if of_classes else "mean error (prediction - label)"
    return tag("g", _text(LEFT, 11, caption, "caption"), *lines, aria_hidden="true")


def _drawn_bins(bins: Sequence[CalibrationBin], low: float, high: float) -> Markup:
    """Of each bin the band of tolerance, the reference as a dashed line, and the window as a mark."""
    y, width = _height(low, high), (RIGHT - LEFT) / len(bins)
    parts: list[Markup] = []
    for place, one in enumerate(bins):
        left, right = LEFT + width * (place + _GAP), LEFT + width * (place + 1 - _GAP)
        top, base = y(one.tolerated_upper), y(one.tolerated_lower)
        parts.append(_rectangle(left, top, right - left, max(base - top, 0.5)))
        parts.append(_line(left, y(one.reference), right, y(one.reference), "reference line"))
    parts.append(_curve(bins, y, width))
    for place, one in enumerate(bins):
        if one.window is not None:
            kind = "mark outside" if is_outside(one) else "mark"
            x, radius = LEFT + width * (place + 0.5), min(_DOT, max(1.2, width / 2.5))
            parts.append(tag("circle", cx=f"{x:.1f}", cy=f"{y(one.window):.1f}", r=f"{radius:.1f}", class_=kind))
    return tag("g", *parts, _line(LEFT, BASE, RIGHT, BASE, "base"), aria_hidden="true")


def _curve(bins: Sequence[CalibrationBin], y: Callable[[float], float], width: float) -> Markup:
    """The lines between the marks of one class."""
    steps = []
    for _, together in _classes(bins):
        points = [(LEFT + width * (place + 0.5), one.window) for place, one in together if one.window is not None]
        steps += [f"{'L' if index else 'M'}{x:.1f} {y(value):.1f}" for index, (x, value) in enumerate(points)]
    return tag("path", d="".join(steps) or f"M{LEFT} {BASE}", class_="window line")


def _names(bins: Sequence[CalibrationBin]) -> Markup:
    """The classes below their bins, as far as they fit; of numbers the upper end of each bin."""
    width = (RIGHT - LEFT) / len(bins)
    parts = []
    for text, together in _classes(bins):
        first, last = together[0][0], together[-1][0]
        free, middle = width * (last + 1 - first), LEFT + width * (first + last + 1) / 2
        if first:
            parts.append(_line(LEFT + width * first, BASE, LEFT + width * first, BASE + 6, "base"))
        characters = int(free / _CHARACTER_WIDTH)
        if text and characters >= min(len(text), 2):
            shown = text if len(text) <= characters else f"{text[: characters - 1]}…"
            parts.append(_text(middle, BASE + 16, shown, "tick middle"))
    caption = "predicted class, then confidence from low to high"
    if not bins[0].class_text:
        caption = "bins of the prediction, from low to high"
        edges = [(place, one.upper) for place, one in enumerate(bins[:-1]) if one.upper is not None]
        parts += [_text(LEFT + width * (place + 1), BASE + 16, number(edge), "tick middle") for place, edge in edges]
    return tag("g", *parts, _text((LEFT + RIGHT) / 2, BASE + 36, caption, "caption middle"), aria_hidden="true")


def _classes(bins: Iterable[CalibrationBin]) -> list[tuple[str, list[tuple[int, CalibrationBin]]]]:
    """The bins of each class with their places."""
    groups = groupby(enumerate(bins), key=lambda pair: pair[1].class_text)
    return [(text, list(together)) for text, together in groups]


def _rectangle(x: float, y: float, width: float, height: float) -> Markup:
    return tag("rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}", height=f"{height:.1f}", class_="band")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return tag("path", d=f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", class_=kind)


def _text(x: float, y: float, text: str, kind: str) -> Markup:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", class_=kind)
