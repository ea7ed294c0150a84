"""The form of results on labelled predictions in a store, and what a notice says of them."""

import zlib
from dataclasses import replace

import pytest

from driftgauge.drift.outcomes.outcome_report import OutcomeReport
from driftgauge.inference.payload import Kind
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.latest_outcomes import OutcomeResult
from driftgauge.results.notice import HEAD, Notice, OtherFormatError, StreamNotice, pack_notice, unpack_notice
from driftgauge.results.packed_outcomes import MAX_OUTCOME_BYTES, PublishedOutcomes, pack_outcomes, unpack_outcomes
from tests.support.outcome_reports import GRADE, RESULT, WAITING, WORSE

PUBLISHED = PublishedOutcomes(report=RESULT.report, waiting=RESULT.waiting)


@pytest.mark.parametrize("result", [RESULT, WAITING])
def test_a_result_returns_as_it_was(result: OutcomeResult) -> None:
    """Every value of it, and that there is no report."""
    published = PublishedOutcomes(report=result.report, waiting=result.waiting)

    assert unpack_outcomes(pack_outcomes(published)) == published


def test_an_infinite_threshold_returns() -> None:
    """JSON has no infinity, the form has."""
    tests = tuple(replace(test, threshold=float("inf")) for test in GRADE.tests)
    published = replace(PUBLISHED, report=replace(WORSE, outputs=(replace(GRADE, tests=tests),)))

    assert unpack_outcomes(pack_outcomes(published)) == published


@pytest.mark.parametrize(
    "report",
    [
        replace(WORSE, outputs=(GRADE, GRADE)),
        replace(WORSE, outputs=(replace(GRADE, tests=GRADE.tests * 2),)),
        replace(WORSE, outputs=(replace(GRADE, effective_rows=float("nan")),)),
        replace(WORSE, outputs=tuple(replace(GRADE, output=str(number)) for number in range(11))),
    ],
    ids=["output twice", "test twice", "no number", "too many outputs"],
)
def test_a_report_that_no_evaluation_makes_is_refused(report: OutcomeReport) -> None:
    """It would break a scrape."""
    with pytest.raises(ValueError, match=r"twice|finite"):
        unpack_outcomes(pack_outcomes(replace(PUBLISHED, report=report)))


@pytest.mark.parametrize(
    ("blob", "cause"),
    [
        (b"", "no result"),
        (b"else", "no result"),
        (HEAD, "cut off"),
        (HEAD + b"else", "decompressed"),
        (pack_outcomes(PUBLISHED)[:-9], "cut off"),
        (HEAD + zlib.compress(b"[{}]"), "validation"),
    ],
)
def test_other_bytes_are_refused(blob: bytes, cause: str) -> None:
    """Also those that are cut off."""
    with pytest.raises(ValueError, match=cause):
        unpack_outcomes(blob)


def test_a_result_that_unpacks_to_too_much_is_refused() -> None:
    """Its compressed form is short."""
    with pytest.raises(ValueError, match="too large"):
        unpack_outcomes(HEAD + zlib.compress(b" " * (MAX_OUTCOME_BYTES + 1)))


def test_another_version_is_named() -> None:
    """It is no damage."""
    with pytest.raises(OtherFormatError):
        unpack_outcomes(b"driftgauge-result 999\n")


def test_a_notice_describes_outcomes() -> None:
    """With what they are compared with; a notice of a build without labels has none."""
    stream = StreamNotice(report="ab", time=1.0, duration_seconds=0.1, window_time=None, state_unsaved=False)
    facts = ReferenceFacts(300, "ab12", "first 300 labelled rows", 0.0, source="baseline")
    notice = Notice(replica="a", time=2.0, reference="", outcomes=stream, outcome_reference=facts)
    old = HEAD + b'[{"replica":"a","time":2.0,"reference":""}]'

    assert unpack_notice(pack_notice(notice)) == notice
    assert notice.results() == {Kind.OUTCOME: stream}
    assert unpack_notice(old).outcomes is None


def test_a_notice_with_an_impossible_time_is_refused() -> None:
    """Also if it is that of the outcomes."""
    stream = StreamNotice(report="ab", time=1e18, duration_seconds=0.1, window_time=None, state_unsaved=False)

    with pytest.raises(ValueError, match="time"):
        unpack_notice(pack_notice(Notice(replica="a", time=2.0, reference="", outcomes=stream)))
