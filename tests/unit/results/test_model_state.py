"""The state of a model, over its inputs and its predictions."""

import pytest

from driftgauge.drift.result import CannotTellReason, VerdictState
from driftgauge.results.model_state import ModelState, StreamState, model_state, state_of_report, state_without_result
from tests.support.reports import ALCOHOL, COLOUR, FOUND, TOO_FEW, moved, report_of

OK = StreamState(VerdictState.OK, None, evaluated=True)
DRIFT = StreamState(VerdictState.DRIFT, None, evaluated=True)
FEW_ROWS = StreamState(VerdictState.CANNOT_TELL, CannotTellReason.FEW_ROWS, evaluated=True)
ALIKE = StreamState(VerdictState.CANNOT_TELL, CannotTellReason.ALIKE, evaluated=True)
NO_REFERENCE = state_without_result(CannotTellReason.NO_REFERENCE)
STORE = state_without_result(CannotTellReason.STORE)
STALE = state_without_result(None)


@pytest.mark.parametrize(
    ("streams", "state", "reason"),
    [
        ([DRIFT], VerdictState.DRIFT, None),
        ([FEW_ROWS, DRIFT], VerdictState.DRIFT, None),
        ([OK, DRIFT], VerdictState.DRIFT, None),
        ([NO_REFERENCE, DRIFT], VerdictState.DRIFT, None),
        ([STORE, DRIFT], VerdictState.DRIFT, None),
        ([OK], VerdictState.OK, None),
        ([OK, FEW_ROWS], VerdictState.OK, None),
        ([FEW_ROWS, OK], VerdictState.OK, None),
        ([FEW_ROWS], VerdictState.CANNOT_TELL, CannotTellReason.FEW_ROWS),
        ([FEW_ROWS, ALIKE], VerdictState.CANNOT_TELL, CannotTellReason.ALIKE),
        ([NO_REFERENCE, OK], VerdictState.CANNOT_TELL, CannotTellReason.NO_REFERENCE),
        ([NO_REFERENCE, STORE], VerdictState.CANNOT_TELL, CannotTellReason.NO_REFERENCE),
        ([OK, STORE], VerdictState.CANNOT_TELL, CannotTellReason.STORE),
        ([STORE, OK], VerdictState.CANNOT_TELL, CannotTellReason.STORE),
        ([OK, STALE], VerdictState.CANNOT_TELL, None),
    ],
)
def test_drift_comes_before_cannot_tell_before_ok(
    streams: list[StreamState], state: VerdictState, reason: CannotTellReason | None
) -> None:
    """A stream without a fresh result keeps a model from being ok, a stream with too few rows does not."""
    assert ModelState(state, reason) == model_state(streams)


def test_the_state_of_a_stream_is_that_of_its_report() -> None:
    """One feature that drifts is enough; without any verdict the report has the reason."""
    assert DRIFT == state_of_report(FOUND)
    assert DRIFT == state_of_report(report_of(COLOUR, ALCOHOL))
    assert OK == state_of_report(report_of(moved("ph", 0.1, 0.2)))
    assert FEW_ROWS == state_of_report(TOO_FEW)
