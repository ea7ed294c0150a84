"""Real data with a known change: departures from New York in 2013, and the blizzard of 8 February."""

import csv
import gzip
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import DEFAULT, LOOK_ROWS, LOOK_SECONDS, WINDOW_ROWS, evaluator_of, profiles_of
from benchmarks.statistics.make_flights import PATH
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator, StreamWindow
from driftgauge.protocol.category import code

Floats = NDArray[np.float64]

NAMES = ("scheduled", "delay", "distance", "carrier", "origin")

KINDS = [FeatureKind.NUMERIC] * 3 + [FeatureKind.CATEGORICAL] * 2


@dataclass(frozen=True, slots=True)
class Scene:
    """The tests in alarm from one look on, until the next scene.

    Args:
        row: Rows of the stream at the look.
        alarms: Feature and test of each alarm.
    """

    row: int
    alarms: tuple[str, ...]


def flights() -> tuple[Floats, Floats, list[str]]:
    """The rows of January, those of February, and the scheduled time of each flight of February as text."""
    with gzip.open(PATH, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    values = np.array([_values(row) for row in rows])
    january = np.array([row["month"] == "1" for row in rows])
    moments = [f"{row['day']} Feb {int(row['scheduled']) // 100:02}:{int(row['scheduled']) % 100:02}" for row in rows]
    return values[january], values[~january], list(itertools.compress(moments, ~january))


def scenes(evaluator: StreamEvaluator, stream: Floats) -> Iterator[Scene]:
    """The tests in alarm, whenever they change."""
    p_values, state = PValues(), None
    before: tuple[str, ...] = ()
    for number, end in enumerate(range(LOOK_ROWS, stream.shape[0] + 1, LOOK_ROWS)):
        start = max(0, end - WINDOW_ROWS)
        numbers = np.arange(start + 1, end + 1, dtype=np.int64)
        window = StreamWindow(stream[start:end], numbers, numbers)
        evaluation = evaluator.evaluate(state, window, p_values, 1 + LOOK_SECONDS * number)
        state = evaluation.state
        tests = [(one.feature, test) for one in evaluation.report.features for test in one.tests]
        alarms = tuple(f"{feature} ({test.test.value})" for feature, test in tests if test.drift)
        if alarms != before:
            yield Scene(end, alarms)
        before = alarms


def run(_effort: Effort) -> str:
    """The table."""
    january, february, moments = flights()
    seen = list(scenes(evaluator_of(profiles_of(january, KINDS, NAMES), DEFAULT), february))
    lines = [[moments[one.row - 1], f"{one.row:,}", ", ".join(one.alarms) or "nothing"] for one in seen]
    head = ["newest flight", "flights", "in alarm from here on"]
    return f"{_words(len(january), len(february))}\n\n{table(head, lines)}"


def _values(row: dict[str, str]) -> Sequence[float]:
    scheduled = int(row["scheduled"])
    delay = float(row["delay"]) if row["delay"] else np.nan
    hours = scheduled // 100 + scheduled % 100 / 60
    return hours, delay, float(row["distance"]), code(row["carrier"]), code(row["origin"])


def _words(january: int, february: int) -> str:
    return (
        f"Reference: the {january:,} flights of January 2013. Stream: the {february:,} flights of 1 to 14 February in "
        f"the order of their schedule, which has its rhythm of day and week; a look every {LOOK_ROWS} flights, all "
        "defaults. On 8 February a blizzard came: 61 of 470 flights before two in the afternoon were cancelled, 411 "
        "of 460 after it, and 393 of 684 on the next day. A cancelled flight has no delay."
    )
