"""The small picture of two distributions."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.page.histograms import SKETCH_BARS, Shape, small_shape
from driftgauge.page.sketch import HEIGHT, WIDTH, sketch

SAMPLES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50).map(
    lambda values: np.array(sorted(values))
)


@given(SAMPLES, SAMPLES)
def test_any_two_samples_have_a_picture_of_bounded_size(reference: np.ndarray, window: np.ndarray) -> None:
    """It stays within its frame, so a line of the table stays small."""
    shape = small_shape(reference, window)
    found = sketch(shape)
    paths = re.findall('d="(.*?)"', found)

    assert len(shape.reference) <= SKETCH_BARS
    assert len(found) < 1000
    assert 2 == len(paths)
    for path in paths:
        assert all(0 <= float(level) <= HEIGHT for level in re.findall(r"V([\d.]+)", path))
        assert all(0 <= float(place) <= WIDTH for place in re.findall(r"H([\d.]+)", path))


def test_bars_are_drawn_to_their_common_height() -> None:
    """The highest bar of both fills the picture; bars of one height are one step."""
    found = sketch(Shape((0.0, 1.0, 2.0, 3.0, 4.0), (0.5, 0.5, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)))

    assert ["M0 24H0V12H48V24H96V24z", "M0 24H72V1H96V24"] == re.findall('d="(.*?)"', found)


def test_shares_of_nothing_are_a_flat_line() -> None:
    """If neither has a share, nothing is divided by 0."""
    assert ["M0 24H96V24z", "M0 24H96V24"] == re.findall('d="(.*?)"', sketch(Shape((0.0, 1.0), (0.0,), (0.0,))))
