"""Verdicts and tests in words and signs, so that nothing is told by colour alone. This room is pure."""

from sidecar.drift.result import Change, FeatureDrift, TestName, TestResult
from sidecar.page.markup import Markup, tag
from sidecar.page.numbers import distance

TESTS = {
    TestName.KS: "Distribution (KS)",
    TestName.TV: "Shares (total variation)",
    TestName.MISSING: "Missing values",
    TestName.SEQUENTIAL: "Evidence (log10 s)",
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


def statistic(test: TestResult) -> str:
    """A test's statistic in the digits that suit it."""
    return _measured(test, test.statistic)


def threshold(test: TestResult) -> str:
    """A test's bar likewise; `none` where nothing could alarm."""
    return _measured(test, test.threshold)


def _measured(test: TestResult, value: float) -> str:
    evidence = test.test is TestName.SEQUENTIAL and abs(value) != float("inf")
    return f"{value:.2f}" if evidence else distance(value)
