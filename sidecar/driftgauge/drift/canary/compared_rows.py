"""Compares rows of two revisions: predictions, inputs, or the losses of labelled predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.canary.matched_requests import tilt_likelihoods
from driftgauge.drift.canary.request_scores import sum_requests
from driftgauge.drift.canary.strata import MIN_REQUESTS, split_strata
from driftgauge.drift.canary.tilt_evidence import TiltEvidence, TiltRule, add_stratum, no_evidence

Floats = NDArray[np.float64]

RowScores = Callable[[Floats, Sequence[list[float]]], Floats]
"""Makes the scores of rows, and adds to the categories of each column that have a score."""

_MINUTE_SECONDS = 60
_HOUR_SECONDS = 3_600


@dataclass(frozen=True, slots=True, eq=False)
class RevisionRows:
    """Rows of one revision, in any order of time; those of one request stand together.

    Args:
        rows: Shape `(n, d)`; NaN is missing.
        times: Shape `(n,)`: when the payload of each passed, in seconds since the epoch.
        requests: Shape `(n,)`: the index of the payload of each, ascending.
        first_time: The rows of all payloads since this time are there; of earlier ones some may be lost.
    """

    rows: Floats
    times: Floats
    requests: NDArray[np.int64]
    first_time: float = -np.inf


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRows:
    """What is known of rows that are compared.

    Args:
        evidence: Of their scores.
        until: The end of the newest stratum, in seconds since the epoch.
        requests: Requests of the canary and of the stable revision that were compared.
        rows: The same of rows.
        sums: Shape `(2, d)`: the sum of each column's numbers in these rows, missing ones left out.
        categories: The categories of each column that have a score.
    """

    evidence: TiltEvidence
    until: float = -np.inf
    requests: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)
    sums: Floats = field(default_factory=lambda: np.zeros((2, 0)))
    categories: tuple[tuple[float, ...], ...] = ()


def no_rows(columns: int, scores: int) -> ComparedRows:
    """Nothing was compared yet, of so many columns with so many scores."""
    return ComparedRows(no_evidence(scores), sums=np.zeros((2, columns)), categories=((),) * columns)


def add_rows(
    known: ComparedRows,
    rule: TiltRule,
    scores_of: RowScores,
    canary: RevisionRows,
    stable: RevisionRows,
    until: float,
) -> ComparedRows:
    """Compare the rows that came since the newest stratum.

    Args:
        known: What is known.
        rule: The tolerated tilt.
        scores_of: Makes their scores.
        canary: Rows of the canary.
        stable: Rows of the stable revision.
        until: All rows up to this time are there.
    """
    if not len(canary.rows) or not len(stable.rows):
        return known
    times = _request_times(canary), _request_times(stable)
    earliest = max(one.min() for one in times) - 1
    first = max(canary.first_time, stable.first_time)
    since = max(known.until, first, earliest)
    strata = split_strata(*times, since, until)
    if not strata and first > known.until:
        strata = _whatever_is_there(times, since)
    for start, end in strata:
        parts = [_rows_between(one, start, end) for one in (canary, stable)]
        known = replace(_add_stratum(known, rule, scores_of, parts, end), until=end)
    return known


def _whatever_is_there(times: tuple[Floats, Floats], since: float) -> list[tuple[float, float]]:
    """One stratum of all requests of both, where so many came that those of a whole slot are never kept.

    It ends with the revision whose newest request is the earlier one, since of the other one later requests may be
    there that could not have come to both.
    """
    end = min(float(one.max()) for one in times)
    numbers = [np.count_nonzero((one > since) & (one <= end)) for one in times]
    return [(since, end)] if min(numbers) >= MIN_REQUESTS else []


def add_late_rows(
    known: ComparedRows,
    rule: TiltRule,
    scores_of: RowScores,
    canary: RevisionRows,
    stable: RevisionRows,
    now: float,
) -> ComparedRows:
    """Compare rows that came in no order of time, such as those of labels: those of each hour with each other.

    Args:
        known: What is known.
        rule: The tolerated tilt.
        scores_of: Makes their scores.
        canary: Rows of the canary that were not compared.
        stable: Those of the stable revision.
        now: When they are looked at, in seconds since the epoch.
    """
    hours = [np.unique(one.times // _HOUR_SECONDS) for one in (canary, stable)]
    for hour in np.intersect1d(hours[0], hours[1]).tolist():
        start, end = np.nextafter(hour * _HOUR_SECONDS, -np.inf), (hour + 1) * _HOUR_SECONDS
        parts = [_rows_between(one, float(start), float(np.nextafter(end, -np.inf))) for one in (canary, stable)]
        known = replace(_add_stratum(known, rule, scores_of, parts, now), until=now)
    return known


def _request_times(rows: RevisionRows) -> Floats:
    return rows.times[np.flatnonzero(np.diff(rows.requests, prepend=rows.requests[:1] - 1))]


def _rows_between(rows: RevisionRows, start: float, end: float) -> RevisionRows:
    chosen = (rows.times > start) & (rows.times <= end)
    return RevisionRows(rows.rows[chosen], rows.times[chosen], rows.requests[chosen])


def _add_stratum(
    known: ComparedRows, rule: TiltRule, scores_of: RowScores, parts: Sequence[RevisionRows], end: float
) -> ComparedRows:
    if not all(len(part.rows) for part in parts):
        return known
    categories = [list(one) for one in known.categories]
    scores = scores_of(np.vstack([part.rows for part in parts]), categories)
    indexes = [np.unique(part.requests, return_inverse=True)[1] for part in parts]
    numbers = [int(index[-1]) + 1 for index in indexes]
    sums = sum_requests(scores, np.concatenate([indexes[0], indexes[1] + numbers[0]]))
    rng = np.random.default_rng([int(end), *numbers])  # the same in every replica
    likelihoods = tilt_likelihoods(sums[: numbers[0]], sums[numbers[0] :], rng)
    totals = np.stack([np.nansum(part.rows, axis=0) for part in parts])
    return replace(
        known,
        evidence=add_stratum(known.evidence, rule, likelihoods, int(end // _MINUTE_SECONDS)),
        requests=(known.requests[0] + numbers[0], known.requests[1] + numbers[1]),
        rows=(known.rows[0] + len(parts[0].rows), known.rows[1] + len(parts[1].rows)),
        sums=known.sums + totals,
        categories=tuple(map(tuple, categories)),
    )
