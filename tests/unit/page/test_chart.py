"""The chart of a numeric feature."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.statistics.ecdf import curve
from driftgauge.page.chart import BARS, HEIGHT, LEFT, RIGHT, STEPS, WIDTH, chart
from driftgauge.page.histograms import shape
from driftgauge.page.markup import Markup

SAMPLES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40).map(
    lambda values: np.array(sorted(values))
)


def drawn(reference: np.ndarray, window: np.ndarray, name: str = "alcohol") -> Markup:
    """The chart of two samples."""
    both = curve(reference, window)
    return chart(name, "p0-1", shape(reference, window, both.place), both)


def test_has_a_title_and_a_description_for_screen_readers() -> None:
    """The description gives the place where the functions are farthest apart."""
    found = drawn(np.array([1.0, 2.0]), np.array([2.0, 3.0]), "a < b")

    assert '<title id="p0-1-title">Distribution of a &lt; b</title>' in found
    assert (
        '<desc id="p0-1-text">The functions are farthest apart at 1: 0 % of the window&#x27;s values are at or below '
        "it, 50.0 % of the reference&#x27;s.</desc>"
    ) in found
    assert 'role="img" aria-labelledby="p0-1-title p0-1-text"' in found


def test_marks_the_statistic() -> None:
    """Its value and its place are a label beside a line through both panels."""
    found = drawn(np.array([1.0, 2.0]), np.array([2.0, 3.0]))

    assert ">D 0.500 at 1</text>" in found
    for top, base in (BARS, STEPS):
        assert re.search(rf'd="M([\d.]+) {top}L\1 {base}" class="place"', found)


@given(SAMPLES, SAMPLES)
def test_nothing_lies_outside_the_drawing(reference: np.ndarray, window: np.ndarray) -> None:
    """For any two samples every coordinate lies within the drawing, and the chart is small."""
    found = drawn(reference, window)
    paths = re.findall(r' d="([^"]*)"', found)
    across = [float(x) for path in paths for x in re.findall(r"[HML]([-\d.]+)", path)]
    down = [float(y) for path in paths for y in re.findall(r"V([-\d.]+)", path)]

    assert 0 <= min(across)
    assert max(across) <= WIDTH
    assert 0 <= min(down)
    assert max(down) <= HEIGHT
    assert "nan" not in found
    assert len(found) < 10_000


@pytest.mark.parametrize("shift", [-3.0, -0.1, 0.0, 0.1, 3.0])
def test_the_label_stays_on_the_drawing(shift: float) -> None:
    """It is left or right of its line, where there is space."""
    values = np.sort(np.random.default_rng(2).normal(size=500))
    x, kind = re.findall(r'<text x="([\d.]+)" y="[\d.]+" class="(label[ end]*)"', drawn(values, values + shift))[0]

    assert (LEFT + 60 < float(x)) if kind == "label end" else (float(x) < RIGHT - 60)


def test_outliers_end_at_the_edge() -> None:
    """A value off the chart puts no line outside it."""
    values = np.sort(np.append(np.random.default_rng(3).normal(size=999), 1e9))
    across = [float(x) for x in re.findall(r"H([\d.]+)", drawn(values, values))]

    assert RIGHT == max(across)
