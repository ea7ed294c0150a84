"""Live streams with and without a daily rhythm."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import lfilter

from driftgauge.drift.hours.rhythm_sums import NUMBERS, RhythmSums

Floats = NDArray[np.float64]

DAY = 86_400.0
START = 1_704_117_600.0
ROWS_A_DAY = 96
FEATURES = 1_000


def _times(days: float, rows_a_day: int = ROWS_A_DAY) -> Floats:
    return START + np.arange(round(days * rows_a_day), dtype=np.float64) * (DAY / rows_a_day)


def _rhythm(times: Floats, numbers: Floats) -> NDArray[np.bool_]:
    """Of a stream to which one row of the next day is added, which finishes the last one."""
    sums = RhythmSums(numbers.shape[1])
    sums.add(times, numbers)
    sums.add(times[-1:] + DAY, np.full((1, numbers.shape[1]), np.nan))
    return sums.rhythm()


def _noise(times: Floats, features: int = FEATURES) -> Floats:
    return np.random.default_rng(1).standard_normal((times.size, features))


@pytest.mark.parametrize("days", [3, 7])
@pytest.mark.parametrize("correlation", [0.0, 0.8, 0.98, 1.0])
def test_autoregressive_streams_have_no_rhythm(days: int, correlation: float) -> None:
    """At most 5 of 1,000 features, where 1 is allowed on average, up to a random walk."""
    noise = _noise(_times(days))
    values = lfilter([1], [1, -correlation], noise, axis=0)

    assert _rhythm(_times(days), values / values.std()).sum() <= 5


@pytest.mark.parametrize("days", [3, 7])
@pytest.mark.parametrize("length", [0.25, 1, 3])
def test_streams_of_regimes_have_no_rhythm(days: int, length: float) -> None:
    """Levels that last a random time, of so many days on average."""
    noise = _noise(_times(days))
    changes = np.random.default_rng(2).random(noise.shape) < 1 / (length * ROWS_A_DAY)
    levels = np.random.default_rng(3).standard_normal((noise.shape[0] + 1, FEATURES))
    values = np.take_along_axis(levels, np.cumsum(changes, axis=0), axis=0)

    assert _rhythm(_times(days), values + 0.3 * noise).sum() <= 5


def test_trends_and_jumps_have_no_rhythm() -> None:
    """Drift is not taken for a rhythm, whether it comes slowly or at once."""
    times = _times(9)
    noise = _noise(times)
    trend = np.linspace(0, 3, times.size)[:, None]
    jump = 3.0 * (trend > 1)

    assert _rhythm(times, noise + trend).sum() <= 5
    assert _rhythm(times, noise + jump).sum() <= 5


@pytest.mark.parametrize(("amplitude", "days"), [(1.0, 3), (0.35, 4), (0.2, 7)])
def test_sines_are_found(amplitude: float, days: int) -> None:
    """With 2,000 rows a day, in 19 of 20 features, the weaker the later."""
    times = _times(days, 2_000)
    values = _noise(times, 40) + amplitude * np.sin(2 * np.pi * times / DAY)[:, None]

    assert _rhythm(times, values).sum() >= 38


def test_office_hours_are_days_too() -> None:
    """Nights without rows are no rhythm; hours that differ within the office hours are one."""
    times = _times(7, 2_000)
    times = times[times % DAY < DAY / 3]
    noise = _noise(times, 40)

    assert _rhythm(times, noise).sum() <= 1
    assert _rhythm(times, noise + 3 * (times % DAY / DAY)[:, None]).sum() >= 38


def test_nothing_is_found_before_the_third_day_is_over() -> None:
    """A row before the end of three days from the first hour, and after it."""
    times = _times(3)
    values = np.sin(2 * np.pi * times / DAY)[:, None] + 0.01 * _noise(times, 1)
    sums = RhythmSums(1)
    sums.add(times, values)

    assert not sums.rhythm().any()
    sums.add(START + np.array([3 * DAY]), np.zeros((1, 1)))
    assert sums.rhythm().all()


def test_features_without_values_and_constant_features_have_no_rhythm() -> None:
    """Nothing is divided by zero."""
    times = _times(5)
    numbers = np.column_stack([np.full(times.size, np.nan), np.ones(times.size)])

    assert [False, False] == _rhythm(times, numbers).tolist()
    assert [False] == RhythmSums(1).rhythm().tolist()


def test_the_last_weeks_count() -> None:
    """A rhythm that ended sixty days ago is none, although it lasted sixty days."""
    times = _times(120, 48)
    wave = np.sin(2 * np.pi * times / DAY) * (times < START + 60 * DAY)

    assert not _rhythm(times, _noise(times, 20) + wave[:, None]).any()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 95), max_size=5))
def test_batches_and_packing_change_nothing(seed: int, cuts: list[int]) -> None:
    """Rows added in parts, with the sums packed and unpacked in between, have the sums of all rows but for rounding."""
    times = _times(4, 24)
    numbers = np.random.default_rng(seed).uniform(-1, 1, (times.size, 3))
    numbers[::7, 1] = np.nan
    whole, parts = RhythmSums(3), RhythmSums(3)
    whole.add(times, numbers)
    for start, end in pairwise(sorted({0, *cuts, times.size})):
        parts.add(times[start:end], numbers[start:end])
        parts = RhythmSums.unpack(parts.pack())

    assert np.allclose(whole.pack(), parts.pack(), rtol=1e-4, atol=1e-4, equal_nan=True)


def test_packed_sums_are_small_and_other_shapes_are_refused() -> None:
    """At most 80 numbers a feature."""
    assert (2, NUMBERS) == RhythmSums(2).pack().shape
    assert NUMBERS <= 80
    with pytest.raises(ValueError, match="shape"):
        RhythmSums.unpack(np.zeros((2, NUMBERS + 1), np.float32))


def test_late_rows_count_in_the_newest_hour() -> None:
    """They neither move the clock back nor are lost."""
    times = _times(1, 24)
    late, punctual = RhythmSums(1), RhythmSums(1)
    late.add(times, np.ones((24, 1)))
    punctual.add(times, np.ones((24, 1)))
    late.add(times[:1], np.full((1, 1), 5.0))
    punctual.add(times[-1:], np.full((1, 1), 5.0))

    assert np.array_equal(late.pack(), punctual.pack(), equal_nan=True)
