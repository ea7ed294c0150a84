"""Calls of a process on what waits for labels in Redis: who makes them, and in parts for one script each."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from secrets import token_hex

from driftgauge.storage.label_slices import MATCH_LABELS, MATCH_LOOKS, PUT_BYTES, PUT_RESPONSES, LabelSlices, score
from driftgauge.storage.labels import SLICES, LabelLayout, StoredLabel, WaitingResponse
from driftgauge.storage.redis_label_layout import pack_response
from driftgauge.storage.redis_layout import WRITER_BYTES


class LabelStep(StrEnum):
    """The methods whose calls have numbers, each by a writer of its own."""

    PUT = "put"
    MATCH = "match"
    MATURE = "mature"


@dataclass(slots=True)
class LabelWriter:
    """This process as the caller of one method for one model.

    Args:
        id: Known to no other process.
        used: When it was last used, in seconds since the epoch.
        number: That of the last step.
        total: Rows of outcomes that it has appended, as far as is known.
        replies: What the steps of the last call replied, in order.
        is_unknown: Whether the outcome of the last step is unknown.
    """

    used: float
    id: str = field(default_factory=lambda: token_hex(WRITER_BYTES))
    number: int = 0
    total: int = 0
    replies: list[bytes] = field(default_factory=list)
    is_unknown: bool = False


def parts_of_responses(responses: Sequence[WaitingResponse]) -> Iterator[Sequence[WaitingResponse]]:
    """Responses in parts for one script each, of few enough responses and bytes."""
    first = size = 0
    for index, one in enumerate(responses):
        if index > first and (index - first >= PUT_RESPONSES or size + one.rows.nbytes > PUT_BYTES):
            yield responses[first:index]
            first, size = index, 0
        size += one.rows.nbytes
    yield responses[first:]


def parts_of_labels(labels: Sequence[StoredLabel]) -> Iterator[Sequence[StoredLabel]]:
    """Labels in parts for one script each. One without a time may be in any slice."""
    first = looks = 0
    for index, one in enumerate(labels):
        own = SLICES if one.time is None else 2
        if index - first == MATCH_LABELS or looks + own > MATCH_LOOKS:
            yield labels[first:index]
            first, looks = index, 0
        looks += own
    if labels:
        yield labels[first:]


def put_arguments(
    bounds: LabelSlices,
    layout: LabelLayout,
    responses: Sequence[WaitingResponse],
    known: Mapping[int, float],
    now: float,
) -> list[int | bytes]:
    """The arguments of responses. Those that are left out for sure are only counted, by the ages of slices.

    Args:
        bounds: The slices.
        layout: The layout of the responses.
        responses: Those of one script.
        known: The thresholds of slices by their numbers, as far as they are known.
        now: Seconds since the epoch.
    """
    refused: Counter[int] = Counter()
    arguments: list[int | bytes] = []
    current = bounds.number(now)
    for one in responses:
        age = bounds.age(one.time, now)
        if age is None:
            refused[-1] += 1
        elif not bounds.fits(one) or score(one.ids[0]) >= known.get(current - age, math.inf):
            refused[age] += 1
        else:
            arguments += [age, 0, pack_response(layout, one)]
    for age, number in refused.items():
        arguments += [age, number, b""]
    return arguments
