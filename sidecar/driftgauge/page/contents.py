"""The contents of a page: reports, what was compared, and the charts of the most severe features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import DriftReport, FeatureDrift
from driftgauge.drift.severity import most_drifted
from driftgauge.drift.statistics.ecdf import Curve, curve
from driftgauge.page.chart import Shape, shape

FULL_FEATURES = 200
"""Features that are shown in full, each in up to 15 kB; the others are in the table only."""

_NO_VALUES = np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was compared, and when.

    Args:
        window: Where the tested rows are from: a file or a stream.
        reference: What they were tested against: a file or the first rows of a stream.
        reference_rows: Rows of the reference.
        digest: SHA-256 of the reference's file, in hexadecimal; empty where there is no file.
        rule: The rule of the verdict, in words.
        time: When the window was tested, seconds since the epoch; `None` leaves it out.
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
    """One feature and its chart.

    Args:
        drift: The results of its tests.
        curve: Both distribution functions; `None` for categories, and where the window has no value.
        shape: Both histograms on the same axis; `None` where there is no curve.
    """

    drift: FeatureDrift
    curve: Curve | None
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class Part:
    """One report: on the inputs or the predictions of a model, or on a file.

    Args:
        heading: `Inputs` or `Predictions`; empty where a page has a single part.
        report: The report.
        facts: What was compared.
        pictures: The features that are shown in full, the most severe first.
    """

    heading: str
    report: DriftReport
    facts: Facts
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Args:
        title: A model's name, or a file's.
        parts: One for each stream.
        up: The link back to the list of models; empty without one.
    """

    title: str
    parts: tuple[Part, ...]
    up: str = ""


def part_of(
    heading: str, profiles: Sequence[Profile], window: NDArray[np.float64], report: DriftReport, facts: Facts
) -> Part:
    """Make the part of a report, with charts.

    Args:
        heading: `Inputs`, `Predictions` or empty.
        profiles: The `d` columns of the reference; a feature that is not among them is shown without a chart.
        window: Shape `(n, d)`, float64, the rows that the report is on, or newer ones; NaN is a missing value.
        report: The report.
        facts: What was compared.

    Notes:
        O(n log n) for each feature with a chart, at most `FULL_FEATURES`.
    """
    columns = {profile.name: (profile, index) for index, profile in enumerate(profiles)}
    pictures = []
    for feature in most_drifted(report.features)[:FULL_FEATURES]:
        profile, index = columns.get(feature.feature, (None, 0))
        pictures.append(_picture(feature, profile, _NO_VALUES if profile is None else window[:, index]))
    return Part(heading, report, facts, tuple(pictures))


def first_alarms(report: DriftReport) -> tuple[FeatureDrift, ...]:
    """The features whose alarm has a known start, the earliest first; of equal starts the most severe first."""
    alarming = (one for one in most_drifted(report.features) if one.since is not None)
    return tuple(sorted(alarming, key=lambda one: one.since or 0.0))


def _picture(feature: FeatureDrift, profile: Profile | None, column: NDArray[np.float64]) -> Picture:
    values = np.sort(column[~np.isnan(column)])
    if profile is None or profile.kind is not FeatureKind.NUMERIC or values.size == 0:
        return Picture(feature, None, None)
    both = curve(profile.values, values)
    return Picture(feature, both, shape(profile.values, values, both))
