"""Unlucky references: one reference is compared with every window. The effect on p-values and on the budget."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import ALPHA, LOOK_ROWS, WINDOW_ROWS, budget_of, evaluator_of, looks, profiles_of
from benchmarks.statistics.false_alarms import INPUTS, PROMISE, Outcome, joined, outcome_of
from benchmarks.statistics.intervals import Apart
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.budget import reference_error
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.statistics.ks import sorted_ks_statistic
from driftgauge.drift.statistics.p_value import PValues

SIZES = (500, 1_000, 2_000, 5_000, 20_000, 50_000)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Piece:
    """All references of one size.

    Args:
        rows: Rows of each reference.
        references: The number of references.
        windows: Independent windows that each reference is compared with.
        runs: Streams that the unluckiest reference is compared with.
        looks: Looks at each stream.
    """

    rows: int
    references: int
    windows: int
    runs: int
    looks: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of the references of one size.

    Args:
        plain: Shape `(references,)`: share of windows with p < 0.05.
        budget: Shape `(references,)`: share of windows above the budget's threshold, without tolerance.
        worst: The unluckiest reference's distance from the truth.
        watched: The outcome of its streams.
    """

    plain: Floats
    budget: Floats
    worst: float
    watched: Outcome


def error(reference: Floats) -> float:
    """The KS distance between a sorted sample of uniform values and the truth."""
    m = reference.size
    rank = np.arange(m)
    return float(max(((rank + 1) / m - reference).max(), (reference - rank / m).max()))


def compare(piece: Piece) -> Outcomes:
    """Draw references; compare each with windows, and the unluckiest one with streams."""
    rng, p_values = generator(2, piece.rows), PValues()
    references = np.sort(rng.random((piece.references, piece.rows)), axis=1)
    found = np.array([_distances(one, piece.windows, rng) for one in references])
    thresholds = p_values.critical_statistic(piece.rows, WINDOW_ROWS, ALPHA), _threshold(piece.rows)
    errors = [error(one) for one in references]
    unluckiest = references[int(np.argmax(errors))]
    watched = joined([_watched(unluckiest, piece.looks, rng) for _ in range(piece.runs)])
    return Outcomes((found >= thresholds[0]).mean(axis=1), (found > thresholds[1]).mean(axis=1), max(errors), watched)


def run(effort: Effort) -> str:
    """The table."""
    count, windows = effort.of(200, 10), effort.of(100, 10)
    pieces = [Piece(rows, count, windows, effort.of(6, 1), effort.of(500, 60)) for rows in SIZES]
    lines = [_line(piece, found) for piece, found in zip(pieces, effort.map(compare, pieces), strict=True)]
    head = ["reference rows", "p < 0.05: mean", "95th of 100", "unluckiest", "budget: mean", "unluckiest"]
    head += ["its distance", "its looks to an alarm", "window + detector"]
    return f"{_words(count, windows, pieces[0])}\n\n{table(head, lines)}"


def _distances(reference: Floats, windows: int, rng: np.random.Generator) -> Floats:
    drawn = np.sort(rng.random((windows, WINDOW_ROWS)), axis=1)
    return np.array([sorted_ks_statistic(reference, window) for window in drawn])


def _threshold(rows: int) -> float:
    return budget_of(PROMISE, 0.0).ks_threshold(rows, WINDOW_ROWS, 1)


def _watched(reference: Floats, length: int, rng: np.random.Generator) -> Outcome:
    profiles = profiles_of(reference[:, np.newaxis], [FeatureKind.NUMERIC])
    rows = LOOK_ROWS * length
    evaluator = evaluator_of(profiles, budget_of(PROMISE, 0.0))
    return outcome_of(list(looks(evaluator, rng.random((rows, 1)), np.arange(rows, dtype=np.int64))))


def _line(piece: Piece, found: Outcomes) -> list[str]:
    plain = [found.plain.mean(), np.quantile(found.plain, 0.95), found.plain.max()]
    budget = [found.budget.mean(), found.budget.max()]
    shares = [f"{share:.1%}" for share in plain] + [f"{share:.2%}" for share in budget]
    apart = str(Apart(found.watched.quiet, found.watched.alarms))
    allowed = reference_error(piece.rows, 1)
    alarms = f"{found.watched.windows} + {found.watched.detectors}"
    return [f"{piece.rows:,}", *shares, f"{found.worst:.3f} ({allowed:.3f})", apart, alarms]


def _words(count: int, windows: int, piece: Piece) -> str:
    allowed = budget_of(PROMISE, 0.0).level
    return (
        f"One feature, {count} references of each size, {windows} independent windows of {WINDOW_ROWS:,} rows each: "
        f"share of windows in alarm, nominally {ALPHA:.0%} by p-value and at most {allowed:.2%} by the budget, "
        "tolerance 0. The unluckiest reference by p-value and by budget is the one with the most alarms. The last "
        f"three columns are of the reference that lies farthest from the truth: {piece.runs} streams of {piece.looks} "
        f"looks, promise {INPUTS} looks. The thresholds allow for the distance in brackets."
    )
