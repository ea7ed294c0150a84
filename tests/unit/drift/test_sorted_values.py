"""The values of a reference, in few bytes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.sorted_values import SortedValues

Floats = NDArray[np.float64]

GENERATOR = np.random.default_rng(1)
NORMAL = np.sort(GENERATOR.standard_normal(1_000))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (NORMAL.round(3), np.uint16),
        (np.sort(GENERATOR.normal(10, 3, 1_000).round(6)), np.uint32),
        (np.arange(-500.0, 500.0), np.uint16),
        (np.arange(0.0, 65_536.0), np.uint16),
        (np.arange(0.0, 65_537.0), np.uint32),
        (np.array([-(2.0**31), 2.0**31 - 1]), np.uint32),
        (np.array([0.0, 2.0**32]), np.float32),
        (1.7e9 + np.arange(100.0), np.uint16),
        (NORMAL.astype(np.float32).astype(np.float64), np.float32),
        (NORMAL, np.float64),
        (np.array([-0.0, 0.0]), np.float32),
        (np.array([2.0**53, 2.0**60]), np.float32),
        (np.array([-1.7e308, 5e-324, 1.7e308]), np.float64),
        (np.empty(0), np.float32),
    ],
)
def test_every_value_comes_back_with_all_of_its_bits(values: Floats, kind: type) -> None:
    """Few digits take two or four bytes, single precision four, and only what needs all digits takes eight."""
    kept = SortedValues.of(values)

    assert kind == kept.kept.dtype
    assert values.tobytes() == kept.all().tobytes()
    assert values.size == kept.size


def test_values_that_look_like_decimals_at_first_are_kept_whole() -> None:
    """One value of many digits among thousands of few is not rounded."""
    values = np.sort(np.append(np.arange(5_000.0) / 8, 0.1 + 0.2))

    assert values.tobytes() == SortedValues.of(values).all().tobytes()


def test_ends_are_the_first_and_the_last_value() -> None:
    """They are those of all values, however they are kept."""
    for values in (NORMAL, NORMAL.round(2), NORMAL.astype(np.float32).astype(np.float64)):
        assert (values[0], values[-1]) == SortedValues.of(values).ends()


def test_nothing_of_them_can_be_written_to() -> None:
    """Several streams share a reference. The array that was given stays as it was."""
    for values in (NORMAL.copy(), NORMAL.round(2)):
        assert not SortedValues.of(values).all().flags.writeable
        assert values.flags.writeable
