"""States and reasons in words, as the page, `driftgauge check` and the reports in Python show them."""

from driftgauge.drift.result import DriftReport, Reason, State

STATES = {State.OK: "ok", State.DRIFT: "drift", State.CANNOT_TELL: "cannot tell"}
"""A word for each state."""

REASONS = {
    Reason.NO_REFERENCE: "no reference",
    Reason.STORE: "the store does not respond",
    Reason.FEW_ROWS: "too few rows",
    Reason.ALIKE: "rows are too alike",
    Reason.RHYTHM: "a rhythm of the day",
    Reason.REFERENCE_SMALL: "the reference is too small",
    Reason.THRESHOLD: "hardly any window would alarm",
}
"""A few words for each reason why there is no verdict."""


def state_counts(report: DriftReport) -> dict[State, str]:
    """How many features are in each state, in words; a state without features is left out.

    Example:
        The values may be "97 ok", "1 drifts", "3 cannot tell".
    """
    drifting = sum(feature.state is State.DRIFT for feature in report.features)
    counts = {
        State.OK: (len(report.tested) - drifting, "ok"),
        State.DRIFT: (drifting, "drifts" if drifting == 1 else "drift"),
        State.CANNOT_TELL: (len(report.untested), "cannot tell"),
    }
    return {state: f"{count:,} {word}" for state, (count, word) in counts.items() if count}
