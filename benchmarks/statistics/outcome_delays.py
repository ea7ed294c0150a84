"""Rows from a change of the relation to the alarm, beside the limit and other detectors on the same errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics.engine import LOOK_ROWS, TOLERANCE
from benchmarks.statistics.intervals import median, waited
from benchmarks.statistics.outcome_engine import PROMISE_ROWS, budget_of, outcome_evaluator, watch
from benchmarks.statistics.outcome_peers import adwin, ddm, page_hinkley, running_risk
from benchmarks.statistics.outcome_streams import FOUR, LINEAR, LOGIT, World
from benchmarks.statistics.outcomes import EIGHT, REFERENCE_ROWS, Case, Piece, errors_in
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator

Floats = NDArray[np.float64]

SOUND_ROWS = 6_000
CHANGED_ROWS = 12_000

CHANGES = {
    "w turned by 15 degrees": Case(LOGIT, World(turned=15.0)),
    "w turned by 30 degrees": Case(LOGIT, World(turned=30.0)),
    "w turned by 60 degrees": Case(LOGIT, World(turned=60.0)),
    "labels flipped, 5 %": Case(LOGIT, World(flipped=0.05)),
    "labels flipped, 10 %": Case(LOGIT, World(flipped=0.1)),
    "labels flipped, 20 %": Case(LOGIT, World(flipped=0.2)),
    "positives more frequent: b + 0.5": Case(LOGIT, World(bias=0.5)),
    "positives more frequent: b + 1": Case(LOGIT, World(bias=1.0)),
    "relation sharper": Case(LOGIT, World(sharper=3.0)),
    "four classes, flipped, 20 %": Case(FOUR, World(flipped=0.2)),
    "requests of 8, flipped, 20 %": Case(LOGIT, World(alike=0.3, flipped=0.2), EIGHT),
    "numbers, bias 0.25 s": Case(LINEAR, World(bias=0.25)),
    "numbers, MAE 0.80 to 0.89": Case(LINEAR, World(sharper=1.118)),
    "numbers, weight 1 to 1.5": Case(LINEAR, World(square=0.5)),
}


@dataclass(frozen=True, slots=True)
class Delays:
    """Rows from a change to the next alarm of each.

    Args:
        loss: The mean loss before and after the change.
        near: Performance and concept at the promise of 20,000 rows.
        far: The same at 30 days.
        limits: Threshold in nats divided by the relative entropy to the tolerated share, at both promises.
        peers: ADWIN tuned to 20,000 rows, ADWIN 0.02, DDM, Page-Hinkley, and the running risk.
    """

    loss: tuple[float, float]
    near: tuple[float, float]
    far: tuple[float, float]
    limits: tuple[float, float]
    peers: tuple[float, ...]


def watch_change(piece: Piece) -> Delays:
    """Watch one stream whose relation changes after 6,000 sound rows."""
    case, rng = CHANGES[piece.name], generator(41, list(CHANGES).index(piece.name), piece.number)
    kind, sound = case.kind, replace(case.kind.world, alike=case.world.alike)
    reference = kind.draw(rng, case.kind.world, REFERENCE_ROWS, np.arange(REFERENCE_ROWS))
    requests = case.requests.draw(rng, SOUND_ROWS + piece.rows)
    before = kind.draw(rng, sound, SOUND_ROWS, requests[:SOUND_ROWS])
    after = kind.draw(rng, case.world, piece.rows, requests[SOUND_ROWS:] - requests[SOUND_ROWS])
    rows = np.vstack([before, after])
    found, limits = [], []
    for promise in (PROMISE_ROWS, None):
        evaluator = outcome_evaluator(kind.output(reference), budget_of(promise))
        found.append(watch(evaluator, rows, requests, stop_after=SOUND_ROWS).first_after(SOUND_ROWS))
        share = float(errors_in(kind, reference).mean())
        tolerated = share + evaluator.bets[0].performance.rise
        limits.append(_limit(evaluator.detector.log_climb, float(errors_in(kind, after).mean()), tolerated))
    errors = errors_in(kind, rows)
    return Delays(
        loss=(float(errors[:SOUND_ROWS].mean()), float(errors[SOUND_ROWS:].mean())),
        near=found[0],
        far=found[1],
        limits=(limits[0], limits[1]) if kind.classes else (math.inf, math.inf),
        peers=_peer_delays(errors, piece.tuned, float(errors_in(kind, reference).mean())) if kind.classes else (),
    )


def _limit(nats: float, share: float, tolerated: float) -> float:
    """Rows that any test needs on average to be so sure of a share of errors above a tolerated one (Lorden, 1971)."""
    if not 0 < tolerated < share < 1:
        return math.inf
    gain = share * math.log(share / tolerated) + (1 - share) * math.log((1 - share) / (1 - tolerated))
    return nats / gain


def _peer_delays(errors: Floats, tuned: tuple[float, float, float], share: float) -> tuple[float, ...]:
    width = math.sqrt(math.log(20) / (2 * REFERENCE_ROWS))  # Hoeffding's bound of the reference's risk, at 0.05
    peers = (
        partial(adwin, delta=tuned[0]),
        partial(adwin, delta=0.02),
        partial(ddm, threshold=tuned[1]),
        partial(page_hinkley, threshold=tuned[2]),
        partial(running_risk, upper=share + width, tolerance=TOLERANCE),
    )
    return tuple(
        min((row - SOUND_ROWS for row in peer(errors) if row > SOUND_ROWS), default=math.inf) for peer in peers
    )


def _rate(piece: tuple[str, float, int]) -> int:
    """Alarms of a peer with one setting on sound errors."""
    name, setting, rows = piece
    rng = generator(42)
    errors = errors_in(LOGIT, LOGIT.draw(rng, World(), rows, np.arange(rows)))
    peers = {"adwin": adwin, "ddm": ddm, "page_hinkley": page_hinkley}
    return len(list(peers[name](errors, setting)))


SETTINGS = {
    "adwin": (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
    "ddm": (2.6, 2.8, 3.0, 3.2, 3.4),
    "page_hinkley": (15.0, 20.0, 25.0, 30.0, 40.0, 50.0),
}
"""Settings that are tried, to find the one with about one alarm in 20,000 sound rows."""


def run(effort: Effort) -> str:
    """The table of delays."""
    repetitions, cap, tuning = effort.of(5, 1), effort.of(CHANGED_ROWS, 1_200), effort.of(300_000, 6_000)
    tried = [(name, setting, tuning) for name, settings in SETTINGS.items() for setting in settings]
    rates = dict(zip(tried, effort.map(_rate, tried), strict=True))
    tuned, said = [], []
    for name, settings in SETTINGS.items():
        apart = [abs(math.log((rates[name, one, tuning] + 0.5) * PROMISE_ROWS / tuning)) for one in settings]
        best = settings[apart.index(min(apart))]
        tuned.append(best)
        said.append(f"{name.replace('_', '-')} {best:g}: {rates[name, best, tuning]} alarms in {tuning:,} sound rows")
    chosen = (tuned[0], tuned[1], tuned[2])
    pieces = [Piece(name, number, cap, chosen) for name in CHANGES for number in range(repetitions)]
    found = list(effort.map(watch_change, pieces))
    lines = [
        _delay_line(name, found[at * repetitions : (at + 1) * repetitions], cap) for at, name in enumerate(CHANGES)
    ]
    head = [
        "change",
        "mean loss",
        "ours, 20,000 rows",
        "limit",
        "first / ADWIN",
        "first / limit",
        "ours, 30 days",
        "limit",
    ]
    head += ["ADWIN tuned", "ADWIN 0.02", "DDM tuned", "Page-Hinkley tuned", "running risk"]
    words = (
        f"Rows from the change to the next alarm, median of {repetitions} references of {REFERENCE_ROWS:,} rows, after "
        f"{SOUND_ROWS:,} sound rows; ours: performance / concept, tolerance {TOLERANCE:g}, an evaluation every "
        f"{LOOK_ROWS} rows; 30 days at two rows a second. Limit: threshold in nats divided by the relative entropy to "
        f"the tolerated share of errors. Tuned: {'; '.join(said)}. The running risk has one chance in 20 of a false "
        "alarm for all time, and the same tolerance."
    )
    return f"{words}\n\n{table(head, lines)}"


def _delay_line(name: str, found: Sequence[Delays], cap: int) -> list[str]:
    near, far = ([median([getattr(one, of)[test] for one in found]) for test in range(2)] for of in ("near", "far"))
    limits = [median([one.limits[at] for one in found]) for at in range(2)]
    peers = [median(list(each)) for each in zip(*(one.peers for one in found), strict=True)]
    loss = np.mean([one.loss for one in found], axis=0)
    first = median([min(one.near) for one in found])
    ratio = f"{first / peers[0]:.1f}" if peers and math.isfinite(first) and math.isfinite(peers[0]) else ""
    of_limit = f"{first / limits[0]:.1f}" if math.isfinite(first) and math.isfinite(limits[0]) else ""
    return [
        name,
        f"{loss[0]:.3f} to {loss[1]:.3f}",
        " / ".join(waited(one, cap) for one in near),
        f"{limits[0]:,.0f}" if math.isfinite(limits[0]) else "none",
        ratio,
        of_limit,
        " / ".join(waited(one, cap) for one in far),
        f"{limits[1]:,.0f}" if math.isfinite(limits[1]) else "none",
        *([waited(one, cap) for one in peers] or ["", "", "", "", ""]),
    ]
