"""False alarms on streams without drift, compared with the promise."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.statistics.engine import (
    LOOK_ROWS,
    TOLERANCE,
    WINDOW_ROWS,
    Look,
    budget_of,
    evaluator_of,
    looks,
    profiles_of,
)
from benchmarks.statistics.intervals import Apart
from benchmarks.statistics.streams import STREAMS
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator

PROMISE = 100
"""Looks between two false alarms in the budget: so few that a run of ordinary length could break the promise."""

INPUTS = 2 * PROMISE
"""The inputs have half of the budget, the predictions the other half."""

FEATURES = 3
REFERENCE_ROWS = 5_000
TOLERANCES = (0.0, TOLERANCE)


@dataclass(frozen=True, slots=True)
class Piece:
    """One reference and one stream.

    Args:
        stream: The stream's name.
        tolerance: The budget's tolerance.
        number: The number of the reference.
        looks: The number of looks.
    """

    stream: str
    tolerance: float
    number: int
    looks: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one run, or of several.

    Args:
        looks: All looks.
        quiet: Looks without an alarm.
        alarms: Alarms of window or detector that began.
        windows: Alarms of the window that began.
        detectors: Alarms of the detector that began.
        plain: Looks at which the plain rule alarms.
        factor: Rows / effective rows, mean over the looks.
        unlucky: References with an alarm.
    """

    looks: int
    quiet: int
    alarms: int
    windows: int
    detectors: int
    plain: int
    factor: float
    unlucky: int


def begun(flags: Sequence[bool]) -> int:
    """How often something begins in a series of looks."""
    return sum(now and not before for before, now in zip([False, *flags[:-1]], flags, strict=True))


def outcome_of(seen: Sequence[Look]) -> Outcome:
    """The outcome of one run of at least one look."""
    either = [look.window or look.detector for look in seen]
    return Outcome(
        looks=len(seen),
        quiet=either.count(False),
        alarms=begun(either),
        windows=begun([look.window for look in seen]),
        detectors=begun([look.detector for look in seen]),
        plain=sum(look.plain for look in seen),
        factor=float(np.mean([look.factor for look in seen[len(seen) // 2 :]])),
        unlucky=int(any(either)),
    )


def watch(piece: Piece) -> Outcome:
    """Evaluate one stream against one reference, look by look."""
    rng = generator(1, list(STREAMS).index(piece.stream), piece.number)
    stream = STREAMS[piece.stream]
    profiles = profiles_of(stream.single(rng, REFERENCE_ROWS, FEATURES), [stream.kind] * FEATURES)
    rows = LOOK_ROWS * piece.looks
    evaluator = evaluator_of(profiles, budget_of(PROMISE, piece.tolerance))
    return outcome_of(list(looks(evaluator, stream.draw(rng, rows, FEATURES), stream.requests(rows))))


def joined(found: Sequence[Outcome]) -> Outcome:
    """The outcomes of several runs as one."""
    return Outcome(
        looks=sum(one.looks for one in found),
        quiet=sum(one.quiet for one in found),
        alarms=sum(one.alarms for one in found),
        windows=sum(one.windows for one in found),
        detectors=sum(one.detectors for one in found),
        plain=sum(one.plain for one in found),
        factor=float(np.mean([one.factor for one in found])),
        unlucky=sum(one.unlucky for one in found),
    )


def run(effort: Effort) -> str:
    """The table."""
    references, length = effort.of(8, 2), effort.of(500, 60)
    cases = list(product(STREAMS, TOLERANCES))
    pieces = [Piece(*case, number, length) for case in cases for number in range(references)]
    found = list(effort.map(watch, pieces))
    runs = {case: joined(found[at * references : (at + 1) * references]) for at, case in enumerate(cases)}
    lines = [_line(name, [runs[name, tolerance] for tolerance in TOLERANCES], references) for name in STREAMS]
    head = ["stream", "rows / effective", "p < 0.05, Holm: looks in alarm"]
    for tolerance in TOLERANCES:
        head += [f"tolerance {tolerance:g}: looks to an alarm", "window + detector", "references"]
    return f"{_words(references, length)}\n\n{table(head, lines)}"


def _line(name: str, runs: Sequence[Outcome], references: int) -> list[str]:
    line = [name, f"{runs[0].factor:.2f}", f"{runs[0].plain / runs[0].looks:.1%}"]
    for one in runs:
        line += [str(Apart(one.quiet, one.alarms)), f"{one.windows} + {one.detectors}"]
        line.append(f"{one.unlucky} of {references}")
    return line


def _words(references: int, length: int) -> str:
    return (
        f"Promise: at least {INPUTS} looks from one false alarm of the inputs to the next. Each line: {references} "
        f"references of {REFERENCE_ROWS:,} rows, {FEATURES} features, {length} looks each, one every {LOOK_ROWS} "
        f"rows, windows of {WINDOW_ROWS:,}. In brackets the exact 95 % interval of Poisson counts (Garwood); alarms "
        "that share a reference cluster, so the references with an alarm are counted too. Correlations are those of "
        "neighbours, or of rows of one request."
    )
