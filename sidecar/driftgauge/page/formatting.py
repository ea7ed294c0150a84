"""Numbers, times and verdicts as text for people."""

import math
from datetime import UTC, datetime

from driftgauge.drift.result import (
    CannotTellReason,
    Change,
    DriftReport,
    DriftTest,
    DriftTestResult,
    FeatureDrift,
    VerdictState,
)
from driftgauge.drift.state_words import REASONS, STATES, state_counts
from driftgauge.page.markup import Markup, joined, tag

TESTS = {
    DriftTest.KS: "Distribution (KS)",
    DriftTest.TV: "Shares (total variation)",
    DriftTest.MISSING: "Missing values",
    DriftTest.SEQUENTIAL: "Evidence (log10 s)",
}
"""What each test compares."""

_SIGNS = {
    Change.NONE: ("▲", "drift"),
    Change.DRIFT: ("▲", "drift"),
    Change.SCALE: ("⇕", "scale break"),
    Change.SCHEMA: ("✖", "schema break"),
}
"""A sign and a word for each kind of change that alarms."""

_QUIET_SIGNS = {
    VerdictState.OK: ("✓", STATES[VerdictState.OK]),
    VerdictState.CANNOT_TELL: ("?", STATES[VerdictState.CANNOT_TELL]),
}
"""A sign and a word for each other state."""

# A number is written out from the one to the other, outside with a power of ten.
_PLAIN_FROM = 1e-4
_PLAIN_TO = 1e7

DASH = "–"  # noqa: RUF001 an en dash, as usual in tables
"""In place of a value that there is none of."""

_SMALLEST_PROBABILITY = 1e-99


def badge(state: VerdictState, change: Change = Change.DRIFT) -> Markup:
    """A state as a badge.

    Args:
        state: The state of a model or of a feature.
        change: The kind of change, where it drifts.
    """
    sign, word = _SIGNS[change] if state is VerdictState.DRIFT else _QUIET_SIGNS[state]
    return tag("span", tag("b", sign, aria_hidden="true"), f" {word}", class_=f"badge {state}")


def verdict(feature: FeatureDrift) -> Markup:
    """A feature's state, with a few words on the reason where there is no verdict."""
    return joined((badge(feature.state, feature.change), *((" ", reason(feature.reason)) if feature.reason else ())))


def reason(why: CannotTellReason) -> Markup:
    """A few words on why there is no verdict."""
    return tag("span", REASONS[why], class_="reason")


def summary(report: DriftReport) -> Markup:
    """The state of a report as a badge, the reason where there is no verdict, and the number of features by state."""
    found = [] if report.reason is None else [reason(report.reason)]
    found += [tag("span", words, class_=f"count {state}") for state, words in state_counts(report).items()]
    return joined((badge(report.state), *(joined((", " if place else " ", one)) for place, one in enumerate(found))))


def statistic(test: DriftTestResult) -> str:
    """A test's statistic: evidence with two digits, a distance with three."""
    return _measured(test, test.statistic)


def threshold(test: DriftTestResult) -> str:
    """A test's threshold, as its statistic; `none` where nothing could alarm."""
    return _measured(test, test.threshold)


def number(value: float) -> str:
    """A number with four significant digits; infinity is `none`."""
    if math.isinf(value):
        return "none"
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        whole = len(str(int(abs(value))))
        text = f"{value:.{max(0, 4 - whole)}f}" if abs(value) >= 1 or value == 0 else f"{value:.4f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.2e}"


def distance(value: float) -> str:
    """A distance in [0, 1] with three digits, so that a column lines up; infinity is `none`."""
    return f"{value:.3f}" if math.isfinite(value) else "none"


def times(value: float) -> str:
    """A multiple of a threshold with two decimals; infinity is a threshold of 0."""
    return f"{value:.2f}" if math.isfinite(value) else "∞"


def probability(value: float | None) -> str:
    """A p-value with two significant digits; a dash without one."""
    if value is None:
        return DASH
    return f"{value:.2g}" if value >= _SMALLEST_PROBABILITY else "< 1e-99"


def share(value: float) -> str:
    """A share in per cent."""
    percent = 100 * value
    if 0 < percent < 0.1:  # noqa: PLR2004 the smallest that one decimal shows
        return "< 0.1 %"
    return f"{percent:.0f} %" if percent in {0, 100} else f"{percent:.1f} %"


def count(value: int, noun: str) -> str:
    """A count with thousands separators, and its noun."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def moment(seconds: float) -> str:
    """A time, given in seconds since the epoch."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s since 1970"


def ticks(low: float, high: float, most: int = 5) -> tuple[tuple[float, str], ...]:
    """Round values on an axis, and their labels.

    Args:
        low: Start of the axis.
        high: End of the axis, above `low`.
        most: The most steps between the values, at least 2.
    """
    step = _round_step((high - low) / most)
    first, last = math.ceil(low / step), math.floor(high / step)
    return tuple((place * step, _tick(place * step, step)) for place in range(first, last + 1))


def _round_step(least: float) -> float:
    """The smallest step of 1, 2 or 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((power * one for one in (1, 2, 5) if power * one >= least), 10 * power)


def _tick(value: float, step: float) -> str:
    """A value with enough digits to differ from its neighbours."""
    if abs(value) < step / 2:
        return "0"
    if step >= _PLAIN_FROM and abs(value) < _PLAIN_TO:
        return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    return f"{value:.{max(1, min(17, math.ceil(math.log10(abs(value) / step)) + 1))}g}"


def _measured(test: DriftTestResult, value: float) -> str:
    evidence = test.test is DriftTest.SEQUENTIAL and math.isfinite(value)
    return f"{value:.2f}" if evidence else distance(value)
