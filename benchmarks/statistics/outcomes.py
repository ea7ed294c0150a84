"""False alarms of outcomes beside the promise, and those of other detectors on the same errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import LOOK_ROWS, TOLERANCE
from benchmarks.statistics.intervals import Apart
from benchmarks.statistics.outcome_arrivals import Arrival, times_of, watch_arrivals
from benchmarks.statistics.outcome_engine import PROMISE_ROWS, budget_of, outcome_evaluator, watch
from benchmarks.statistics.outcome_peers import adwin, ddm, page_hinkley
from benchmarks.statistics.outcome_streams import FOUR, LINEAR, LOGIT, WRONG, Kind, Requests, World
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.outcomes.labelled_responses import TimedRows
from driftgauge.drift.outcomes.prediction_bins import errors_of

Floats = NDArray[np.float64]

REFERENCE_ROWS = 5_000
SAMPLE_ROWS = 2_000


SINGLE = Requests()


@dataclass(frozen=True, slots=True)
class Case:
    """A stream.

    Args:
        kind: The kind of its outcomes.
        world: The world of the stream, or of its rows after the change.
        requests: Its requests.
        arrival: How its labels come; `None` for all rows of a response together, in order.
    """

    kind: Kind
    world: World
    requests: Requests = SINGLE
    arrival: Arrival | None = None


EIGHT, UNEQUAL = Requests(8), Requests(8, unequal=True)

QUIET = {
    "no change": Case(LOGIT, World()),
    "labels flipped: errors up by the tolerance": Case(LOGIT, World(flipped=0.0265)),
    "inputs moved: x1 + 1 s": Case(LOGIT, World(moved=(0, 1.0))),
    "inputs moved: x5 + 3 s, without effect": Case(LOGIT, World(moved=(4, 3.0))),
    "inputs harder: half as far from the border": Case(LOGIT, World(harder=0.5)),
    "inputs easier: half as far again": Case(LOGIT, World(harder=1.5)),
    "requests of 8 alike rows": Case(LOGIT, World(alike=0.3), EIGHT),
    "requests of 1 to 16 alike rows": Case(LOGIT, World(alike=0.3), UNEQUAL),
    "days of 2,000 rows: harder and easier": Case(LOGIT, World(day=2_000)),
    "wrong model, no change": Case(WRONG, World(square=0.3)),
    "wrong model, x1 + 1 s": Case(WRONG, World(square=0.3, moved=(0, 1.0))),
    "wrong model, x1 + 2 s": Case(WRONG, World(square=0.3, moved=(0, 2.0))),
    "four classes, no change": Case(FOUR, World()),
    "four classes, x1 + 1 s": Case(FOUR, World(moved=(0, 1.0))),
    "numbers, no change": Case(LINEAR, World()),
    "numbers, x1 + 1 s": Case(LINEAR, World(moved=(0, 1.0))),
    "responses of 8 alike rows, labelled one row at a time, mixed": Case(
        LOGIT, World(alike=0.3), EIGHT, Arrival(delay=500)
    ),
    "responses of 8 alike rows, the first rows of 500 labelled, then the second ones, and so on": Case(
        LOGIT, World(alike=0.3), EIGHT, Arrival(passes=500)
    ),
    "the same, all rows of a response equal": Case(LOGIT, World(alike=1.0), EIGHT, Arrival(passes=500)),
    "responses of 1 to 16 alike rows, labelled in three parts, mixed": Case(
        LOGIT, World(alike=0.3), UNEQUAL, Arrival(delay=1_000, parts=3)
    ),
    "labels of unsure predictions for 5,000 responses, then random ones for 5,000, and so on": Case(
        LOGIT, World(), arrival=Arrival(selected=True)
    ),
}
"""Streams in which the relation is that of the reference, or within the tolerance."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One reference and one stream.

    Args:
        name: The name of the case.
        number: The number of the reference.
        rows: Rows of the stream.
        tuned: Settings of the peers.
    """

    name: str
    number: int
    rows: int
    tuned: tuple[float, float, float] = (0.002, 3.0, 50.0)


@dataclass(frozen=True, slots=True)
class Quiet:
    """The alarms on a stream without a change.

    Args:
        rows: Its rows.
        shares: The mean loss of the reference, and of the stream.
        alarms: Alarms of performance, and of concept.
        peers: Alarms of ADWIN (default), DDM and Page-Hinkley; empty for numbers.
    """

    rows: int
    shares: tuple[float, float]
    alarms: tuple[int, int]
    peers: tuple[int, ...]


def reference_world(case: Case) -> World:
    """The world of a case's reference: its rows are alike as those of the stream are, but otherwise as known."""
    return replace(case.kind.world, day=case.world.day)


def errors_in(kind: Kind, rows: Floats) -> Floats:
    """The errors of rows: 0 or 1, of numbers absolute ones."""
    output = kind.output(rows)
    return np.abs(errors_of(output.task, output.reference))


def watch_quiet(piece: Piece) -> Quiet:
    """Watch one stream without a change."""
    case, rng = QUIET[piece.name], generator(40, list(QUIET).index(piece.name), piece.number)
    single = np.arange(REFERENCE_ROWS)
    reference = case.kind.draw(rng, reference_world(case), REFERENCE_ROWS, single)
    requests = case.requests.draw(rng, piece.rows)
    rows = case.kind.draw(rng, case.world, piece.rows, requests)
    evaluator = outcome_evaluator(case.kind.output(reference), budget_of(PROMISE_ROWS))
    if case.arrival is None:
        found = watch(evaluator, rows, requests)
    else:
        order, sampler = case.arrival.order(rng, rows, requests), _sampler(rows, requests, rng)
        rows, requests = rows[order], requests[order]
        found = watch_arrivals(evaluator, rows, requests, sampler if case.arrival.selected else None)
    errors = errors_in(case.kind, rows)
    peers = (adwin, ddm, page_hinkley) if case.kind.classes else ()
    return Quiet(
        rows=rows.shape[0],
        shares=(float(errors_in(case.kind, reference).mean()), float(errors.mean())),
        alarms=(len(found.performance), len(found.concept)),
        peers=tuple(len(list(peer(errors))) for peer in peers),
    )


def _sampler(
    rows: Floats, responses: NDArray[np.int64], rng: np.random.Generator
) -> Callable[[float, float], TimedRows]:
    """Draws at most 2,000 of all responses of a time without their labels, as the store does at each evaluation."""
    times = times_of(responses)

    def sample(start: float, end: float) -> TimedRows:
        """Some rows of that time."""
        places = np.flatnonzero((times >= start) & (times <= end))
        chosen = np.sort(rng.choice(places, min(SAMPLE_ROWS, places.size), replace=False))
        return TimedRows(rows[chosen, :2], times[chosen])

    return sample


def run(effort: Effort) -> str:
    """The table of false alarms."""
    references, rows = effort.of(4, 1), effort.of(30_000, 3_000)
    pieces = [Piece(name, number, rows) for name in QUIET for number in range(references)]
    found = list(effort.map(watch_quiet, pieces))
    lines = [_quiet_line(name, found[at * references : (at + 1) * references]) for at, name in enumerate(QUIET)]
    head = ["stream", "mean loss: reference, stream", "performance: rows to an alarm", "alarms"]
    head += ["concept: rows to an alarm", "alarms", "ADWIN, DDM, Page-Hinkley: alarms"]
    words = (
        f"Promise: at least {PROMISE_ROWS:,} rows from one false alarm of outcomes to the next. Each line: "
        f"{references} references of {REFERENCE_ROWS:,} rows, {rows:,} rows each, one evaluation every {LOOK_ROWS} "
        f"rows, tolerance {TOLERANCE:g}. In brackets the exact 95 % interval (Garwood). Performance may alarm where "
        "inputs are harder; concept may not. Labels that come one at a time come 500 rows after the response on "
        "average, those in parts 1,000. Of unsure predictions (confidence under 0.8) all are labelled, and one in ten "
        "of the others. The other detectors have their defaults, which promise nothing, and see the same "
        "errors."
    )
    return f"{words}\n\n{table(head, lines)}"


def _quiet_line(name: str, found: Sequence[Quiet]) -> list[str]:
    rows = sum(one.rows for one in found)
    shares = np.mean([one.shares for one in found], axis=0)
    alarms = [sum(one.alarms[test] for one in found) for test in range(2)]
    peers = [str(sum(counts)) for counts in zip(*(one.peers for one in found), strict=True)]
    return [
        name,
        f"{shares[0]:.3f}, {shares[1]:.3f}",
        *(text for count in alarms for text in (str(Apart(rows, count)), str(count))),
        ", ".join(peers),
    ]
