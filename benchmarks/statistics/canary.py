"""Canaries: releases of the same model that fail, looked at every minute of an hour, and how soon a worse one fails."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from benchmarks.statistics.canary_streams import MINUTES, Canary, Release, run_release
from benchmarks.statistics.intervals import garwood
from benchmarks.statistics.tables import table
from benchmarks.statistics.work import Effort, generator
from driftgauge.drift.canary.compared_rows import ComparedRows, RevisionRows, add_rows, no_rows
from driftgauge.drift.canary.compared_traffic import add_traffic, no_traffic
from driftgauge.drift.canary.criteria import (
    INPUTS,
    RULES,
    Criterion,
    CriterionState,
    judge_accuracy,
    judge_drift,
    judge_errors,
    judge_latency,
)
from driftgauge.drift.canary.request_scores import error_scores, score_count, table_scores
from driftgauge.drift.canary.strata import SLOT_SECONDS
from driftgauge.drift.canary.tilt_evidence import TiltRule
from driftgauge.drift.profile import FeatureKind

_KINDS = (FeatureKind.NUMERIC,)
_MIN_REQUESTS = 30

RELEASES = {
    "0.5 requests/s": Release(rate=0.5),
    "1 request/s": Release(rate=1.0),
    "1 request/s, rows of a request equal": Release(rate=1.0, alike=1.0),
    "2 requests/s, 5 % canary, 0.1 % errors": Release(rate=2.0, share=(0.05, 0.05), errors=0.001),
    "2 requests/s, 5 % errors": Release(rate=2.0, errors=0.05),
    "2 requests/s, 10 outages of 60 s": Release(rate=2.0, outages=10, outage_seconds=60.0),
}
"""Traffic in which a canary that is the same model must not fail."""

TOLERATED = {
    "predictions + 0.05 sd": (Criterion.DRIFT, Canary(shift=0.05)),
    "errors x 1.2": (Criterion.ERRORS, Canary(failing=1.2)),
    "latency x 1.18": (Criterion.LATENCY, Canary(slower=1.18)),
    "wrong 12 % to 13.1 %": (Criterion.ACCURACY, Canary(wrong=0.131)),
}
"""Canaries that differ by what is tolerated, with the criterion that is to tolerate it."""

WORSE = {
    "predictions + 0.1 sd": (Criterion.DRIFT, Canary(shift=0.1)),
    "predictions + 0.25 sd": (Criterion.DRIFT, Canary(shift=0.25)),
    "predictions + 0.5 sd": (Criterion.DRIFT, Canary(shift=0.5)),
    "errors x 1.5": (Criterion.ERRORS, Canary(failing=1.5)),
    "errors x 3": (Criterion.ERRORS, Canary(failing=3.0)),
    "errors x 10": (Criterion.ERRORS, Canary(failing=10.0)),
    "latency x 1.25": (Criterion.LATENCY, Canary(slower=1.25)),
    "latency x 1.5": (Criterion.LATENCY, Canary(slower=1.5)),
    "latency x 2": (Criterion.LATENCY, Canary(slower=2.0)),
    "wrong 12 % to 16 %": (Criterion.ACCURACY, Canary(wrong=0.16)),
    "wrong 12 % to 20 %": (Criterion.ACCURACY, Canary(wrong=0.20)),
    "wrong 12 % to 30 %": (Criterion.ACCURACY, Canary(wrong=0.30)),
}
"""Canaries that are worse, with the criterion that is to find it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One release.

    Args:
        release: Its traffic.
        canary: How its canary differs.
        place: The index of its line in the table.
        number: Its number in that line.
        awaited: The criterion that is looked at every minute until it fails; `None` for one look after the hour. The
            evidence changes at the end of each stratum, whenever it is looked at, and the most that there ever was is
            kept. So one look finds whether a criterion failed at any look.
    """

    release: Release
    canary: Canary
    place: int
    number: int
    awaited: Criterion | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """When a criterion first failed.

    Args:
        minute: The look, from 1; infinity for never.
        requests: Requests of the canary that were compared until then.
    """

    minute: float = math.inf
    requests: float = math.inf


def watch_release(piece: Piece) -> dict[Criterion, Failure]:
    """Look at a release with the product's own code; when each criterion first failed."""
    canary, stable = run_release(piece.release, piece.canary, generator(61, piece.place, piece.number))
    scores, found = partial(table_scores, _KINDS), dict.fromkeys(Criterion, Failure())
    inputs, predictions = (no_rows(1, sum(map(score_count, _KINDS))) for _ in range(2))
    losses, traffic = no_rows(1, 1), no_traffic()
    for minute in (MINUTES,) if piece.awaited is None else range(1, MINUTES + 1):
        until = 60.0 * minute

        def add(known: ComparedRows, rule: TiltRule, parts: tuple[RevisionRows, RevisionRows]) -> ComparedRows:
            """Compare the rows of the newest minute."""
            made = error_scores if rule is RULES[Criterion.ACCURACY] else scores
            return add_rows(known, rule, made, parts[0], parts[1], until)  # noqa: B023 - called within this round

        inputs = add(inputs, INPUTS, (canary.inputs, stable.inputs))
        predictions = add(predictions, RULES[Criterion.DRIFT], (canary.predictions, stable.predictions))
        losses = add(losses, RULES[Criterion.ACCURACY], (canary.losses, stable.losses))
        rules = RULES[Criterion.ERRORS], RULES[Criterion.LATENCY]
        last = int(until // SLOT_SECONDS) - 1
        traffic = add_traffic(traffic, rules, canary.slots, stable.slots, last, with_interval=False)
        for result in (
            judge_drift(predictions, inputs, _MIN_REQUESTS, ""),
            judge_errors(traffic, _MIN_REQUESTS),
            judge_latency(traffic, _MIN_REQUESTS),
            judge_accuracy(losses, _MIN_REQUESTS, ""),
        ):
            if result.state is CriterionState.FAILED and found[result.criterion].minute == math.inf:
                found[result.criterion] = Failure(minute, result.requests[0])
        if piece.awaited is not None and found[piece.awaited].minute < math.inf:
            break
    return found


def run(effort: Effort) -> str:
    """The three tables."""
    return "\n\n".join((_false_failures(effort), _tolerated(effort), _delays(effort)))


def _false_failures(effort: Effort) -> str:
    each = effort.of(200, 4)
    pieces = [
        Piece(release, Canary(), place, number)
        for (place, release), number in product(enumerate(RELEASES.values()), range(each))
    ]
    found = list(effort.map(watch_release, pieces))
    lines = list(_failure_lines(found, each))
    words = (
        f"Releases of the same model that fail at any look. Each line: {each} releases, looked at every minute of an "
        f"hour. Requests have lengths of a Pareto distribution (shape 1.2, at most 50), rows of one request a "
        f"correlation of 0.5 but where said; the share of the canary grows from 10 % to 50 %; traffic, inputs, "
        f"predictions and latencies move with the hour, and in three outages of 20 s but where said half of the "
        f"requests of both fail."
    )
    return f"{words}\n\n{table(['traffic', *Criterion, 'any', 'share, 95 % interval'], lines)}"


def _failure_lines(found: list[dict[Criterion, Failure]], each: int) -> Iterator[list[object]]:
    failed = np.array([[one[criterion].minute < math.inf for criterion in Criterion] for one in found])
    for place, name in enumerate((*RELEASES, "all")):
        part = failed[place * each : (place + 1) * each] if name != "all" else failed
        count = int(part.any(axis=1).sum())
        low, high = (100 * end / len(part) for end in garwood(count))
        yield [name, *part.sum(axis=0).tolist(), count, f"{low:.2g} % to {high:.2g} %"]


def _tolerated(effort: Effort) -> str:
    each = effort.of(100, 2)
    pieces = [
        Piece(Release(rate=10.0), canary, 200 + place, number)
        for (place, (_, canary)), number in product(enumerate(TOLERATED.values()), range(each))
    ]
    found = list(effort.map(watch_release, pieces))
    lines: list[list[object]] = []
    for place, (name, (criterion, _)) in enumerate(TOLERATED.items()):
        mine = [one[criterion].minute < math.inf for one in found[place * each : (place + 1) * each]]
        low, high = (100 * end / each for end in garwood(sum(mine)))
        lines.append([name, criterion, sum(mine), f"{low:.2g} % to {high:.2g} %"])
    words = (
        f"Canaries that differ, but by no more than is tolerated, at 10 requests a second: {each} releases each. At "
        f"most 5 % may fail by the criterion."
    )
    return f"{words}\n\n{table(['canary', 'criterion', 'failed', 'share, 95 % interval'], lines)}"


def _delays(effort: Effort) -> str:
    each = effort.of(40, 1)
    pieces = [
        Piece(Release(rate=2.0), canary, 100 + place, number, criterion)
        for (place, (criterion, canary)), number in product(enumerate(WORSE.values()), range(each))
    ]
    found = list(effort.map(watch_release, pieces))
    lines: list[list[object]] = []
    for place, (name, (criterion, _)) in enumerate(WORSE.items()):
        mine = [one[criterion] for one in found[place * each : (place + 1) * each]]
        share = sum(one.minute < math.inf for one in mine) / each
        numbers = [sorted(one.requests for one in mine), sorted(one.minute for one in mine)]
        waits = [_wait(ordered[min(math.ceil(at * each), each - 1)]) for at in (0.5, 0.9) for ordered in numbers]
        lines.append([name, criterion, *waits, f"{share:.0%}"])
    words = (
        f"How soon a worse canary fails, at 2 requests a second, 10 % to 50 % of them the canary's, of which 1 % fail "
        f"and half of those that succeed get a label at once: requests of the canary that were compared (with a label, "
        f"for accuracy), and minutes, until half and 9 of 10 of {each} releases failed. A dash: not within the hour."
    )
    titles = ["canary", "criterion", "requests", "minutes", "requests, 9 of 10", "minutes, 9 of 10", "within the hour"]
    return f"{words}\n\n{table(titles, lines)}"


def _wait(number: float) -> str:
    """Requests or minutes until a release failed."""
    return "-" if number == math.inf else f"{number:,.0f}"
