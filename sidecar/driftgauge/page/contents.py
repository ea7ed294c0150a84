"""What a page is made of: reports, what was compared, and the pictures of the features that moved most.

This room is pure: values only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import DriftReport, DriftTest, FeatureDrift
from driftgauge.drift.statistics.ecdf import Curve, curve
from driftgauge.page.chart import Shape, shape

FULL_FEATURES = 200
"""Features that are shown in full; the others stand in the table alone. Each takes up to 15 kB."""

_NO_VALUES = np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was compared, and when.

    Args:
        window: What the rows under test are: a file, or a stream.
        reference: What they were tested against: a file, or the first rows of a stream.
        reference_rows: Rows of it.
        digest: SHA-256 of the reference's file, in hexadecimal; empty where there is no file.
        rule: What makes a verdict, in words.
        time: When the window was tested, seconds since the epoch; `None` where nobody asks.
        notes: Sentences that a reader should know before trusting the verdict.
    """

    window: str
    reference: str
    reference_rows: int
    digest: str = ""
    rule: str = ""
    time: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """One feature as it is drawn.

    Args:
        drift: What the tests said of it.
        curve: Both distribution functions; `None` for categories, and where the window has no value.
        shape: Both histograms on the same axis; `None` where there is no curve.
    """

    drift: FeatureDrift
    curve: Curve | None
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class Part:
    """One stream's report: the inputs or the predictions of a model, or a file.

    Args:
        heading: What the columns are: `Inputs`, `Predictions`; empty where there is one part alone.
        report: All of it.
        facts: What was compared.
        pictures: The features that are shown in full, the one that moved most first.
    """

    heading: str
    report: DriftReport
    facts: Facts
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Args:
        title: What it is about: a model's name, or a file's.
        parts: One for each stream.
        up: Where the way back leads; empty without one.
    """

    title: str
    parts: tuple[Part, ...]
    up: str = ""


def part_of(
    heading: str, profiles: Sequence[Profile], window: NDArray[np.float64], report: DriftReport, facts: Facts
) -> Part:
    """Draw what a report says.

    Args:
        heading: What the columns are.
        profiles: The `d` columns of the reference; a feature that is not among them is told of, but not drawn.
        window: Shape `(n, d)`, float64, the rows that the report is on, or newer ones; NaN is a missing value.
        report: What the tests said.
        facts: What was compared.

    Notes:
        O(n log n) for each feature that is drawn, at most `FULL_FEATURES`.
    """
    columns = {profile.name: (profile, index) for index, profile in enumerate(profiles)}
    pictures = []
    for feature in by_movement(report)[:FULL_FEATURES]:
        profile, index = columns.get(feature.feature, (None, 0))
        pictures.append(_picture(feature, profile, _NO_VALUES if profile is None else window[:, index]))
    return Part(heading, report, facts, tuple(pictures))


def by_movement(report: DriftReport) -> tuple[FeatureDrift, ...]:
    """The tested features: those that drift first; then by distance in units of its bar, then by the distance."""
    return tuple(sorted(report.features, key=lambda one: (not one.drift, -farness(one), -one.distance.statistic)))


def farness(feature: FeatureDrift) -> float:
    """The largest of a feature's windowed statistics in units of its bar, at least 0; from 1 on it alarms."""
    tests = [test for test in feature.tests if test.test is not DriftTest.SEQUENTIAL]
    ratios = [test.statistic / test.threshold if test.threshold > 0 else math.inf for test in tests if test.statistic]
    return max(ratios, default=0.0)


def first_movers(report: DriftReport) -> tuple[FeatureDrift, ...]:
    """The features whose alarm's beginning is known, the earliest first; of those that began together the farthest."""
    moved = (one for one in by_movement(report) if one.since is not None)
    return tuple(sorted(moved, key=lambda one: one.since or 0.0))


def _picture(feature: FeatureDrift, profile: Profile | None, column: NDArray[np.float64]) -> Picture:
    values = np.sort(column[~np.isnan(column)])
    if profile is None or profile.kind is not FeatureKind.NUMERIC or values.size == 0:
        return Picture(feature, None, None)
    drawn = curve(profile.values, values)
    return Picture(feature, drawn, shape(profile.values, values, drawn))
