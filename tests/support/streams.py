"""A stream of rows, and the window that a ring keeps of it, as a stream evaluator gets them."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.ledger import RowOrigins
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]
SampleSpec = Callable[[np.random.Generator, int, int], Floats]


def independent(generator: np.random.Generator, rows: int, columns: int) -> Floats:
    """Standard normal rows."""
    return generator.standard_normal((rows, columns))


def autoregressive(rho: float) -> SampleSpec:
    """Standard normal rows whose neighbours correlate by rho."""

    def draw(generator: np.random.Generator, rows: int, columns: int) -> Floats:
        noise = generator.standard_normal((rows, columns))
        noise[1:] *= math.sqrt(1 - rho**2)
        series: Floats = lfilter([1.0], [1.0, -rho], noise, axis=0)
        return series

    return draw


def in_requests(size: int, icc: float) -> SampleSpec:
    """Standard normal rows in requests of equal size; those of one request correlate by `icc`."""

    def draw(generator: np.random.Generator, rows: int, columns: int) -> Floats:
        shared = np.repeat(generator.standard_normal((-(-rows // size), columns)), size, axis=0)[:rows]
        return math.sqrt(icc) * shared + math.sqrt(1 - icc) * generator.standard_normal((rows, columns))

    return draw


class Stream:
    """A stream, the evaluator of its newest rows, and the evaluations so far.

    Args:
        evaluator: Evaluates the window.
        window_rows: Rows that the ring keeps.
        request_rows: Rows of each request.
    """

    def __init__(self, evaluator: StreamEvaluator, window_rows: int, request_rows: int = 1) -> None:
        self.evaluator = evaluator
        self.state: DetectorState | None = None
        self.evaluations: list[StreamEvaluation] = []
        self.now = 1e9
        self._window_rows = window_rows
        self._request_rows = request_rows
        self._p_values = PValues()
        self._rows = np.empty((0, len(evaluator.profiles)))
        self._first = 1
        self._positions = np.empty(0, dtype=np.int64)
        self._total = 0

    def append(self, rows: Floats) -> None:
        """Add rows, and drop the oldest ones that no longer fit."""
        grown = np.vstack([self._rows, rows])
        self._first += max(0, grown.shape[0] - self._window_rows)
        self._rows = grown[-self._window_rows :]
        positions = np.arange(self._total + 1, self._total + rows.shape[0] + 1)
        self._positions = np.concatenate([self._positions, positions])[-self._window_rows :]
        self._total += rows.shape[0]

    def lose(self, rows: int) -> None:
        """Drop the newest rows, whose numbers the next ones will have, as a store does that lost them."""
        self._rows = self._rows[: self._rows.shape[0] - rows]
        self._positions = self._positions[: self._rows.shape[0]]

    def age(self) -> None:
        """Drop all rows, as a window does when they are too old."""
        self._first += self._rows.shape[0]
        self._rows = self._rows[:0]
        self._positions = self._positions[:0]

    def look(self, seconds: float = 60.0) -> StreamEvaluation:
        """Evaluate the window, so many seconds after the last time."""
        self.now += seconds
        numbers = self._first + np.arange(self._rows.shape[0])
        origins = RowOrigins(np.zeros_like(self._positions), self._positions, {"": self._total})
        window = StreamWindow(self._rows, numbers, (numbers - 1) // self._request_rows, origins=origins)
        evaluation = self.evaluator.evaluate(self.state, window, self._p_values, self.now)
        self.state = evaluation.state
        self.evaluations.append(evaluation)
        return evaluation

    def feed(self, rows: Floats, each: int) -> list[StreamEvaluation]:
        """Add rows in parts, and evaluate the window after each."""
        evaluations = []
        for first in range(0, rows.shape[0], each):
            self.append(rows[first : first + each])
            evaluations.append(self.look())
        return evaluations
