"""Streams with a daily or weekly rhythm, their references of whole days, and the models of the hour that these get."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.statistics.alarms import Alarms, alarms_of, promise_lines
from benchmarks.statistics.engine import LOOK_ROWS, TOLERANCE, WINDOW_ROWS, budget_of, evaluator_of, looks, profiles_of
from benchmarks.statistics.intervals import median, waited
from benchmarks.statistics.requests import PROMISES
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.hours.fit import fit_hour_models
from driftgauge.drift.hours.hour_shares import fit_hour_shares
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.stream_evaluator import StreamEvaluator

Floats = NDArray[np.float64]

FEATURES = 3
DAY_SECONDS = 86_400
MONDAY_SECONDS = 1_704_067_200
"""2024-01-01, in UTC, as all hours here."""

NOISE = 0.7
"""Standard deviation of the noise. The rhythms have an amplitude of 1 unless their name says another one."""

CORRELATION = 0.8
NIGHT_TRAFFIC = 4.0
NIGHT_END_HOUR = 8
MISSING = (0.05, 0.2)
"""Shares of missing values at day and at night."""

CATEGORIES = 6
PREFERRED = 0.5
"""The share of the rows that have the category of their hour. The others have any."""

FRIDAY_END_HOUR = 120
TWO_WEEKS_DAYS = 14
REFERENCE_ROWS = (1_000, 5_000, 20_000)


@dataclass(frozen=True, slots=True)
class DailyStream:
    """A stream whose rows depend on nothing but their hour, unless its noise is correlated.

    Args:
        mean: The mean of rows by their hours of the week, from Monday 0:00 on.
        rows_a_day: Of the live stream.
        whole_days: The reference has at least so many days, of all its rows or of a sample.
        correlation: Of the noise of two rows that follow each other.
        night: How much more rows an hour of the night has.
        kind: "numeric", "category" (the mean is the number of the preferred one) or "missing".
    """

    mean: Callable[[Floats], Floats]
    rows_a_day: int = 2_000
    whole_days: int = 3
    correlation: float = 0.0
    night: float = 1.0
    kind: str = "numeric"

    def draw(self, rows: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Values, shape `(rows, FEATURES)`, and times, shape `(rows,)`, from a Monday 0:00 on."""
        of_week = self._hours(rows, rng)
        mean = self.mean(of_week % 168)[:, None]
        times = MONDAY_SECONDS + 3600 * of_week
        noise = lfilter([1.0], [1.0, -self.correlation], rng.standard_normal((rows, FEATURES)), axis=0)
        noise *= NOISE * np.sqrt(1 - self.correlation**2)
        if self.kind == "category":
            preferred = rng.random((rows, FEATURES)) < PREFERRED
            return np.where(preferred, mean, rng.integers(0, CATEGORIES, (rows, FEATURES)).astype(float)), times
        if self.kind == "missing":
            return np.where(rng.random((rows, FEATURES)) < mean, np.nan, noise), times
        return mean + noise, times

    def _hours(self, rows: int, rng: np.random.Generator) -> Floats:
        """Hours since the start, ascending. Those of the night have more rows by a factor."""
        at_night = self.night * NIGHT_END_HOUR
        whole = at_night + 24 - NIGHT_END_HOUR
        day, place = np.divmod((np.arange(rows) + rng.random(rows)) / self.rows_a_day, 1.0)
        place *= whole
        hour = np.where(place < at_night, place / self.night, NIGHT_END_HOUR + place - at_night)
        return np.asarray(24 * day + hour, np.float64)


def _sine(hours: Floats) -> Floats:
    return np.sin(hours * (np.pi / 12))


def _weak_sine(hours: Floats) -> Floats:
    return 0.35 * _sine(hours)


def _steps(hours: Floats) -> Floats:
    return np.where(_at_work(hours, from_hour=8.5, to_hour=17.5), 1.0, -1.0)


def _office(hours: Floats) -> Floats:
    return np.where(_at_work(hours, from_hour=9, to_hour=17) & (hours < FRIDAY_END_HOUR), 1.0, -1.0)


def _at_work(hours: Floats, from_hour: float, to_hour: float) -> NDArray[np.bool_]:
    return np.asarray((hours % 24 >= from_hour) & (hours % 24 < to_hour))


def _weekend(hours: Floats) -> Floats:
    return _sine(hours) + (hours >= FRIDAY_END_HOUR)


def _nothing(hours: Floats) -> Floats:
    return np.zeros_like(hours)


def _quarter(hours: Floats) -> Floats:
    return np.floor(hours % 24 / 6)


def _missing(hours: Floats) -> Floats:
    day, night = MISSING
    return np.where(hours % 24 < NIGHT_END_HOUR, night, day)


STREAMS = {
    "sine, 2,000 rows a day": DailyStream(_sine),
    "sine, 20,000 rows a day": DailyStream(_sine, rows_a_day=20_000),
    "sine of amplitude 0.35": DailyStream(_weak_sine),
    "sine, night traffic x 4": DailyStream(_sine, night=NIGHT_TRAFFIC),
    "sine, AR(1) 0.8 noise": DailyStream(_sine, correlation=CORRELATION),
    "steps at half past eight": DailyStream(_steps),
    "office hours of a week": DailyStream(_office, whole_days=TWO_WEEKS_DAYS),
    "sine and weekend": DailyStream(_weekend, whole_days=TWO_WEEKS_DAYS),
    "no rhythm": DailyStream(_nothing),
    "no rhythm, two weeks": DailyStream(_nothing, whole_days=TWO_WEEKS_DAYS),
    "no rhythm, AR(1) 0.8": DailyStream(_nothing, correlation=CORRELATION),
    "a category by hour": DailyStream(_quarter, kind="category"),
    "missing more at night": DailyStream(_missing, kind="missing"),
}
"""The streams by their names in the table."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A reference of whole days, and the stream that follows it.

    Args:
        reference: Shape `(reference_rows, FEATURES)`.
        reference_times: Shape `(reference_rows,)`: seconds since the epoch, ascending.
        stream: Shape `(stream_rows, FEATURES)`.
        stream_times: Shape `(stream_rows,)`.
    """

    reference: Floats
    reference_times: Floats
    stream: Floats
    stream_times: Floats


def draw(name: str, seed: int, reference_rows: int, stream_rows: int) -> Drawn:
    """Draw a stream and its reference: a random sample, in order, of the whole days or weeks before the stream."""
    stream = STREAMS[name]
    rng = generator(13, list(STREAMS).index(name), seed)
    days = max(stream.whole_days, -(-reference_rows // stream.rows_a_day))
    if stream.whole_days == TWO_WEEKS_DAYS:
        days += -days % 7
    before = days * stream.rows_a_day
    values, times = stream.draw(before + stream_rows, rng)
    kept = np.sort(rng.choice(before, reference_rows, replace=False))
    return Drawn(values[kept], times[kept], values[before:], times[before:])


@dataclass(frozen=True, slots=True)
class Piece:
    """A reference to be fitted: the stream's name, the reference's rows, the number of the run."""

    stream: str
    rows: int
    number: int


def models(piece: Piece) -> list[tuple[str, int]]:
    """The name and the parameters of each feature's model; for shares, the number of buckets twice."""
    drawn = draw(piece.stream, piece.number, piece.rows, 0)
    kind = STREAMS[piece.stream].kind
    if kind == "numeric":
        return [(one.name, one.parameters) for one in fit_hour_models(drawn.reference, drawn.reference_times, "UTC")]
    missing = kind == "missing"
    cells = (np.isnan(drawn.reference) if missing else drawn.reference).astype(np.int64)
    count = 2 if missing else CATEGORIES
    found = [fit_hour_shares(column, count, drawn.reference_times, "UTC").buckets for column in cells.T]
    return [("1 bucket" if buckets == 1 else f"{buckets} buckets", buckets) for buckets in found]


@dataclass(frozen=True, slots=True)
class Calm:
    """A stream without drift: its name, its reference, its promise, its number, and how many rows it has."""

    stream: str
    reference: str
    promise: str
    number: int
    rows: int


REFERENCES = {
    "5,000": (5_000, False),
    "1,000 with times": (1_000, True),
    "5,000 with times": (5_000, True),
    "20,000 with times": (20_000, True),
}
"""References: their rows, and whether the program knows their times."""


def count_alarms(piece: Calm) -> Alarms:
    """Count the alarms on one stream without drift."""
    rows, timed = REFERENCES[piece.reference]
    drawn = draw(piece.stream, piece.number, rows, piece.rows)
    evaluator = _evaluator(piece.stream, drawn, PROMISES[piece.promise], timed=timed)
    return alarms_of(looks(evaluator, drawn.stream, np.arange(piece.rows), times=drawn.stream_times))


@dataclass(frozen=True, slots=True)
class Shifted:
    """A stream whose first feature moves by so many standard deviations of its noise, after so many rows."""

    stream: str
    rows: int
    shift: float
    number: int
    cap: int


BEFORE_ROWS = 4_000


def delay(piece: Shifted) -> float:
    """Rows from the shift to the alarm, with a reference with times; infinity for none."""
    drawn = draw(piece.stream, piece.number, piece.rows, BEFORE_ROWS + piece.cap)
    drawn.stream[BEFORE_ROWS:, 0] += piece.shift * NOISE
    evaluator = _evaluator(piece.stream, drawn, PROMISES["30 days"], timed=True)
    for look in looks(evaluator, drawn.stream, np.arange(drawn.stream.shape[0]), times=drawn.stream_times):
        if look.rows > BEFORE_ROWS and (look.window or look.detector):
            return look.rows - BEFORE_ROWS
    return math.inf


def _evaluator(name: str, drawn: Drawn, promise: float, *, timed: bool) -> StreamEvaluator:
    kind = FeatureKind.CATEGORICAL if STREAMS[name].kind == "category" else FeatureKind.NUMERIC
    times = drawn.reference_times if timed else None
    profiles = profiles_of(drawn.reference, [kind] * FEATURES, times=times)
    return evaluator_of(profiles, budget_of(promise, TOLERANCE), times)


def run(effort: Effort) -> str:
    """The tables of models, of false alarms and of delays."""
    return "\n\n".join((_models(effort), _false_alarms(effort), _delays(effort)))


def _false_alarms(effort: Effort) -> str:
    streams, rows = effort.of(20, 1), effort.of(18_000, 3_000)
    keys = list(product(STREAMS, REFERENCES, PROMISES))
    pieces = [Calm(*key, number, rows) for key in keys for number in range(streams)]
    words = (
        f"False alarms on streams with a rhythm. Each line: {streams} streams of {rows:,} rows, {FEATURES} features, a "
        f"look every {LOOK_ROWS} rows, windows of {WINDOW_ROWS:,}, tolerance {TOLERANCE:g}; references are samples of "
        f"whole days, or weeks, before the stream."
    )
    return promise_lines(words, ("stream", "reference", "promise"), keys, list(effort.map(count_alarms, pieces)))


def _delays(effort: Effort) -> str:
    repetitions, cap = effort.of(12, 1), effort.of(15_000, 1_200)
    names = ("no rhythm", "sine, 2,000 rows a day", "office hours of a week", "sine, 20,000 rows a day")
    keys = list(product((0.5, 1.0), REFERENCE_ROWS, names))
    pieces = [Shifted(name, rows, shift, number, cap) for shift, rows, name in keys for number in range(repetitions)]
    found = list(effort.map(delay, pieces))
    cells = [waited(median(found[at : at + repetitions]), cap) for at in range(0, len(found), repetitions)]
    width = len(names)
    lines = [
        [f"+ {shift:g} s", f"{rows:,}", *cells[at * width : (at + 1) * width]]
        for at, (shift, rows) in enumerate(product((0.5, 1.0), REFERENCE_ROWS))
    ]
    words = (
        f"Rows from a shift of one of {FEATURES} features to the alarm, in standard deviations of its noise, with "
        f"references with times: median of {repetitions} runs, one false alarm in 30 days."
    )
    return f"{words}\n\n{table(['shift', 'reference', *names], lines)}"


def _models(effort: Effort) -> str:
    repetitions = effort.of(40, 1)
    keys = list(product(STREAMS, REFERENCE_ROWS))
    pieces = [Piece(stream, rows, number) for stream, rows in keys for number in range(repetitions)]
    found = list(effort.map(models, pieces))
    lines = []
    for index, (stream, rows) in enumerate(keys):
        part = [model for one in found[index * repetitions : (index + 1) * repetitions] for model in one]
        shares = [f"{name} {count / len(part):.0%}" for (name, _), count in Counter(part).most_common(3)]
        lines.append([stream, f"{rows:,}", ", ".join(shares), f"{np.median([one for _, one in part]):.0f}"])
    words = (
        f"Models of the hour that references get. Each line: {repetitions} references of whole days, {FEATURES} "
        f"features, noise of standard deviation {NOISE:g}, rhythms of amplitude 1 unless said. p is the number of "
        f"parameters of the mean, or of buckets of hours with shares of their own."
    )
    return f"{words}\n\n{table(['stream', 'rows', 'models chosen most often', 'median p'], lines)}"
