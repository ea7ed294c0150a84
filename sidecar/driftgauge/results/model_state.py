"""The state of a model, over its inputs and its predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftgauge.drift.result import CannotTellReason, DriftReport, VerdictState


@dataclass(frozen=True, slots=True)
class StreamState:
    """The state of a model's inputs or of its predictions.

    Args:
        state: The state.
        reason: Why there is no verdict; `None` if there is one, or if only the log has the reason.
        evaluated: Whether there is a result that is not stale.
    """

    state: VerdictState
    reason: CannotTellReason | None
    evaluated: bool


@dataclass(frozen=True, slots=True)
class ModelState:
    """The state of a model.

    Args:
        state: The state.
        reason: Why there is no verdict; `None` if there is one, or if only the log has the reason.
    """

    state: VerdictState
    reason: CannotTellReason | None = None


def state_of_report(report: DriftReport) -> StreamState:
    """The state of a stream with a result that is not stale."""
    return StreamState(report.state, report.reason, evaluated=True)


def state_without_result(reason: CannotTellReason | None) -> StreamState:
    """The state of a stream without a result, or with a stale one."""
    return StreamState(VerdictState.CANNOT_TELL, reason, evaluated=False)


def model_state(streams: Sequence[StreamState]) -> ModelState:
    """The state of a model.

    Args:
        streams: The states of its inputs and of its predictions, at least one.

    Returns:
        Drift if either drifts. Ok if every stream has a result, and at least one has a verdict. Examples: few rows of
        predictions do not matter if the inputs are ok. Without a reference no model is ok, even if its predictions are.
    """
    states = {stream.state for stream in streams}
    if VerdictState.DRIFT in states:
        return ModelState(VerdictState.DRIFT)
    if VerdictState.OK in states and all(stream.evaluated for stream in streams):
        return ModelState(VerdictState.OK)
    reasons = {stream.reason for stream in streams}
    return ModelState(VerdictState.CANNOT_TELL, next((one for one in CannotTellReason if one in reasons), None))
