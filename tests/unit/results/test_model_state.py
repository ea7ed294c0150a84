"""The state of a model, over its inputs and its predictions."""

import pytest

from driftgauge.drift.result import Reason, State
from driftgauge.results.model_state import ModelState, StreamState, model_state, state_of_report, state_without_result
from tests.support.reports import ALCOHOL, COLOUR, FOUND, TOO_FEW, moved, report_of

OK = StreamState(State.OK, None, evaluated=True)
DRIFT = StreamState(State.DRIFT, None, evaluated=True)
FEW_ROWS = StreamState(State.CANNOT_TELL, Reason.FEW_ROWS, evaluated=True)
ALIKE = StreamState(State.CANNOT_TELL, Reason.ALIKE, evaluated=True)
NO_REFERENCE = state_without_result(Reason.NO_REFERENCE)
STORE = state_without_result(Reason.STORE)
STALE = state_without_result(None)


@pytest.mark.parametrize(
    ("streams", "state", "reason"),
    [
        ([DRIFT], State.DRIFT, None),
        ([FEW_ROWS, DRIFT], State.DRIFT, None),
        ([OK, DRIFT], State.DRIFT, None),
        ([NO_REFERENCE, DRIFT], State.DRIFT, None),
        ([STORE, DRIFT], State.DRIFT, None),
        ([OK], State.OK, None),
        ([OK, FEW_ROWS], State.OK, None),
        ([FEW_ROWS, OK], State.OK, None),
        ([FEW_ROWS], State.CANNOT_TELL, Reason.FEW_ROWS),
        ([FEW_ROWS, ALIKE], State.CANNOT_TELL, Reason.ALIKE),
        ([NO_REFERENCE, OK], State.CANNOT_TELL, Reason.NO_REFERENCE),
        ([NO_REFERENCE, STORE], State.CANNOT_TELL, Reason.NO_REFERENCE),
        ([OK, STORE], State.CANNOT_TELL, Reason.STORE),
        ([STORE, OK], State.CANNOT_TELL, Reason.STORE),
        ([OK, STALE], State.CANNOT_TELL, None),
    ],
)
def test_drift_comes_before_cannot_tell_before_ok(
    streams: list[StreamState], state: State, reason: Reason | None
) -> None:
    """A stream without a fresh result keeps a model from being ok, a stream with too few rows does not."""
    assert ModelState(state, reason) == model_state(streams)


def test_the_state_of_a_stream_is_that_of_its_report() -> None:
    """One feature that drifts is enough; without any verdict the report has the reason."""
    assert DRIFT == state_of_report(FOUND)
    assert DRIFT == state_of_report(report_of(COLOUR, ALCOHOL))
    assert OK == state_of_report(report_of(moved("ph", 0.1, 0.2)))
    assert FEW_ROWS == state_of_report(TOO_FEW)
