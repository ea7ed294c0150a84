"""Labels that come row by row, in parts of responses, or selected for a while; evaluated as the sidecar does."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import LOOK_ROWS, LOOK_SECONDS
from benchmarks.statistics.outcome_engine import TESTS, Alarms
from driftgauge.drift.outcomes.labelled_responses import TimedRows
from driftgauge.drift.outcomes.outcome_evaluator import OutcomeEvaluator
from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]

KEPT_ROWS = 20_000
"""Ten windows of rows: as far back as the store keeps labelled rows."""

SPELL_ROWS = 5_000
"""Labels are selected for so many responses, then random for as many, and so on."""

UNSURE = 0.8
"""While labels are selected, all predictions of a confidence below this are labelled, and one in ten of the others."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How the labels of a stream come.

    Args:
        delay: Rows from a response to a label, on average; each delay is drawn by itself, whatever the label is.
        parts: In how many parts, drawn at random, the rows of a response are labelled; with 0 each row is a part.
        passes: So many responses are labelled at a time: the first row of each, then the second of each, and so on;
            with 0 in no such passes.
        selected: Whether labels are those of unsure predictions in every other spell.
    """

    delay: float = 0.0
    parts: int = 0
    passes: int = 0
    selected: bool = False

    def order(self, rng: np.random.Generator, rows: Floats, responses: NDArray[np.int64]) -> NDArray[np.intp]:
        """The rows that are labelled, in the order in which their labels come.

        Args:
            rng: Draws delays and choices.
            rows: Shape `(n, columns)`: the second column is the confidence.
            responses: Shape `(n,)`: the response of each row, ascending.
        """
        places = np.arange(responses.size)
        if self.selected:
            asked = (rows[:, 1] < UNSURE) | (rng.random(places.size) < 1 / 10)
            return np.flatnonzero(asked | (places // SPELL_ROWS % 2 == 1))
        if self.passes:
            return np.lexsort((places - np.searchsorted(responses, responses), responses // self.passes))
        part = rng.integers(0, self.parts, places.size) if self.parts else places
        _, of_row = np.unique(np.stack([responses, part]), axis=1, return_inverse=True)
        given = np.searchsorted(responses, responses, side="right")
        come = given + rng.exponential(self.delay, places.size)[of_row.ravel()]
        return np.argsort(come, kind="stable")


def watch_arrivals(
    evaluator: OutcomeEvaluator,
    rows: Floats,
    responses: NDArray[np.int64],
    sample: Callable[[float, float], TimedRows] | None = None,
) -> Alarms:
    """Evaluate a stream of labelled rows after every 60, each time with the newest 20,000.

    Args:
        evaluator: The evaluator.
        rows: Shape `(n, columns)`, in the order in which their labels come.
        responses: Shape `(n,)`: the place of the response of each row in time, two a second.
        sample: Draws a sample of all responses of a time, from the first moment to the last one; without one selection
            is unknown, and nothing is described.
    """
    state, latched = evaluator.detector.start(), np.zeros(TESTS, dtype=np.bool_)
    begun: tuple[list[int], list[int]] = ([], [])
    for end in range(LOOK_ROWS, rows.shape[0] + 1, LOOK_ROWS):
        part = slice(max(0, end - KEPT_ROWS), end)
        numbers, ids = np.arange(part.start + 1, end + 1), responses[part]
        times = times_of(ids)
        window = StreamWindow(rows[part], numbers, numbers, times, ids.astype(np.uint64))
        if sample is None:
            state = evaluator.feed(state, window, numbers > end - LOOK_ROWS, 0.0)
        else:
            described = times[-evaluator.described_rows :]
            state = evaluator.evaluate(state, window, sample(described.min(), described.max()), 0.0).state
        for test in np.flatnonzero(state.latched & ~latched).tolist():
            begun[test].append(end)
        latched = state.latched
    return Alarms(tuple(begun[0]), tuple(begun[1]))


def times_of(responses: NDArray[np.int64]) -> Floats:
    """When responses passed, by their place in time: two a second."""
    times: Floats = np.asarray(responses * (LOOK_SECONDS / LOOK_ROWS) + 1.0, dtype=np.float64)
    return times
