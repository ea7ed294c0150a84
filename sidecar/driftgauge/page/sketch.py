"""A small picture of two distributions for a line of a table."""

from collections.abc import Sequence

from driftgauge.page.histograms import Shape
from driftgauge.page.markup import Markup, tag

WIDTH, HEIGHT = 96, 24
"""The drawing's size; the style stretches it to that of the cell."""


def sketch(shape: Shape) -> Markup:
    """Draw both histograms: the reference as an area, the window as a line.

    Returns:
        An SVG element of at most 1 kB. Screen readers skip it, since the line has the numbers.
    """
    top = max(*shape.reference, *shape.window) or 1.0
    return tag(
        "svg",
        tag("path", d=_outline(shape.reference, top) + "z", class_="reference area"),
        tag("path", d=_outline(shape.window, top), class_="window line"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        class_="sketch",
        aria_hidden="true",
    )


def _outline(shares: Sequence[float], top: float) -> str:
    """The path from the base over every bar and back; bars of one height are one step."""
    steps, height = [f"M0 {HEIGHT}"], HEIGHT
    for index, share in enumerate(shares):
        level = round(HEIGHT - (HEIGHT - 1) * share / top)
        if level != height:
            steps.append(f"H{_place(index, len(shares))}V{level}")
            height = level
    return "".join(steps) + f"H{WIDTH}V{HEIGHT}"


def _place(index: int, bars: int) -> str:
    return f"{WIDTH * index / bars:.3g}"
