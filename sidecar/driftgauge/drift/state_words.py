"""States and reasons in words, as the page, `driftgauge check` and the reports in Python show them."""

from driftgauge.drift.result import CannotTellReason, DriftReport, VerdictState

STATES = {VerdictState.OK: "ok", VerdictState.DRIFT: "drift", VerdictState.CANNOT_TELL: "cannot tell"}
"""A word for each state."""

REASONS = {
    CannotTellReason.NO_REFERENCE: "no reference",
    CannotTellReason.STORE: "the store does not respond",
    CannotTellReason.FEW_ROWS: "too few rows",
    CannotTellReason.ALIKE: "rows are too alike",
    CannotTellReason.RHYTHM: "a rhythm of the day",
    CannotTellReason.REFERENCE_SMALL: "the reference is too small",
    CannotTellReason.THRESHOLD: "hardly any window would alarm",
}
"""A few words for each reason why there is no verdict."""


def state_counts(report: DriftReport) -> dict[VerdictState, str]:
    """How many features are in each state, in words; a state without features is left out.

    Example:
        The values may be "97 ok", "1 in drift", "3 cannot tell".
    """
    drifting = sum(feature.state is VerdictState.DRIFT for feature in report.features)
    counts = {
        VerdictState.OK: (len(report.tested) - drifting, "ok"),
        VerdictState.DRIFT: (drifting, "in drift"),
        VerdictState.CANNOT_TELL: (len(report.untested), "cannot tell"),
    }
    return {state: f"{count:,} {word}" for state, (count, word) in counts.items() if count}
