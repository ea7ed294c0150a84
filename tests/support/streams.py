"""A stream of rows and the window that a ring keeps of it, as an assessor meets them."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from driftgauge.drift.detector.detector import DetectorState
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import Assessment, Rows, StreamEvaluator

Floats = NDArray[np.float64]
SampleSpec = Callable[[np.random.Generator, int, int], Floats]


def independent(generator: np.random.Generator, rows: int, columns: int) -> Floats:
    """Standard normal rows."""
    return generator.standard_normal((rows, columns))


def autoregressive(rho: float) -> SampleSpec:
    """Standard normal rows of which neighbours correlate by rho."""

    def draw(generator: np.random.Generator, rows: int, columns: int) -> Floats:
        noise = generator.standard_normal((rows, columns))
        noise[1:] *= math.sqrt(1 - rho**2)
        series: Floats = lfilter([1.0], [1.0, -rho], noise, axis=0)
        return series

    return draw


def in_requests(size: int, icc: float) -> SampleSpec:
    """Standard normal rows in requests of equal size, those of one request correlating by `icc`."""

    def draw(generator: np.random.Generator, rows: int, columns: int) -> Floats:
        shared = np.repeat(generator.standard_normal((-(-rows // size), columns)), size, axis=0)[:rows]
        return math.sqrt(icc) * shared + math.sqrt(1 - icc) * generator.standard_normal((rows, columns))

    return draw


class Stream:
    """Rows that came, the assessor that looks at the newest of them, and what it said.

    Args:
        evaluator: Looks at the window.
        window_rows: Rows that the ring keeps.
        request_rows: Rows of each request.
    """

    def __init__(self, evaluator: StreamEvaluator, window_rows: int, request_rows: int = 1) -> None:
        self.evaluator = evaluator
        self.state: DetectorState | None = None
        self.said: list[Assessment] = []
        self.now = 1e9
        self._window_rows = window_rows
        self._request_rows = request_rows
        self._p_values = PValues()
        self._rows = np.empty((0, len(evaluator.profiles)))
        self._first = 1

    def append(self, rows: Floats) -> None:
        """Rows come; those that no longer fit go."""
        grown = np.vstack([self._rows, rows])
        self._first += max(0, grown.shape[0] - self._window_rows)
        self._rows = grown[-self._window_rows :]

    def lose(self, rows: int) -> None:
        """The store loses its newest rows, and gives their numbers to the next ones."""
        self._rows = self._rows[: self._rows.shape[0] - rows]

    def age(self) -> None:
        """All rows have grown too old to be in the window."""
        self._first += self._rows.shape[0]
        self._rows = self._rows[:0]

    def look(self, seconds: float = 60.0) -> Assessment:
        """The assessor looks at the window, so much later."""
        self.now += seconds
        numbers = self._first + np.arange(self._rows.shape[0])
        rows = Rows(self._rows, numbers, (numbers - 1) // self._request_rows)
        assessment = self.evaluator.assess(self.state, rows, self._p_values, self.now)
        self.state = assessment.state
        self.said.append(assessment)
        return assessment

    def feed(self, rows: Floats, each: int) -> list[Assessment]:
        """Rows come in parts, and the assessor looks at the window after each."""
        said = []
        for first in range(0, rows.shape[0], each):
            self.append(rows[first : first + each])
            said.append(self.look())
        return said
