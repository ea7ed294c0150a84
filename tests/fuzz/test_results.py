"""Results of other replicas, damaged in any way: whatever a store returns, it is read or refused, and nothing else."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.inference.payload import Kind
from driftgauge.results.latest import ReferenceFacts
from driftgauge.results.notice import HEAD, Notice, OtherFormatError, StreamNotice, pack_notice, unpack_notice
from driftgauge.results.packed_report import MAX_REPORT_BYTES, pack_report, unpack_report
from tests.support.reports import FOUND, TOO_FEW

STREAM = StreamNotice(report="ab12", time=1_000.0, duration_seconds=0.01, window_time=999.0, state_unsaved=True)
NOTICE = Notice(
    replica="a1",
    time=1_000.5,
    reference="digest",
    replaced=("older", "oldest"),
    streams={Kind.REQUEST: STREAM},
    references={Kind.REQUEST: ReferenceFacts(50, "digest", "wine.csv", 900.0), Kind.RESPONSE: None},
)


@pytest.mark.parametrize("report", [FOUND, TOO_FEW])
def test_a_report_survives_packing(report: object) -> None:
    """Infinite thresholds, too."""
    assert report == unpack_report(pack_report(report))  # type: ignore[arg-type]


def test_a_notice_survives_packing() -> None:
    """All of it."""
    assert unpack_notice(pack_notice(NOTICE)) == NOTICE


@given(data=st.data())
def test_a_damaged_result_is_read_or_refused(data: st.DataObject) -> None:
    """A byte that is changed, cut off or added raises no other error than a `ValueError`."""
    for packed, unpack in ((pack_notice(NOTICE), unpack_notice), (pack_report(FOUND), unpack_report)):
        at = data.draw(st.integers(0, len(packed)))
        blob = packed[:at] + data.draw(st.binary(max_size=3)) + packed[data.draw(st.integers(at, len(packed))) :]
        try:
            unpack(blob)
        except ValueError:
            continue


@given(text=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists))
def test_any_json_is_read_or_refused(text: object) -> None:
    """Also numbers that no clock has."""
    body = str(text).encode()
    for blob, unpack in ((HEAD + body, unpack_notice), (HEAD + zlib.compress(body), unpack_report)):
        with pytest.raises(ValueError):  # noqa: PT011 any text
            unpack(blob)


@pytest.mark.parametrize("time", ["NaN", "Infinity", "-1", "1e300"])
def test_times_that_no_clock_has_are_refused(time: str) -> None:
    """A gauge or a page could not show them."""
    for name in (b'"time":1000.5', b'"time":1000.0', b'"window_time":999.0', b'"loaded_at":900.0'):
        key = name.partition(b":")[0]
        blob = pack_notice(NOTICE).replace(name, key + b":" + time.encode())
        with pytest.raises(ValueError):  # noqa: PT011 any text
            unpack_notice(blob)


def test_a_result_of_another_version_is_named() -> None:
    """The error has the version."""
    with pytest.raises(OtherFormatError, match=r"^driftgauge-result 2$"):
        unpack_notice(b"driftgauge-result 2\n{}")


def test_a_report_that_grows_without_bound_is_refused() -> None:
    """A hundred kilobytes of zeros would become a hundred megabytes."""
    bomb = HEAD + zlib.compress(bytes(3 * MAX_REPORT_BYTES), 9)

    with pytest.raises(ValueError, match="too large"):
        unpack_report(bomb)
    with pytest.raises(ValueError, match="shorter"):
        unpack_notice(HEAD + bytes(100_000))
