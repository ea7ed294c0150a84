"""The contents of a page: reports, what was compared, and the charts of the most severe features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.result import DriftReport, FeatureDrift, VerdictState
from driftgauge.drift.severity import most_drifted
from driftgauge.drift.statistics.ecdf import Curve, curve
from driftgauge.page.histograms import Shape, shape, small_shape
from driftgauge.page.markup import Markup

FULL_FEATURES = 100
"""Features that are shown in full, each in up to 15 kB; the others are in the table only."""

TABLE_FEATURES = 2_000
"""Features in the table, each in up to 2 kB."""

_ORDER = (VerdictState.DRIFT, VerdictState.CANNOT_TELL, VerdictState.OK)
"""The states by their urgency."""

_NO_VALUES = np.empty(0)

_NOTHING = Markup()


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
        features: The features of the table, in its order.
        pictures: Those of them that are shown in full, in the same order.
        sketches: Small histograms by the feature's name; a feature without values has none.
    """

    heading: str
    report: DriftReport
    facts: Facts
    features: tuple[FeatureDrift, ...]
    pictures: tuple[Picture, ...]
    sketches: Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Args:
        title: A model's name, or a file's.
        parts: One for each stream of payloads.
        up: The link back to the list of models; empty without one.
        refresh_seconds: How often there may be something new; `None` for a page in a file, which links to no other.
        others: Name and link of each other revision of the model.
        beside: Boxes beside those of the parts.
        below: What stands below the tables of the parts.
    """

    title: str
    parts: tuple[Part, ...]
    up: str = ""
    refresh_seconds: float | None = None
    others: tuple[tuple[str, str], ...] = ()
    beside: Markup = _NOTHING
    below: Markup = _NOTHING


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
        O(n log n) for each feature of the table, of which there are at most `TABLE_FEATURES`.
    """
    columns = {profile.name: (profile, index) for index, profile in enumerate(profiles)}
    pictures: list[Picture] = []
    sketches: dict[str, Shape] = {}
    features = in_order(report.features)[:TABLE_FEATURES]
    for feature in features:
        profile, index = columns.get(feature.feature, (None, 0))
        values = _NO_VALUES if profile is None else _present(window[:, index])
        numeric = profile if profile is not None and profile.kind is FeatureKind.NUMERIC and values.size else None
        if len(pictures) < FULL_FEATURES:
            pictures.append(_picture(feature, numeric, values))
        small = _categories(feature) if numeric is None else small_shape(numeric.values, values)
        if small is not None:
            sketches[feature.feature] = small
    return Part(heading, report, facts, features, tuple(pictures), sketches)


def in_order(features: Sequence[FeatureDrift]) -> tuple[FeatureDrift, ...]:
    """Features in the order of the page.

    Returns:
        Those that drift first, then those without a verdict; among equals by how far they are above their threshold.
    """
    return tuple(sorted(most_drifted(features), key=lambda one: _ORDER.index(one.state)))


def first_alarms(report: DriftReport) -> tuple[FeatureDrift, ...]:
    """The features whose alarm has a known start, the earliest first; of equal starts the most severe first."""
    alarming = (one for one in most_drifted(report.features) if one.since is not None)
    return tuple(sorted(alarming, key=lambda one: one.since or 0.0))


def _present(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values of a column, sorted ascending."""
    values: NDArray[np.float64] = np.sort(column[~np.isnan(column)])
    return values


def _picture(feature: FeatureDrift, profile: Profile | None, values: NDArray[np.float64]) -> Picture:
    if profile is None:
        return Picture(feature, None, None)
    both = curve(profile.values, values)
    return Picture(feature, both, shape(profile.values, values, both.place))


def _categories(feature: FeatureDrift) -> Shape | None:
    """The shares of categories, in the order of the bins; `None` for numbers: their bins are not equally wide."""
    if feature.kind is not FeatureKind.CATEGORICAL or not feature.histogram:
        return None
    edges = tuple(float(index) for index in range(len(feature.histogram) + 1))
    return Shape(
        edges, tuple(one.reference for one in feature.histogram), tuple(one.window for one in feature.histogram)
    )
