"""What a page is made of: the order of features, and which are drawn."""

import math
from dataclasses import replace

import numpy as np

from driftgauge.drift.profile import categorical_profile, numeric_profile
from driftgauge.drift.result import DriftTest, DriftTestResult
from driftgauge.page.contents import FULL_FEATURES, Facts, Part, by_movement, farness, first_movers, part_of
from tests.support.reports import ALCOHOL, COLOUR, moved, report_of

FACTS = Facts(window="new.csv", reference="old.csv", reference_rows=3)


def part(window: list[list[float]]) -> Part:
    """The part of a report on alcohol and colour."""
    profiles = (
        numeric_profile("alcohol", np.array([9.0, 10.0, 11.0])),
        categorical_profile("colour", np.array([1.0, 2.0]), {1.0: "red", 2.0: "white"}),
    )
    return part_of("", profiles, np.array(window), report_of(ALCOHOL, COLOUR), FACTS)


def test_the_farthest_comes_first() -> None:
    """Those that drift first; then by distance in units of its bar; then by the distance."""
    report = report_of(
        moved("near", 0.1, 0.2),
        moved("tied", 0.05, 0.1),
        moved("far", 0.3, 0.4),
        moved("alarm", 0.3, 0.31, drift=True),
        moved("unreachable", 0.9, math.inf),
    )

    assert ["alarm", "far", "near", "tied", "unreachable"] == [one.feature for one in by_movement(report)]


def test_missing_values_move_a_feature_too() -> None:
    """A feature is as far as the farthest of its windowed tests; evidence is on a scale of its own."""
    missing = DriftTestResult(test=DriftTest.MISSING, statistic=0.6, p_value=0.0, threshold=0.2, drift=True)
    evidence = DriftTestResult(test=DriftTest.SEQUENTIAL, statistic=99.0, p_value=None, threshold=1.0, drift=True)
    feature = moved("weight", 0.1, 0.2)

    assert 0.6 / 0.2 == farness(replace(feature, tests=(*feature.tests, missing, evidence)))


def test_a_bar_of_nought_is_no_division_by_nought() -> None:
    """Any distance is beyond it; no distance is not."""
    assert [math.inf, 0.0] == [farness(moved("a", statistic, 0.0)) for statistic in (0.1, 0.0)]


def test_the_first_movers_are_those_whose_alarm_is_oldest() -> None:
    """Of alarms that began together the farthest is named first; features without alarm have not moved."""
    first, near = replace(ALCOHOL, feature="first", since=1.0), replace(moved("near", 0.1, 0.2), since=2.0)
    far = replace(moved("far", 0.2, 0.2), since=2.0)

    assert (first, far, near) == first_movers(report_of(near, COLOUR, far, first))


def test_numbers_have_curves_and_categories_have_none() -> None:
    """The curve is drawn from the values that are present."""
    numeric, categorical = part([[9.0, 1.0], [math.nan, 2.0], [10.0, 1.0]]).pictures

    assert numeric.curve is not None
    assert numeric.shape is not None
    assert ((9.0, 10.0, 11.0), (0.5, 1.0, 1.0)) == (numeric.curve.xs, numeric.curve.window)
    assert (None, None) == (categorical.curve, categorical.shape)


def test_a_window_without_values_has_no_curve() -> None:
    """Where all values are missing, the bins alone are told."""
    assert part([[math.nan, 1.0]]).pictures[0].curve is None


def test_a_feature_that_the_reference_lacks_by_now_is_told_of() -> None:
    """A report may be older than the reference beside it: nothing is drawn, all is told."""
    found = part_of("", (), np.empty((0, 0)), report_of(ALCOHOL), FACTS)

    assert [(ALCOHOL, None)] == [(picture.drift, picture.curve) for picture in found.pictures]


def test_only_so_many_are_drawn() -> None:
    """The farthest are shown in full, however many there are."""
    report = report_of(*(moved(f"f{place}", place / 1000, 0.5) for place in range(FULL_FEATURES + 1)))
    pictures = part_of("", (), np.empty((0, 0)), report, FACTS).pictures

    assert (FULL_FEATURES, "f200", "f1") == (len(pictures), pictures[0].drift.feature, pictures[-1].drift.feature)
