"""Features without a verdict: why there is none, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftgauge.drift.measure import Past
from driftgauge.drift.result import CannotTellReason, DriftTest, DriftTestResult, RowsNeeded, Untested

FEWEST_VALUES = 2
"""A single value, in the window or in the reference, may be far enough away to alarm, but never shows that nothing has
changed."""

UNKNOWN = "it is not known yet how much neighbouring rows resemble each other: some 230 independent rows are needed"
"""The explanation of a feature whose dependence is not known."""

ALIKE = "neighbouring rows are so alike that it is not known how many independent rows they are worth"
"""The explanation of a feature whose dependence has no bound."""

NEAR_GREATEST = 0.9
"""A window whose threshold is a distance of at least this would miss nearly every change."""

LARGE_ERROR = 0.5
"""A reference whose own error is a distance of at least this shows next to nothing."""

MOST_POOLED = 0.25
"""Where more of a total variation is among rare categories, which a p-value compares as one, it shows no equality."""

MISSING_ALIKE = (
    "missing values follow each other for so long that it is not known how many independent rows they are worth"
)
"""The explanation of a feature whose missing values have no bound of dependence."""

DAILY = "it has a daily rhythm that the reference cannot explain: build the reference with times"
"""The explanation of a feature that depends on the hour, where the reference has no times."""

HOUR_UNKNOWN = "the reference has no rows of this hour"
"""The explanation of a feature whose newest rows are of an hour that the reference lacks."""

LISTED_NAMES = 5
"""How many names a sentence has."""

_LONGEST_NAME = 40
"""Characters of a name that a sentence has."""


@dataclass(frozen=True, slots=True)
class SampleSize:
    """How much there is of one feature of a window.

    Args:
        name: The feature's name.
        values: How many values are present.
        missing: Rows without a value.
        reference_values: How many values the reference has.
        effective_rows: How many independent values those of the window are worth, at least 1.
        past: What is known from before the window.
    """

    name: str
    values: int
    missing: int
    reference_values: int
    effective_rows: float
    past: Past

    @property
    def rows(self) -> int:
        """Rows of the window, those without a value included."""
        return self.values + self.missing


def find_obstacle(size: SampleSize, tests: Sequence[DriftTestResult], min_rows: int) -> Untested | None:
    """Why there is no verdict on a feature that does not alarm; `None` if there is one.

    Args:
        size: How much there is of the feature.
        tests: The results of its tests, of which none alarms; may be empty.
        min_rows: Fewest values that the rule tests.

    Notes:
        The distance decides. An equal share of missing values says nothing about the values.
    """
    return _of_sizes(size, min_rows) or _of_dependence(size, tests) or _of_thresholds(size, tests)


def _of_sizes(size: SampleSize, min_rows: int) -> Untested | None:
    """Rows of an hour that the reference lacks, or too few values."""
    name, values, known = size.name, size.values, size.reference_values
    least = max(min_rows, FEWEST_VALUES)
    if not size.past.hour_known:
        return Untested(feature=name, reason=CannotTellReason.RHYTHM, explanation=HOUR_UNKNOWN)
    if values < least:
        found = f"{size.rows} {'row' if size.rows == 1 else 'rows'}" if size.rows < least else _values(values)
        return Untested(
            feature=name, reason=CannotTellReason.FEW_ROWS, explanation=f"the window has {found}, {least} are needed"
        )
    if known < FEWEST_VALUES:
        explanation = f"the reference has {_values(known)}, {FEWEST_VALUES} are needed"
        return Untested(feature=name, reason=CannotTellReason.REFERENCE_SMALL, explanation=explanation)
    return None


def _of_dependence(size: SampleSize, tests: Sequence[DriftTestResult]) -> Untested | None:
    """A rhythm that the reference cannot explain, or a dependence that has no bound, or is not known yet."""
    name, past, distance = size.name, size.past, _distance(tests)
    if past.rhythm:
        return Untested(feature=name, reason=CannotTellReason.RHYTHM, explanation=DAILY)
    if past.alike:
        return Untested(feature=name, reason=CannotTellReason.ALIKE, explanation=ALIKE)
    if past.missing_alike:
        return Untested(feature=name, reason=CannotTellReason.ALIKE, explanation=MISSING_ALIKE)
    if distance.reference_error is not None and distance.reference_error >= LARGE_ERROR:
        explanation = f"the reference has {_values(size.reference_values)}, too few for a verdict"
        return Untested(feature=name, reason=CannotTellReason.REFERENCE_SMALL, explanation=explanation)
    if past.unknown:
        return Untested(feature=name, reason=CannotTellReason.FEW_ROWS, explanation=UNKNOWN)
    return None


def _of_thresholds(size: SampleSize, tests: Sequence[DriftTestResult]) -> Untested | None:
    """Thresholds that no window of this size, and no sequence of so many rows, could reach."""
    name, distance = size.name, _distance(tests)
    if size.past.reachable:
        return None
    if distance.rows_needed is not None:
        too_small = distance.rows_needed.window is None
        reason = CannotTellReason.REFERENCE_SMALL if too_small else CannotTellReason.THRESHOLD
        return Untested(feature=name, reason=reason, explanation=_out_of_reach(size, distance.rows_needed))
    if distance.pooled > MOST_POOLED:
        explanation = f"most of its categories are so rare that {_values(size.values)} show no change among them"
        return Untested(feature=name, reason=CannotTellReason.THRESHOLD, explanation=explanation)
    if distance.reference_error is not None and distance.threshold >= NEAR_GREATEST:
        explanation = f"only a distance of {distance.threshold:.2f} or more would alarm in a window of this size"
        return Untested(feature=name, reason=CannotTellReason.THRESHOLD, explanation=explanation)
    return None


def _distance(tests: Sequence[DriftTestResult]) -> DriftTestResult:
    """The test of the values."""
    return next(test for test in tests if test.test in {DriftTest.KS, DriftTest.TV})


def by_explanation(untested: Sequence[Untested]) -> dict[str, list[str]]:
    """The names of the features that have the same explanation, for each explanation."""
    groups: dict[str, list[str]] = {}
    for one in untested:
        groups.setdefault(one.explanation, []).append(one.feature)
    return groups


def enumerated(names: Sequence[str], most: int = LISTED_NAMES) -> str:
    """The first names, and how many more there are; names are untrusted."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(_name, names[:most])) + more


def _out_of_reach(size: SampleSize, needed: RowsNeeded) -> str:
    values, effective = size.values, round(size.effective_rows)
    worth = "" if effective == values else f", worth {effective:,} independent {'one' if effective == 1 else 'ones'},"
    if needed.window is not None:
        return f"no window of {_values(values)}{worth} could alarm, {needed.window:,} are needed"
    known = _values(size.reference_values)
    if needed.reference is not None:
        return f"the reference has {known}, for a window of {_values(values)}{worth} {needed.reference:,} are needed"
    return f"the reference has {known}, too few for any window to alarm"


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"


def _name(name: str) -> str:
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."
