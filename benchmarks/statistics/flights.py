"""Real data with a known change: departures from New York in 2013, and the blizzard of 8 February."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import DEFAULT, LOOK_ROWS, WINDOW_ROWS, evaluator_of, profiles_of
from benchmarks.statistics.make_flights import PATH
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.protocol.category import code

Floats = NDArray[np.float64]

NAMES = ("scheduled", "delay", "distance", "carrier", "origin")

KINDS = [FeatureKind.NUMERIC] * 3 + [FeatureKind.CATEGORICAL] * 2


@dataclass(frozen=True, slots=True)
class Scene:
    """The tests in alarm, and the features without a verdict, from one look on, until the next scene.

    Args:
        row: Rows of the stream at the look.
        alarms: Feature and test of each alarm.
        untested: Feature and reason of each feature without a verdict.
    """

    row: int
    alarms: tuple[str, ...]
    untested: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Flights:
    """Flights in the order of their schedule.

    Args:
        values: Shape `(n, 5)`: `NAMES`.
        times: Shape `(n,)`: the scheduled departure, seconds since the epoch as if New York's clocks showed UTC.
    """

    values: Floats
    times: Floats

    def moment(self, row: int) -> str:
        """The scheduled departure of a row, as text."""
        return datetime.fromtimestamp(float(self.times[row]), UTC).strftime("%-d %b %H:%M")


def flights() -> tuple[Flights, Flights]:
    """The flights of January, and those of February."""
    with gzip.open(PATH, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    values = np.array([_values(row) for row in rows])
    times = np.array([_time(row) for row in rows])
    january = np.array([row["month"] == "1" for row in rows])
    return Flights(values[january], times[january]), Flights(values[~january], times[~january])


def scenes(evaluator: StreamEvaluator, stream: Flights) -> Iterator[Scene]:
    """The tests in alarm and the features without a verdict, whenever they change."""
    p_values, state = PValues(), None
    before: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    for end in range(LOOK_ROWS, stream.times.size + 1, LOOK_ROWS):
        start = max(0, end - WINDOW_ROWS)
        numbers = np.arange(start + 1, end + 1, dtype=np.int64)
        window = StreamWindow(stream.values[start:end], numbers, numbers, stream.times[start:end])
        evaluation = evaluator.evaluate(state, window, p_values, float(stream.times[end - 1]))
        state = evaluation.state
        tests = [(one.feature, test) for one in evaluation.report.features for test in one.tests]
        alarms = tuple(f"{feature} ({test.test.value})" for feature, test in tests if test.drift)
        untested = tuple(f"{one.feature} ({one.reason.value})" for one in evaluation.report.untested)
        if (alarms, untested) != before:
            yield Scene(end, alarms, untested)
        before = alarms, untested


def run(_effort: Effort) -> str:
    """The tables, without and with the times of the reference."""
    january, february = flights()
    tables = [_table(january, february, timed=timed) for timed in (False, True)]
    return "\n\n".join((_words(january.times.size, february.times.size), *tables))


def _table(january: Flights, february: Flights, *, timed: bool) -> str:
    times = january.times if timed else None
    profiles = profiles_of(january.values, KINDS, NAMES, times=times)
    lines = [
        [february.moment(one.row - 1), f"{one.row:,}", ", ".join(one.alarms), ", ".join(one.untested)]
        for one in scenes(evaluator_of(profiles, DEFAULT, times), february)
    ]
    title = "With the times of the reference:" if timed else "Without them, its order unknown:"
    return f"{title}\n\n{table(['newest flight', 'flights', 'in alarm from here on', 'cannot tell'], lines)}"


def _values(row: dict[str, str]) -> Sequence[float]:
    scheduled = int(row["scheduled"])
    delay = float(row["delay"]) if row["delay"] else np.nan
    hours = scheduled // 100 + scheduled % 100 / 60
    return hours, delay, float(row["distance"]), code(row["carrier"]), code(row["origin"])


def _time(row: dict[str, str]) -> float:
    scheduled = int(row["scheduled"])
    day = datetime(2013, int(row["month"]), int(row["day"]), tzinfo=UTC)
    return day.timestamp() + 3_600 * (scheduled // 100) + 60 * (scheduled % 100)


def _words(january: int, february: int) -> str:
    return (
        f"Reference: the {january:,} flights of January 2013. Stream: the {february:,} flights of 1 to 14 February in "
        f"the order of their schedule, which has its rhythm of day and week; a look every {LOOK_ROWS} flights, all "
        "defaults. On 8 February a blizzard came: 61 of 470 flights before two in the afternoon were cancelled, 411 "
        "of 460 after it, and 393 of 684 on the next day. A cancelled flight has no delay."
    )
