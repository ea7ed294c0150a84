"""Traffic of days and nights, with the time of each row: a day passes as quickly as it is computed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]

DAY_SECONDS = 86_400.0

MIDNIGHT = 20_000 * DAY_SECONDS
"""A midnight (UTC), in seconds since the epoch."""

WINDOW_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class DayTraffic:
    """Rows at even distances whose values rise by day and fall by night.

    Args:
        day_rows: Rows of a day.
        amplitude: How far the mean at noon is above that of the whole day, in standard deviations of the noise.
        features: The number of features; all have the rhythm.
        seed: Of the noise.
    """

    day_rows: int
    amplitude: float
    features: int = 2
    seed: int = 1

    def rows(self, start_seconds: float, count: int) -> tuple[Floats, Floats]:
        """So many rows from a time on: their values, shape `(count, features)`, and their times, shape `(count,)`."""
        times: Floats = start_seconds + np.arange(count, dtype=np.float64) * (DAY_SECONDS / self.day_rows)
        generator = np.random.default_rng([self.seed, int(start_seconds)])
        mean: Floats = -self.amplitude * np.cos(2 * math.pi * times / DAY_SECONDS)
        values: Floats = mean[:, np.newaxis] + generator.standard_normal((count, self.features))
        return values, times


def evaluations(evaluator: StreamEvaluator, values: Floats, times: Floats, look_rows: int) -> list[StreamEvaluation]:
    """Evaluate a stream of single rows, so many rows apart, at the time of the newest row of each window."""
    state, p_values, found = None, PValues(), []
    for end in range(look_rows, times.size + 1, look_rows):
        part = slice(max(0, end - WINDOW_ROWS), end)
        numbers = np.arange(part.start + 1, end + 1, dtype=np.int64)
        window = StreamWindow(values[part], numbers, numbers, times[part])
        found.append(evaluator.evaluate(state, window, p_values, float(times[end - 1])))
        state = found[-1].state
    return found
