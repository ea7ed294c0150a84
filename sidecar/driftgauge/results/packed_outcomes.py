"""The form of a result on outcomes in a store: the head as of a notice, then JSON, compressed as a whole.

It has at most 10 outputs of 20 classes each, some 100 kB. Whatever a store returns is untrusted.
"""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pydantic import ConfigDict, TypeAdapter

from driftgauge.drift.outcomes.outcome_columns import MAX_OUTPUTS
from driftgauge.drift.outcomes.outcome_report import OutcomeReport, OutcomeTest
from driftgauge.results.latest_outcomes import WaitingFacts
from driftgauge.results.notice import HEAD, unpacked_body

MAX_OUTCOME_BYTES = 4 * 1024 * 1024
"""Largest result, unpacked: some forty times what ten outputs of twenty classes need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedOutcomes:
    """What is published of a result beside the notice.

    Args:
        report: As in `OutcomeResult`.
        waiting: As in `OutcomeResult`.
    """

    report: OutcomeReport | None
    waiting: WaitingFacts


def pack_outcomes(published: PublishedOutcomes) -> bytes:
    """The result as compressed bytes.

    Raises:
        ValueError: It is too large for other replicas.
    """
    text = _adapter().dump_json((published,))
    if len(text) > MAX_OUTCOME_BYTES:
        raise ValueError(f"the result has {len(text):,} bytes, and {MAX_OUTCOME_BYTES:,} can be published")
    return HEAD + zlib.compress(text, level=1)


def unpack_outcomes(blob: bytes) -> PublishedOutcomes:
    """Read what `pack_outcomes` returned.

    Raises:
        OtherFormatError: It is of another version of driftgauge.
        ValueError: It is something else, damaged, or too large.
    """
    text = unpacked_body(blob, MAX_OUTCOME_BYTES, "result")
    published: PublishedOutcomes = _adapter().validate_json(text)[0]
    if not 0 <= published.waiting.other_columns <= 1:
        raise ValueError("a share is from 0 to 1")
    if published.report is not None:
        _check(published.report)
    return published


def _check(report: OutcomeReport) -> None:
    """Refuse what no evaluation has made, and what would break a scrape or a page.

    Raises:
        ValueError: Outputs or tests are too many, or twice the same, or a number is none.
    """
    names = [one.output for one in report.outputs]
    if len(names) > MAX_OUTPUTS or len(set(names)) < len(names):
        raise ValueError("outputs are too many, or one is there twice")
    for output in report.outputs:
        tests = [one.test for one in output.tests]
        if len(set(tests)) < len(tests) or len(tests) > len(OutcomeTest):
            raise ValueError("a test is there twice")
    if not all(map(math.isfinite, _numbers(report))):
        raise ValueError("a number is not finite")


def _numbers(report: OutcomeReport) -> Iterator[float]:
    """The numbers of a report that are always finite; a threshold may be infinite."""
    for output in report.outputs:
        yield output.effective_rows
        yield from (one.value for one in output.metrics)
        yield from (one.value for one in output.class_values)
        yield from (one.statistic for one in output.tests)
        yield from (one.reference for one in output.calibration)


# Made when first used: it takes some 20 ms, which a process without Redis saves.
@cache
def _adapter() -> TypeAdapter[tuple[PublishedOutcomes]]:
    return TypeAdapter(tuple[PublishedOutcomes], config=ConfigDict(ser_json_inf_nan="constants"))
