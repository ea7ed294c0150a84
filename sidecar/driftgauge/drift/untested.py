"""Features without a verdict: why the tests could not tell, in words."""

import math
from collections.abc import Sequence

from driftgauge.drift.measure import Sample
from driftgauge.drift.result import DriftTest, DriftTestResult, Obstacle, RowsNeeded, Untested

FEWEST_VALUES = 2
"""A single value, in the window or in the reference, may be far enough away to alarm, but never shows that nothing has
changed."""

ALIKE = "neighbouring rows are so alike that it is not known how many independent rows they are worth"
"""The explanation of a feature whose dependence has no bound."""

LISTED_NAMES = 5
"""How many names a sentence has."""

_LONGEST_NAME = 40
"""Characters of a name that a sentence has."""


def find_obstacle(sample: Sample, tests: Sequence[DriftTestResult], min_rows: int) -> Untested | None:
    """Why there is no verdict on a feature that does not alarm; `None` if there is one.

    Args:
        sample: The feature's values.
        tests: The results of its tests, of which none alarms; may be empty.
        min_rows: Fewest values that the rule tests.

    Notes:
        The distance decides. An equal share of missing values says nothing about the values.
    """
    name, values, known = sample.profile.name, sample.values.size, sample.profile.values.size
    least = max(min_rows, FEWEST_VALUES)
    if values < least:
        found = f"{sample.rows} {'row' if sample.rows == 1 else 'rows'}" if sample.rows < least else _values(values)
        return _too_few(name, f"the window has {found}, {least} are needed")
    if known < FEWEST_VALUES:
        return _too_few(name, f"the reference has {_values(known)}, {FEWEST_VALUES} are needed")
    if math.isinf(sample.factor):
        return Untested(feature=name, reason=Obstacle.ROWS_ALIKE, explanation=ALIKE)
    distance = next(test for test in tests if test.test in {DriftTest.KS, DriftTest.TV})
    if distance.rows_needed is None:
        return None
    explanation = _out_of_reach(sample, distance.rows_needed)
    return Untested(feature=name, reason=Obstacle.OUT_OF_REACH, explanation=explanation)


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


def _too_few(name: str, explanation: str) -> Untested:
    return Untested(feature=name, reason=Obstacle.TOO_FEW_VALUES, explanation=explanation)


def _out_of_reach(sample: Sample, needed: RowsNeeded) -> str:
    values, effective = sample.values.size, round(sample.effective_rows(sample.weight))
    worth = "" if effective == values else f", worth {effective:,} independent {'one' if effective == 1 else 'ones'},"
    if needed.window is not None:
        return f"no window of {_values(values)}{worth} could alarm, {needed.window:,} are needed"
    known = _values(sample.profile.values.size)
    if needed.reference is not None:
        return f"the reference has {known}, for a window of {_values(values)}{worth} {needed.reference:,} are needed"
    return f"the reference has {known}, too few for any window to alarm"


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"


def _name(name: str) -> str:
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."
