"""Which labels come, and when: late and chosen ones; and wines whose tasters change their minds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_predict

from benchmarks.statistics.engine import LOOK_ROWS, LOOK_SECONDS
from benchmarks.statistics.intervals import median, waited
from benchmarks.statistics.outcome_engine import PROMISE_ROWS, Alarms, budget_of, outcome_evaluator, watch
from benchmarks.statistics.outcome_streams import CLASSES, LOGIT, Kind, World
from benchmarks.statistics.outcomes import REFERENCE_ROWS
from benchmarks.statistics.tables import table
from benchmarks.statistics.wine import REFERENCE, wines
from benchmarks.statistics.work import Effort, generator

Floats = NDArray[np.float64]

DELAY_ROWS = 4_000

RARE = World(bias=-1.0)
"""Positives are one in four: fraud, failures."""

LABELS = (
    "at once",
    "after 4,000 rows on average, whatever they are",
    "positives at once, negatives 4,000 rows later",
    "negatives at once, positives 4,000 rows later",
    "positives at once, negatives later, judged 4,000 rows old in the order of the responses",
    "all where the confidence is under 0.8, else one in ten",
    "all where the model says 1, else one in ten",
)

WINES = ("as the tasters of the reference", "a grade less above the median of alcohol")


@dataclass(frozen=True, slots=True)
class Piece:
    """One stream.

    Args:
        name: Of `LABELS` or of `WINES`.
        number: The number of the stream.
        rows: Its rows.
    """

    name: str
    number: int
    rows: int


def watch_labels(piece: Piece) -> Alarms:
    """Watch a stream in which nothing changes but which labels come, and when."""
    at, rng = LABELS.index(piece.name), generator(43, piece.number)
    reference = LOGIT.draw(rng, RARE, REFERENCE_ROWS, np.arange(REFERENCE_ROWS))
    rows = LOGIT.draw(rng, RARE, piece.rows, np.arange(piece.rows))
    given, positive = np.arange(piece.rows), rows[:, 2] == 1
    late = {
        1: rng.exponential(DELAY_ROWS, piece.rows),
        2: np.where(positive, 0, DELAY_ROWS),
        3: np.where(positive, DELAY_ROWS, 0),
    }.get(at, np.zeros(piece.rows))
    chosen = np.ones(piece.rows, dtype=np.bool_)
    if at >= len(LABELS) - 2:
        asked = rows[:, 1] < 0.8 if at == len(LABELS) - 2 else rows[:, 0] == 1  # noqa: PLR2004 - as the name says
        chosen = asked | (rng.random(piece.rows) < 1 / 10)
    come = given + late
    order = np.argsort(come, kind="stable")
    order = order[chosen[order] & (come[order] < piece.rows)]
    times = given[order] * (LOOK_SECONDS / LOOK_ROWS)
    evaluator = outcome_evaluator(LOGIT.output(reference), budget_of(PROMISE_ROWS))
    return watch(evaluator, rows[order], np.arange(order.size), times)


@lru_cache(maxsize=1)
def tasted() -> tuple[Floats, Floats]:
    """The red wines of the reference with predictions out of fold: prediction, confidence, grade; and their alcohol."""
    inputs = wines(REFERENCE)
    grades = np.loadtxt(f"examples/wine/{REFERENCE.replace('.', '_quality.')}", skiprows=1)
    forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=3, random_state=0)
    chances = cross_val_predict(forest, inputs, grades, cv=5, method="predict_proba")
    said = np.unique(grades)[chances.argmax(axis=1)]
    return np.stack([said, chances.max(axis=1), grades], axis=1), inputs[:, -1]


def watch_wines(piece: Piece) -> Alarms:
    """Half of the wines are the reference; the others are drawn again and again, and at last tasted otherwise."""
    rng, (rows, alcohol) = generator(44, piece.number), tasted()
    mixed = rng.permutation(rows.shape[0])
    known, others = mixed[: mixed.size // 2], mixed[mixed.size // 2 :]
    drawn = rng.choice(others, 2 * piece.rows)
    stream = rows[drawn]
    changed = np.arange(2 * piece.rows) >= piece.rows
    if piece.name == WINES[1]:
        stream[:, 2] -= changed & (alcohol[drawn] > np.median(alcohol))
    kind = Kind(LOGIT.draw, CLASSES, 10)
    return watch(outcome_evaluator(kind.output(rows[known]), budget_of(None)), stream, np.arange(drawn.size))


def run(effort: Effort) -> str:
    """The tables."""
    streams, rows = effort.of(4, 1), effort.of(20_000, 6_000)
    pieces = [Piece(name, number, rows) for name in LABELS for number in range(streams)]
    found = list(effort.map(watch_labels, pieces))
    lines = [_line(name, found[at * streams : (at + 1) * streams]) for at, name in enumerate(LABELS)]
    words = (
        f"Nothing changes but which labels come, and when: {streams} streams of {rows:,} rows each, references of "
        f"{REFERENCE_ROWS:,}, promise {PROMISE_ROWS:,} rows, streams with a false alarm. The performance is judged "
        "here without the test for selection, which withholds it in the last two lines."
    )
    tables = f"{words}\n\n{table(['labels', 'performance', 'concept'], lines)}"
    taste = [Piece(name, number, effort.of(6_000, 1_200)) for name in WINES for number in range(streams)]
    judged = list(effort.map(watch_wines, taste))
    drawn = taste[0].rows
    lines = [_wine_line(name, judged[at * streams : (at + 1) * streams], drawn) for at, name in enumerate(WINES)]
    words = (
        "Wines: grades of a forest by predictions out of fold; 500 red wines are the reference, the other 500 the "
        f"stream, {drawn:,} rows before the tasters change and {drawn:,} after; 30 days, median rows to the next alarm."
    )
    head = ["tasters", "alarms before", "performance", "concept"]
    return f"{tables}\n\n{words}\n\n{table(head, lines)}"


def _line(name: str, found: Sequence[Alarms]) -> list[str]:
    counts = [
        sum(bool(one) for one in of) for of in zip(*((one.performance, one.concept) for one in found), strict=True)
    ]
    return [name, *(f"{count} of {len(found)}" for count in counts)]


def _wine_line(name: str, found: Sequence[Alarms], rows: int) -> list[str]:
    before = sum(at <= rows for one in found for at in (*one.performance, *one.concept))
    after = [median([one.first_after(rows)[test] for one in found]) for test in range(2)]
    return [name, str(before), *(waited(one, rows) for one in after)]
