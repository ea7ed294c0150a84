"""Other tools' default rules: false alarms on ten features without drift, and delay, on the same streams."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.statistics.cases import CASES, FEATURES, kinds_of, rows_of, stream_of
from benchmarks.statistics.engine import DAY_SECONDS, DEFAULT, LOOK_ROWS, LOOK_SECONDS, evaluator_of, looks, profiles_of
from benchmarks.statistics.intervals import garwood, median, waited
from benchmarks.statistics.peers import BLIND_TO_CATEGORIES, PEERS, Floats, Kinds
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.profile import FeatureKind

REFERENCE_ROWS = 5_000

DAY_ROWS = int(DAY_SECONDS / LOOK_SECONDS * LOOK_ROWS)

OURS = "driftgauge"

HEALTHY = ""
"""The case without a change."""

SHOWN = ("mean + 0.25 s", "mean + 0.5 s", "mean + 1 s", "scale x 1.5", "category 10 % to 30 %")


@dataclass(frozen=True, slots=True)
class Piece:
    """One stream that all rules are run on.

    Args:
        case: What changes; `HEALTHY` for nothing.
        number: The number of the repetition.
        before: Rows before the change.
        after: Rows after it.
    """

    case: str
    number: int
    before: int
    after: int


def run_rules(piece: Piece) -> dict[str, list[int]]:
    """Run all rules on one stream: the rows from the change to each alarm of each rule."""
    case = CASES[piece.case or SHOWN[0]]
    rng = generator(4, SHOWN.index(piece.case) + 1 if piece.case else 0, piece.number)
    reference = rows_of(case.before, rng, REFERENCE_ROWS)
    before = piece.before + int(rng.integers(1_000))  # a change comes at any moment of a window
    stream = stream_of(case, rng, before, piece.after)
    rules = {**PEERS, OURS: driftgauge}
    alarms = {name: rule(reference, stream, kinds_of(case)) for name, rule in rules.items()}
    return {name: [row - before for row in rows] for name, rows in alarms.items()}


def driftgauge(reference: Floats, stream: Floats, kinds: Kinds) -> list[int]:
    """The looks at which driftgauge with its defaults alarms."""
    evaluator = evaluator_of(profiles_of(reference, kinds), DEFAULT)
    seen = looks(evaluator, stream, np.arange(stream.shape[0], dtype=np.int64))
    return [look.rows for look in seen if look.window or look.detector]


def run(effort: Effort) -> str:
    """The table."""
    runs, repetitions = effort.of(16, 2), effort.of(12, 2)
    length, cap = effort.of(12_000, 3_000), effort.of(4_000, 2_000)
    healthy = [Piece(HEALTHY, number, length, 0) for number in range(runs)]
    changed = [Piece(case, number, 2_000, cap) for case in SHOWN for number in range(repetitions)]
    found = list(effort.map(run_rules, [*healthy, *changed]))
    lines = []
    for name in (*PEERS, OURS):
        delays = [
            _delay(name, case, found[runs + at * repetitions :][:repetitions], cap) for at, case in enumerate(SHOWN)
        ]
        lines.append([name, *_rate(name, found[:runs], runs * (length + 500)), *delays])
    head = ["rule", "alarms without drift, a day", "rows to one", *SHOWN]
    return f"{_words(runs, length, repetitions)}\n\n{table(head, lines)}"


def _rate(name: str, found: Sequence[dict[str, list[int]]], rows: int) -> list[str]:
    count = sum(len(one[name]) for one in found)
    low, high = (limit / rows * DAY_ROWS for limit in garwood(count))
    apart = f"{rows / count:,.0f}" if count else f"over {rows / garwood(0)[1]:,.0f}"
    return [f"{count / rows * DAY_ROWS:,.0f} ({low:,.0f} to {high:,.0f})" if count else f"under {high:,.0f}", apart]


def _delay(name: str, case: str, found: Sequence[dict[str, list[int]]], cap: int) -> str:
    if name in BLIND_TO_CATEGORIES and CASES[case].kind is FeatureKind.CATEGORICAL:
        return "not tested"
    return waited(median([next((row for row in one[name] if row > 0), math.inf) for one in found]), cap)


def _words(runs: int, length: int, repetitions: int) -> str:
    return (
        f"{FEATURES} features, references of {REFERENCE_ROWS:,} rows. Alarms without drift: {runs} references, "
        f"{length:,} rows or more each, scaled to a day of {DAY_ROWS:,} rows (2 a second), in brackets the exact 95 % "
        f"interval (Garwood), of decisions that alarm, each counted. Then, with {repetitions} references each, the "
        "median of rows from a change of one feature to the next alarm, whether the change or chance raised it: read "
        "a short delay beside its rate. Each rule has its tool's defaults; missing values are outside of all these "
        "rules but ours."
    )
