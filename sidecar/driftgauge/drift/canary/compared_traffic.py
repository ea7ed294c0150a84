"""Compares errors and latencies of two revisions, from their counts in slots of time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.canary.failed_requests import failure_likelihoods
from driftgauge.drift.canary.matched_requests import MAX_REQUESTS, TILTS, tilt_likelihoods
from driftgauge.drift.canary.request_scores import mid_ranks, share_scores
from driftgauge.drift.canary.strata import MIN_REQUESTS, SLOT_SECONDS, split_strata
from driftgauge.drift.canary.tilt_evidence import TiltEvidence, TiltRule, add_stratum, no_evidence
from driftgauge.drift.canary.traffic_counts import STEPS, TrafficSlot, between, log_latency

Floats = NDArray[np.float64]

TOLERATED_STEPS: Final = 2
"""A canary that is slower by so many buckets, a factor of 1.19, is not too slow."""

SHIFTS: Final = tuple(range(-2 * STEPS, 2 * STEPS + 1))
"""The factors, in buckets, of which is found out which ones are refuted: from a quarter to four."""

_TAIL: Final = 0.95
"""The second score of a latency is whether it is beyond this quantile."""

_SHIFTED: Final = 256
"""Latencies of each revision with which it is found out in a stratum which factors are refuted."""

_MINUTE_SLOTS: Final = 60 // SLOT_SECONDS

_BURST: Final = 2.0
"""With more than so many times the failed requests that are usual, and one, a burst has begun: it may be an outage of
both revisions, which says little of a canary. The more there are, the less is staked on it."""

_PRIOR_FAILED, _PRIOR_REQUESTS = 0.5, 50.0
"""What is taken for usual before there are requests."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedTraffic:
    """What is known of errors and latencies.

    Args:
        errors: Evidence of the odds of an error: one score.
        latency: Evidence of slowness, and of slowness beyond the tolerance: location and tail.
        shifts: Shape `(len(SHIFTS), len(TILTS))`: the likelihood of tilts after each factor is taken out.
        slot: The newest slot that was compared.
        requests: Requests with a status code of the canary and of the stable revision.
        failed: Those of them that failed.
        timed: Requests with a latency.
        log_ratio: Weighted sum of the difference of the means of the log latency.
        weight: The sum of its weights.
        usual_failed: Failed requests, of a burst no more than are usual.
        usual_requests: The requests among which they were.
    """

    errors: TiltEvidence
    latency: TiltEvidence
    shifts: Floats
    slot: int = -1
    requests: tuple[int, int] = (0, 0)
    failed: tuple[int, int] = (0, 0)
    timed: tuple[int, int] = (0, 0)
    log_ratio: float = 0.0
    weight: float = 0.0
    usual_failed: float = 0.0
    usual_requests: float = 0.0


def no_traffic() -> ComparedTraffic:
    """Nothing was compared yet."""
    return ComparedTraffic(no_evidence(1), no_evidence(2), np.zeros((len(SHIFTS), TILTS.size)))


def add_traffic(
    known: ComparedTraffic,
    rules: tuple[TiltRule, TiltRule],
    canary: Sequence[TrafficSlot],
    stable: Sequence[TrafficSlot],
    last: int,
    *,
    with_interval: bool = True,
) -> ComparedTraffic:
    """Compare the slots since the newest one that was compared.

    Args:
        known: What is known.
        rules: What is tolerated: of errors, and of latency beyond `TOLERATED_STEPS`.
        canary: Counts of the canary.
        stable: Counts of the stable revision.
        last: The newest slot that is complete.
        with_interval: Whether to find out which factors of the latency are refuted, which takes the most time.
    """
    canary, stable = ([one for one in slots if known.slot < one.slot <= last] for slots in (canary, stable))
    if not canary or not stable:
        return known
    # A later look goes on where strata ended: if it began at a request of the canary, looks would choose the strata.
    first = known.slot if known.slot >= 0 else max(min(one.slot for one in slots) - 1 for slots in (canary, stable))
    times = [_times(slots) for slots in (canary, stable)]
    for start, end in split_strata(times[0], times[1], (first + 1) * SLOT_SECONDS, (last + 1) * SLOT_SECONDS):
        slots = round(start / SLOT_SECONDS), round(end / SLOT_SECONDS) - 1
        for piece in _split_slots(canary, stable, *slots):
            known = _add_errors(known, rules[0], *(between(one, *piece) for one in (canary, stable)))
        parts = between(canary, *slots), between(stable, *slots)
        known = replace(_add_latencies(known, rules[1], *parts, with_interval=with_interval), slot=slots[1])
    return known


def _times(slots: Sequence[TrafficSlot]) -> Floats:
    """A time in its slot for each request."""
    numbers = np.array([one.slot + 0.5 for one in slots]) * SLOT_SECONDS
    counts = [max(one.requests, sum(count for _, count in one.latencies)) for one in slots]
    return np.repeat(numbers, np.minimum(counts, MAX_REQUESTS))


def _split_slots(
    canary: Sequence[TrafficSlot], stable: Sequence[TrafficSlot], first: int, last: int
) -> Iterator[tuple[int, int]]:
    """The first and the last slot of each piece of a stratum, so short that an outage is one of its own.

    Errors are few, so that pieces say as much of them as the whole stratum does, once they have some requests.
    """
    counts = Counter[int]()
    for one in (*canary, *stable):
        counts[one.slot] += one.requests
    begin = first
    for slot in range(first, last + 1):
        if slot == last or sum(counts[one] for one in range(begin, slot + 1)) >= MIN_REQUESTS:
            yield begin, slot
            begin = slot + 1


def _add_errors(known: ComparedTraffic, rule: TiltRule, canary: TrafficSlot, stable: TrafficSlot) -> ComparedTraffic:
    parts = canary, stable
    both = zip(known.requests, known.failed, parts, strict=True)
    counts = [(requests + part.requests, failed + part.errors) for requests, failed, part in both]
    requests, failed = canary.requests + stable.requests, canary.errors + stable.errors
    share = (known.usual_failed + _PRIOR_FAILED) / (known.usual_requests + _PRIOR_REQUESTS)
    most = _BURST * (1 + share * requests)
    found = replace(
        known,
        requests=(counts[0][0], counts[1][0]),
        failed=(counts[0][1], counts[1][1]),
        usual_failed=known.usual_failed + min(failed, most),
        usual_requests=known.usual_requests + requests,
    )
    if not failed:
        return found
    pairs = [(part.errors, part.requests) for part in parts]
    likelihoods = failure_likelihoods(*pairs)
    minute = canary.slot // _MINUTE_SLOTS
    return replace(found, errors=add_stratum(known.errors, rule, likelihoods, minute, stake=min(1.0, most / failed)))


def _add_latencies(
    known: ComparedTraffic, rule: TiltRule, canary: TrafficSlot, stable: TrafficSlot, *, with_interval: bool
) -> ComparedTraffic:
    rng = _generator(2, canary, stable)
    buckets = [_choose(_expand(part), rng) for part in (canary, stable)]
    numbers = [one.size for one in buckets]
    if not all(numbers):
        return known
    means = [float(log_latency(one).mean()) for one in buckets]
    weight = numbers[0] * numbers[1] / sum(numbers)
    both = [_latency_scores(buckets[0] - steps, buckets[1]) for steps in (0, TOLERATED_STEPS)]
    against = np.stack([tilt_likelihoods(one[: numbers[0]], one[numbers[0] :], rng) for one in both])
    shifts = known.shifts
    if with_interval:
        few = [one[:_SHIFTED] for one in buckets]  # they are in random order
        scores = np.hstack([_latency_scores(few[0] - shift, few[1])[:, :1] for shift in SHIFTS])
        shifts = shifts + tilt_likelihoods(scores[: few[0].size], scores[few[0].size :], rng)
    return replace(
        known,
        latency=add_stratum(known.latency, rule, against[0], canary.slot // _MINUTE_SLOTS, against=against),
        shifts=shifts,
        timed=(known.timed[0] + numbers[0], known.timed[1] + numbers[1]),
        log_ratio=known.log_ratio + weight * (means[0] - means[1]),
        weight=known.weight + weight,
    )


def _generator(purpose: int, canary: TrafficSlot, stable: TrafficSlot) -> np.random.Generator:
    """The same random numbers in every replica."""
    return np.random.default_rng([purpose, canary.slot, canary.requests, stable.requests])


def _expand(part: TrafficSlot) -> NDArray[np.int64]:
    """The bucket of each latency."""
    pairs = np.array(part.latencies, dtype=np.int64).reshape(-1, 2)
    return np.repeat(pairs[:, 0], pairs[:, 1])


def _choose(buckets: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """So many latencies as one stratum compares, in random order."""
    return buckets[rng.permutation(buckets.size)[:MAX_REQUESTS]]


def _latency_scores(canary: NDArray[np.int64], stable: NDArray[np.int64]) -> Floats:
    """Location and tail of the latencies of both: shape `(n + m, 2)`."""
    ranks = mid_ranks(np.concatenate([canary, stable]).astype(np.float64))
    return np.stack([np.sqrt(3) * (2 * ranks - 1), share_scores(ranks > _TAIL)], axis=1)
