"""Releases: an hour of traffic of two revisions, with a rhythm, stalls, outages, and requests of unequal size."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.canary.compared_rows import RevisionRows
from driftgauge.drift.canary.strata import SLOT_SECONDS
from driftgauge.drift.canary.traffic_counts import LATENCY_BOUNDS, TrafficSlot

Floats = NDArray[np.float64]

MINUTES = 60
_DAY_MINUTES = 1_440
_LONGEST_REQUEST = 50
_LABELLED = 0.5


@dataclass(frozen=True, slots=True)
class Canary:
    """How the canary differs from the stable revision.

    Args:
        wrong: Its share of wrong predictions; 0.12 as the stable one has it.
        shift: How far its predictions are moved, in standard deviations.
        slower: The ratio of its latency.
        failing: The ratio of its error rate.
        inputs: How far its inputs are moved: routing that is not random. Predictions follow.
    """

    wrong: float = 0.12
    shift: float = 0.0
    slower: float = 1.0
    failing: float = 1.0
    inputs: float = 0.0


@dataclass(frozen=True, slots=True)
class Release:
    """An hour of traffic.

    Args:
        rate: Requests in a second, on average over the day.
        alike: The correlation of rows of one request.
        share: The share of the canary at the start and at the end; it grows in steps of ten minutes.
        errors: The share of requests of the stable revision that fail.
        outages: How often half of the requests of both fail.
        outage_seconds: How long each time.
    """

    rate: float = 5.0
    alike: float = 0.5
    share: tuple[float, float] = (0.1, 0.5)
    errors: float = 0.01
    outages: int = 3
    outage_seconds: float = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """What one revision had."""

    inputs: RevisionRows
    predictions: RevisionRows
    losses: RevisionRows
    slots: list[TrafficSlot]


def run_release(release: Release, canary: Canary, rng: np.random.Generator) -> tuple[Traffic, Traffic]:
    """The traffic of an hour: that of the canary, and that of the stable revision.

    The hour is one of rising traffic. Outages let all requests of some seconds fail with a chance of a half; latencies
    and predictions move with the hour.
    """
    start = float(rng.integers(_DAY_MINUTES))
    number = int(rng.poisson(release.rate * 60 * MINUTES * (1 + 0.5 * math.sin(2 * math.pi * start / _DAY_MINUTES))))
    times = np.sort(rng.random(number)) * 60 * MINUTES
    phase = 2 * np.pi * (start + times / 60) / 240
    steps = np.floor(times / 600) / 5
    shares = release.share[0] + (release.share[1] - release.share[0]) * steps
    chosen = rng.random(number) < shares
    lengths = np.minimum(1 + rng.pareto(1.2, number), _LONGEST_REQUEST).astype(np.int64)
    requests = np.repeat(np.arange(number), lengths)
    inputs = _rows(release, rng, requests, number) + np.sin(phase)[requests] + canary.inputs * chosen[requests]
    predictions = 0.8 * inputs + 0.6 * _rows(release, rng, requests, number) + canary.shift * chosen[requests]
    wrong = np.where(chosen[requests], canary.wrong, 0.12)
    losses = (_uniform(_rows(release, rng, requests, number)) < wrong).astype(np.float64)
    labelled = (rng.random(number) < _LABELLED)[requests]
    outage = np.zeros(number, dtype=np.bool_)
    for begin in rng.random(release.outages) * 60 * MINUTES:
        outage |= (times >= begin) & (times < begin + release.outage_seconds)
    failing = np.where(outage, 0.5, release.errors * np.where(chosen, canary.failing, 1.0))
    failed = rng.random(number) < failing
    latency = 0.02 * np.exp(0.5 * rng.standard_normal(number) + 0.5 * np.sin(phase) + 1.5 * outage)
    latency *= np.where(chosen, canary.slower, 1.0)
    found = []
    for of_canary in (True, False):
        mine = chosen == of_canary
        of_rows = mine[requests]
        parts = [
            RevisionRows(values[kept, np.newaxis], times[requests[kept]], requests[kept])
            for values, kept in ((inputs, of_rows), (predictions, of_rows), (losses, of_rows & labelled))
        ]
        slots = count_slots(times[mine], failed[mine], latency[mine])
        found.append(Traffic(parts[0], parts[1], parts[2], slots))
    return found[0], found[1]


def count_slots(times: Floats, failed: NDArray[np.bool_], latency: Floats) -> list[TrafficSlot]:
    """Counts of requests in slots."""
    buckets = np.searchsorted(LATENCY_BOUNDS, latency)
    numbers = (times // SLOT_SECONDS).astype(np.int64)
    slots = []
    for number in np.unique(numbers).tolist():
        mine = numbers == number
        pairs = zip(*(one.tolist() for one in np.unique(buckets[mine], return_counts=True)), strict=True)
        slots.append(TrafficSlot(number, int(mine.sum()), int(failed[mine].sum()), tuple(pairs)))
    return slots


def _rows(release: Release, rng: np.random.Generator, requests: NDArray[np.int64], number: int) -> Floats:
    """Standard normal values, alike within requests."""
    shared = rng.standard_normal(number)[requests]
    values: Floats = math.sqrt(release.alike) * shared + math.sqrt(1 - release.alike) * rng.standard_normal(
        requests.size
    )
    return values


def _uniform(values: Floats) -> Floats:
    """Standard normal values as ranks."""
    from scipy.special import ndtr  # noqa: PLC0415 - the benchmark alone needs it

    ranks: Floats = ndtr(values)
    return ranks
