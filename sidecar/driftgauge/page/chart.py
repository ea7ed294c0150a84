"""The chart of a numeric feature: both histograms above, both distribution functions below, with D marked in each."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from driftgauge.drift.statistics.ecdf import Curve
from driftgauge.page.formatting import distance, number, share, ticks
from driftgauge.page.histograms import Shape
from driftgauge.page.markup import Markup, clipped, joined, tag

# The drawing's size and its panels (top and base), in units of about a pixel.
WIDTH, HEIGHT = 420, 290
LEFT, RIGHT = 50.0, 410.0
BARS = 18.0, 118.0
STEPS = 146.0, 262.0

_AWAY = 9.0
"""Distance of a label from its line."""

_CLEAR = 14.0
"""A label this far from every line is readable."""

_CHARACTER_WIDTH = 7.2
"""Width of a character of a label, roughly."""

Scale = Callable[[float], float]

_Heights = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The horizontal axis, which both panels share."""

    x: Scale
    low: float
    high: float


def chart(name: str, identifier: str, shape: Shape, curve: Curve) -> Markup:
    """Draw the chart of one feature.

    Args:
        name: The feature's name.
        identifier: The section's identifier, unique in the page.
        shape: Both histograms.
        curve: Both distribution functions.

    Returns:
        An SVG element with a title and a description for screen readers.
    """
    frame = _Frame(_scale(shape.edges[0], shape.edges[-1], LEFT, RIGHT), shape.edges[0], shape.edges[-1])
    title, text = f"{identifier}-title", f"{identifier}-text"
    return tag(
        "svg",
        tag("title", f"Distribution of {clipped(name)}", id=title),
        tag("desc", _description(curve), id=text),
        _axis(frame),
        _histograms(frame, shape),
        _functions(frame, curve),
        _mark(frame, curve),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{title} {text}",
    )


def _description(curve: Curve) -> str:
    lower, upper = (side[curve.xs.index(curve.place)] for side in (curve.reference, curve.window))
    return (
        f"The functions are farthest apart at {number(curve.place)}: {share(upper)} of the window's values are at or "
        f"below it, {share(lower)} of the reference's."
    )


def _scale(low: float, high: float, first: float, last: float) -> Scale:
    """A linear map from values to the drawing; values outside [low, high] are put on the edge."""

    def scaled(value: float) -> float:
        return first + (last - first) * (min(max(value, low), high) - low) / (high - low)

    return scaled


def _axis(frame: _Frame) -> Markup:
    """The labels of the values, below both panels, and the grid lines."""
    parts = [
        joined((*_grid(x), _text(x, STEPS[1] + 15, text, "tick end" if x > RIGHT - 20 else "tick middle")))
        for x, text in ((frame.x(value), text) for value, text in ticks(frame.low, frame.high))
    ]
    return tag("g", *parts, aria_hidden="true")


def _grid(x: float) -> Iterable[Markup]:
    """A vertical line in each panel."""
    return (_line(x, top, x, base, "grid") for top, base in (BARS, STEPS))


def _histograms(frame: _Frame, shape: Shape) -> Markup:
    """The reference as a filled area, the window as a line, so that they differ without colour as well."""
    top = max(*shape.reference, *shape.window) or 1.0
    y = _scale(0.0, top, BARS[1], BARS[0] + 6)
    edges = [frame.x(edge) for edge in shape.edges]
    return tag(
        "g",
        _text(LEFT, 10, "share of values in each bar", "caption"),
        _text(LEFT - 5, y(top) + 4, _percent(top), "tick end"),
        _text(LEFT - 5, BARS[1], "0", "tick end"),
        tag("path", d=_outline(edges, [y(one) for one in shape.reference]) + "Z", class_="reference area"),
        tag("path", d=_outline(edges, [y(one) for one in shape.window]), class_="window line"),
        _line(LEFT, BARS[1], RIGHT, BARS[1], "base"),
        aria_hidden="true",
    )


def _percent(level: float) -> str:
    """A share with two digits, for the narrow space beside the axis."""
    return f"{100 * level:.0f} %" if level >= 0.0995 else f"{100 * level:.1f} %"  # noqa: PLR2004 so that both have two digits


def _outline(edges: Sequence[float], tops: Sequence[float]) -> str:
    """The path of a histogram from the base over every bar and back to the base."""
    steps = "".join(f"V{top:.1f}H{edge:.1f}" for top, edge in zip(tops, edges[1:], strict=True))
    return f"M{edges[0]:.1f} {BARS[1]:.1f}{steps}V{BARS[1]:.1f}"


def _functions(frame: _Frame, curve: Curve) -> Markup:
    y = _scale(0.0, 1.0, STEPS[1], STEPS[0])
    marks = [
        joined((_line(LEFT, y(level), RIGHT, y(level), "grid"), _text(LEFT - 5, y(level) + 4, text, "tick end")))
        for level, text in ((0.0, "0"), (0.5, "50 %"), (1.0, "100 %"))
    ]
    lines = [
        tag("path", d=_steps(frame.x, y, zip(curve.xs, side, strict=True)), class_=f"{name} line")
        for name, side in (("reference", curve.reference), ("window", curve.window))
    ]
    caption = _text(LEFT, STEPS[0] - 8, "share of values at or below", "caption")
    return tag("g", caption, *marks, *lines, _line(LEFT, STEPS[1], RIGHT, STEPS[1], "base"), aria_hidden="true")


def _steps(x: Scale, y: Scale, points: Iterable[tuple[float, float]]) -> str:
    steps = "".join(f"H{x(place):.1f}V{y(level):.1f}" for place, level in points)
    return f"M{LEFT:.1f} {y(0.0):.1f}{steps}H{RIGHT:.1f}"


def _mark(frame: _Frame, curve: Curve) -> Markup:
    """The mark of D: where the functions are farthest apart, through both panels, and how far."""
    x, y = frame.x(curve.place), _scale(0.0, 1.0, STEPS[1], STEPS[0])
    at = curve.xs.index(curve.place)
    lower, upper = sorted((y(curve.reference[at]), y(curve.window[at])))
    label = f"D {distance(abs(curve.gap))} at {number(curve.place)}"
    place = _free_place(x, _CHARACTER_WIDTH * len(label), [_heights(frame, curve.xs, side) for side in _sides(curve)])
    return tag(
        "g",
        _line(x, BARS[0], x, BARS[1], "place"),
        _line(x, STEPS[0], x, STEPS[1], "place"),
        _line(x, lower, x, upper, "gap"),
        _line(x - 4, lower, x + 4, lower, "gap"),
        _line(x - 4, upper, x + 4, upper, "gap"),
        _text(x + place[0], place[1] + 4, label, "label end" if place[0] < 0 else "label"),
        aria_hidden="true",
    )


def _sides(curve: Curve) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return curve.reference, curve.window


def _heights(frame: _Frame, xs: Sequence[float], side: Sequence[float]) -> _Heights:
    """A distribution function in the drawing: its heights at two horizontal positions."""
    y = _scale(0.0, 1.0, STEPS[1], STEPS[0])
    places, levels = [frame.x(x) for x in xs], [STEPS[1], *(y(level) for level in side)]

    def heights(first: float, last: float) -> tuple[float, float]:
        return levels[bisect_right(places, first)], levels[bisect_right(places, last)]

    return heights


def _free_place(x: float, width: float, functions: Sequence[_Heights]) -> tuple[float, float]:
    """The position of a label that is farthest from the lines: the shift from `x`, and the height."""
    shifts = [shift for shift in (_AWAY, -_AWAY) if LEFT < x + shift * (1 + width / _AWAY) < RIGHT] or [_AWAY]
    levels = [STEPS[0] + 8 + step for step in range(0, int(STEPS[1] - STEPS[0]) - 14, 4)]

    def distance_from(place: tuple[float, float]) -> float:
        ends = sorted((x, x + place[0] * (1 + width / _AWAY)))
        return min(_apart(place[1], heights(ends[0], ends[1])) for heights in functions)

    return max(((shift, level) for shift in shifts for level in levels), key=distance_from)


def _apart(height: float, heights: tuple[float, float]) -> float:
    """The distance of a height from a range of heights, at most `_CLEAR`."""
    low, high = sorted(heights)
    return min(max(low - height, height - high, 0.0), _CLEAR)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return tag("path", d=f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", class_=kind)


def _text(x: float, y: float, text: str, kind: str) -> Markup:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", class_=kind)
