"""Numbers, shares and times as people read them. This room is pure."""

import math
from datetime import UTC, datetime

from driftgauge.drift.result import Change, DriftTest, DriftTestResult, FeatureDrift
from driftgauge.page.markup import Markup, tag

TESTS = {
    DriftTest.KS: "Distribution (KS)",
    DriftTest.TV: "Shares (total variation)",
    DriftTest.MISSING: "Missing values",
    DriftTest.SEQUENTIAL: "Evidence (log10 s)",
}
"""What each test looks at."""

_SIGNS = {
    Change.NONE: ("▲", "drift"),
    Change.DRIFT: ("▲", "drift"),
    Change.SCALE: ("⇕", "scale break"),
    Change.SCHEMA: ("✖", "schema break"),
}
"""A sign and a word for each kind of change that alarms."""


def badge(drift: bool | None, change: Change = Change.DRIFT) -> Markup:  # noqa: FBT001 the verdict itself
    """A verdict.

    Args:
        drift: Something alarms; `None` if nobody could tell.
        change: What kind of change it is.
    """
    if drift is None:
        return tag("span", tag("b", "?", aria_hidden="true"), " could not tell", class_="badge unknown")
    if not drift:
        return tag("span", tag("b", "✓", aria_hidden="true"), " ok", class_="badge ok")
    sign, word = _SIGNS[change]
    return tag("span", tag("b", sign, aria_hidden="true"), f" {word}", class_="badge drift")


def verdict(feature: FeatureDrift) -> Markup:
    """A feature's verdict."""
    return badge(feature.drift, feature.change)


def statistic(test: DriftTestResult) -> str:
    """A test's statistic in the digits that suit it."""
    return _measured(test, test.statistic)


def threshold(test: DriftTestResult) -> str:
    """A test's bar likewise; `none` where nothing could alarm."""
    return _measured(test, test.threshold)


def _measured(test: DriftTestResult, value: float) -> str:
    evidence = test.test is DriftTest.SEQUENTIAL and abs(value) != float("inf")
    return f"{value:.2f}" if evidence else distance(value)


PLAIN_FROM, PLAIN_TO = 1e-4, 1e7
"""Between these a number is written out, outside them with a power of ten."""

SMALLEST_SHOWN = 1e-99


def number(value: float) -> str:
    """A number with four digits that count."""
    if math.isinf(value):
        return "none"
    if value == 0 or PLAIN_FROM <= abs(value) < PLAIN_TO:
        whole = len(str(int(abs(value))))
        text = f"{value:.{max(0, 4 - whole)}f}" if abs(value) >= 1 or value == 0 else f"{value:.4f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.2e}"


def distance(value: float) -> str:
    """A distance in [0, 1] with as many digits as its neighbours in a table; infinity is none."""
    return f"{value:.3f}" if math.isfinite(value) else "none"


def probability(value: float | None) -> str:
    """A p-value; a dash where there is none."""
    if value is None:
        return "–"  # noqa: RUF001 a dash, as people set it in tables
    return f"{value:.2g}" if value >= SMALLEST_SHOWN else "< 1e-99"


def share(value: float) -> str:
    """A share in per cent."""
    percent = 100 * value
    if 0 < percent < 0.1:  # noqa: PLR2004 the smallest that one digit shows
        return "< 0.1 %"
    return f"{percent:.0f} %" if percent in {0, 100} else f"{percent:.1f} %"


def count(value: int, noun: str) -> str:
    """How many of something, parted by thousands."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def moment(seconds: float) -> str:
    """A time, since the epoch, to the second."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s since 1970"


def ticks(low: float, high: float, most: int = 5) -> tuple[tuple[float, str], ...]:
    """Round places on an axis and what is written there.

    Args:
        low: Where the axis begins.
        high: Where it ends, above `low`.
        most: At most so many places, at least 2.
    """
    step = _round_step((high - low) / most)
    first, last = math.ceil(low / step), math.floor(high / step)
    return tuple((place * step, _tick(place * step, step)) for place in range(first, last + 1))


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... that is no less, at any power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((power * one for one in (1, 2, 5) if power * one >= least), 10 * power)


def _tick(value: float, step: float) -> str:
    """A place in as many digits as tell it from its neighbours."""
    if abs(value) < step / 2:
        return "0"
    if step >= PLAIN_FROM and abs(value) < PLAIN_TO:
        return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    return f"{value:.{max(1, min(17, math.ceil(math.log10(abs(value) / step)) + 1))}g}"
