"""The state of a model, over its inputs and its predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftgauge.drift.result import DriftReport, Reason, State


@dataclass(frozen=True, slots=True)
class StreamState:
    """The state of a model's inputs or of its predictions.

    Args:
        state: The state.
        reason: Why there is no verdict; `None` if there is one, or if only the log has the reason.
        evaluated: Whether there is a result that is not stale.
    """

    state: State
    reason: Reason | None
    evaluated: bool


@dataclass(frozen=True, slots=True)
class ModelState:
    """The state of a model.

    Args:
        state: The state.
        reason: Why there is no verdict; `None` if there is one, or if only the log has the reason.
    """

    state: State
    reason: Reason | None = None


def state_of_report(report: DriftReport) -> StreamState:
    """The state of a stream with a result that is not stale."""
    return StreamState(report.state, report.reason, evaluated=True)


def state_without_result(reason: Reason | None) -> StreamState:
    """The state of a stream without a result, or with a stale one."""
    return StreamState(State.CANNOT_TELL, reason, evaluated=False)


def model_state(streams: Sequence[StreamState]) -> ModelState:
    """The state of a model.

    Args:
        streams: The states of its inputs and of its predictions, at least one.

    Returns:
        Drift if either drifts. Ok if every stream has a result, and at least one has a verdict. Examples: few rows of
        predictions do not matter if the inputs are ok. Without a reference no model is ok, even if its predictions are.
    """
    states = {stream.state for stream in streams}
    if State.DRIFT in states:
        return ModelState(State.DRIFT)
    if State.OK in states and all(stream.evaluated for stream in streams):
        return ModelState(State.OK)
    reasons = {stream.reason for stream in streams}
    return ModelState(State.CANNOT_TELL, next((one for one in Reason if one in reasons), None))
