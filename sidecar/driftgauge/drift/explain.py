"""What a person should look for first in a drifting feature, in one sentence: a broken schema, a new unit, or drift.

A sentence is a hint for a person and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.change_clauses import explain_change
from driftgauge.drift.profile import Profile
from driftgauge.drift.result import CannotTellReason, Change, DriftTest, FeatureDrift, Untested
from driftgauge.drift.severity import most_drifted, most_severe_test
from driftgauge.drift.untested import by_explanation, enumerated

_FEWEST_NEWEST = 30
"""Rows since the evidence rose, below which the sentence is about the whole window: fewer say too little."""

_DAY_SECONDS = 86_400.0

_LESS_THAN_A_DAY = " (less than a day seen: it may be the time of day)"

_KINDS = {Change.SCHEMA: "Schema break", Change.SCALE: "Scale break", Change.DRIFT: "Drift"}


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRows:
    """One feature of some rows, at least one.

    Args:
        values: Shape `(n,)`: the values that are present, sorted ascending; may be empty.
        missing: Rows without a value.
    """

    values: NDArray[np.float64]
    missing: int

    @property
    def rows(self) -> int:
        """Rows with a value and without."""
        return self.values.size + self.missing


def explain_feature(
    profile: Profile,
    window: FeatureRows,
    *,
    drift: bool,
    newest: FeatureRows | None = None,
    seen_seconds: float | None = None,
) -> tuple[Change, str]:
    """The kind of a change, and a sentence that describes it.

    Args:
        profile: The feature's reference.
        window: All rows of the window.
        drift: Whether any test alarms; without an alarm there is nothing to explain.
        newest: The rows of the window since the evidence began to rise, if that is known. The change is described by
            them if they are at least 30: most rows of the window may be older than the change.
        seen_seconds: How long the stream has been seen. Before a day is over, drift may be the time of day, and the
            sentence says so. `None` if it is unknown, or if the reference knows the hours of the day.
    """
    if not drift:
        return Change.NONE, "No drift."
    shown = newest if newest is not None and _FEWEST_NEWEST <= newest.rows < window.rows else window
    change, clause = explain_change(profile, shown.values, shown.missing)
    kind = _KINDS[change]
    where = f"{kind}: " if shown is window else f"In the newest {shown.rows:,} rows: {kind.lower()}, "
    young = change is Change.DRIFT and seen_seconds is not None and seen_seconds < _DAY_SECONDS
    return change, f"{where}{clause}{_LESS_THAN_A_DAY if young else ''}."


def explain_past(sentence: str, untested: Untested | None, alike_since: float | None) -> str:
    """What a person reads of a feature.

    Args:
        sentence: It describes the change.
        untested: Why there is no verdict; `None` if there is one.
        alike_since: As in `FeatureDrift`.
    """
    verdict = sentence if untested is None else f"Cannot tell: {untested.explanation}."
    if alike_since is None or (untested is not None and untested.reason is not CannotTellReason.ALIKE):
        return verdict
    return f"{verdict} Rows have become alike since {_minute(alike_since)}: that is itself a change to look at."


def explain_report(features: Sequence[FeatureDrift], untested: Sequence[Untested], noun: str = "feature") -> str:
    """One sentence on a whole window.

    Args:
        features: The features with results, those without a verdict among them.
        untested: The features without a verdict.
        noun: What they are called: "feature" or "prediction".
    """
    drifting = [feature for feature in features if feature.drift]
    tested = sum(feature.drift is not None for feature in features)
    if not tested:
        return _explain_untested(untested, noun)
    unknown = f"cannot tell for {len(untested)} ({enumerated([one.feature for one in untested])})" if untested else ""
    if not drifting:
        return "; ".join(filter(None, (f"No drift in {_counted(tested, noun)}", unknown))) + "."
    counts = [(change, sum(one.change is change for one in drifting)) for change in (Change.SCHEMA, Change.SCALE)]
    parts = [f"{change} break in {count}" for change, count in counts if count]
    drifted = len(drifting) - sum(count for _, count in counts)
    parts += [f"drift in {drifted}"] if drifted else []
    sentence = f"{', '.join(parts)} of {_counted(tested + len(untested), noun)}"
    clauses = (f"{sentence[0].upper()}{sentence[1:]}", _moved_most(drifting), unknown)
    return "; ".join(filter(None, clauses)) + "."


def _minute(seconds: float) -> str:
    """A time, given in seconds since the epoch, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _explain_untested(untested: Sequence[Untested], noun: str) -> str:
    """Why no feature has a verdict; of several reasons, the first of `Reason` is explained."""
    if not untested:
        return "Cannot tell: there is nothing to test."
    order = list(CannotTellReason)
    first = min(untested, key=lambda one: order.index(one.reason))
    if len(by_explanation(untested)) == 1:
        return f"Cannot tell: {first.explanation}."
    return (
        f"Cannot tell for any of {_counted(len(untested), noun)}; {enumerated([first.feature])}: {first.explanation}."
    )


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _moved_most(drifting: Sequence[FeatureDrift]) -> str:
    """The most severe feature, with the test that makes it so."""
    names = {DriftTest.KS: "D", DriftTest.TV: "total variation", DriftTest.MISSING: "share of missing values off by"}
    feature = most_drifted(drifting)[0]
    test = most_severe_test(feature)
    return f"{feature.feature} moved most ({names[test.test]} {test.statistic:.2f})"
