"""Deciles by nearest rank."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.statistics.effects import LEVELS, deciles

SAMPLES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60).map(lambda values: np.sort(np.array(values)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], [7.0] * 11),
        ([1.0, 2.0], [1.0] * 6 + [2.0] * 5),
        (list(range(1, 11)), [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (list(range(1, 31)), [1, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]),
    ],
)
def test_known_deciles(values: list[float], expected: list[float]) -> None:
    """The value of rank ceil(q n), by hand: samples shorter than, as long as and longer than the levels."""
    assert tuple(expected) == deciles(np.array(values, dtype=np.float64))


@given(SAMPLES)
def test_deciles_are_those_of_numpy(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """They equal numpy's `inverted_cdf` at levels that floats hold exactly: 0, 0.5 and 1."""
    expected = np.quantile(values, [0, 0.5, 1], method="inverted_cdf")

    assert expected.tolist() == [deciles(values)[LEVELS.index(level)] for level in ("0", "0.5", "1")]


@given(SAMPLES)
def test_deciles_ascend_and_are_values(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """Every decile is a value of the sample, and none is below the one before."""
    found = deciles(values)

    assert sorted(found) == list(found)
    assert set(found) <= set(values.tolist())
