"""The contents of a page: the order of features, and which have charts."""

import math
from dataclasses import replace

import numpy as np

from driftgauge.drift.profile import categorical_profile, numeric_profile
from driftgauge.page.contents import FULL_FEATURES, TABLE_FEATURES, Facts, Part, first_alarms, in_order, part_of
from tests.support.reports import ALCOHOL, COLOUR, NO_COLOUR, moved, report_of

FACTS = Facts(window="new.csv", reference="old.csv", reference_rows=3)


def part(window: list[list[float]]) -> Part:
    """A part with the report on alcohol and colour."""
    profiles = (
        numeric_profile("alcohol", np.array([9.0, 10.0, 11.0])),
        categorical_profile("colour", np.array([1.0, 2.0]), {1.0: "red", 2.0: "white"}),
    )
    return part_of("", profiles, np.array(window), report_of(ALCOHOL, COLOUR), FACTS)


def test_the_most_severe_feature_comes_first() -> None:
    """Features that drift come first; then by distance in units of the threshold; then by the distance."""
    report = report_of(
        moved("near", 0.1, 0.2),
        moved("tied", 0.05, 0.1),
        moved("far", 0.3, 0.4),
        moved("alarm", 0.3, 0.31, drift=True),
        moved("unreachable", 0.9, math.inf),
    )
    pictures = part_of("", (), np.empty((0, 0)), report, FACTS).pictures

    assert ["alarm", "far", "near", "tied", "unreachable"] == [picture.drift.feature for picture in pictures]


def test_features_without_a_verdict_come_before_those_that_are_ok() -> None:
    """They need a person first."""
    unsure = replace(moved("unsure", 0.01, 0.4), untested=NO_COLOUR)
    features = in_order((moved("ok", 0.3, 0.4), unsure, moved("alarm", 0.1, 0.4, drift=True)))

    assert ["alarm", "unsure", "ok"] == [feature.feature for feature in features]


def test_every_feature_of_the_table_has_a_sketch() -> None:
    """Numbers have bars of the window, categories those of their bins, and a feature without values has none."""
    found = part([[9.0, 1.0], [10.0, 2.0]])

    assert {"alcohol", "colour"} == found.sketches.keys()
    assert ((0.75, 0.25), (0.5, 0.5)) == (found.sketches["colour"].reference, found.sketches["colour"].window)
    assert {"colour"} == part([[math.nan, 1.0]]).sketches.keys()


def test_the_number_of_lines_is_limited() -> None:
    """The most severe features are in the table."""
    report = report_of(*(moved(f"f{place}", place / 5000, 0.5) for place in range(TABLE_FEATURES + 1)))
    found = part_of("", (), np.empty((0, 0)), report, FACTS)

    assert (TABLE_FEATURES, "f2000") == (len(found.features), found.features[0].feature)


def test_the_oldest_alarm_is_first() -> None:
    """Of alarms with the same start the most severe is first; features without alarm are left out."""
    first, near = replace(ALCOHOL, feature="first", since=1.0), replace(moved("near", 0.1, 0.2), since=2.0)
    far = replace(moved("far", 0.2, 0.2), since=2.0)

    assert (first, far, near) == first_alarms(report_of(near, COLOUR, far, first))


def test_numbers_have_curves_and_categories_have_none() -> None:
    """The curve leaves out missing values."""
    numeric, categorical = part([[9.0, 1.0], [math.nan, 2.0], [10.0, 1.0]]).pictures

    assert numeric.curve is not None
    assert numeric.shape is not None
    assert ((9.0, 10.0, 11.0), (0.5, 1.0, 1.0)) == (numeric.curve.xs, numeric.curve.window)
    assert (None, None) == (categorical.curve, categorical.shape)


def test_a_window_without_values_has_no_curve() -> None:
    """If all values are missing, only the bins are shown."""
    assert part([[math.nan, 1.0]]).pictures[0].curve is None


def test_a_feature_that_the_reference_no_longer_has_is_shown_without_a_chart() -> None:
    """A report may be older than the loaded reference."""
    found = part_of("", (), np.empty((0, 0)), report_of(ALCOHOL), FACTS)

    assert [(ALCOHOL, None)] == [(picture.drift, picture.curve) for picture in found.pictures]


def test_the_number_of_full_features_is_limited() -> None:
    """The most severe ones are shown in full."""
    report = report_of(*(moved(f"f{place}", place / 1000, 0.5) for place in range(FULL_FEATURES + 1)))
    pictures = part_of("", (), np.empty((0, 0)), report, FACTS).pictures

    assert (FULL_FEATURES, f"f{FULL_FEATURES}", "f1") == (
        len(pictures),
        pictures[0].drift.feature,
        pictures[-1].drift.feature,
    )
