"""The chart of calibration."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from driftgauge.drift.outcomes.outcome_report import CalibrationBin
from driftgauge.page.calibration_chart import BASE, LEFT, RIGHT, TOP, calibration_chart
from tests.support.outcome_reports import GRADE, PRICE

GOOD = GRADE.calibration[0]


class Shapes(HTMLParser):
    """Collects the elements of a chart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str, kind: str = "") -> list[dict[str, str]]:
        """The attributes of all elements of a name that have a class."""
        return [attrs for name, attrs in self.found if name == tag and kind in ["", *attrs.get("class", "").split(" ")]]


def drawn(*bins: CalibrationBin) -> Shapes:
    """A chart of these bins."""
    return Shapes(calibration_chart("grade", "outcome-0", bins))


def test_each_bin_has_its_band_its_reference_and_its_mark() -> None:
    """A bin without rows has no mark."""
    chart = drawn(*GRADE.calibration)

    assert len(chart.all("rect", "band")) == 2
    assert len(chart.all("path", "reference")) == 2
    assert len(chart.all("circle", "mark")) == 1


def test_a_mark_outside_the_band_differs_without_colour() -> None:
    """It is filled; one within the band, or on its edge, is hollow."""
    on_edge = replace(GOOD, window=GOOD.tolerated_lower)
    chart = drawn(GOOD, on_edge, replace(GOOD, window=0.9))

    assert [one["class"] for one in chart.all("circle")] == ["mark outside", "mark", "mark"]


def test_heights_are_those_of_the_values() -> None:
    """A greater share is higher, and the mark of the reference's value is on its line."""
    (mark,) = drawn(replace(GOOD, window=GOOD.reference)).all("circle")
    (line,) = drawn(replace(GOOD, window=GOOD.reference)).all("path", "reference")
    low, high = (float(drawn(replace(GOOD, window=value)).all("circle")[0]["cy"]) for value in (0.81, 0.94))

    assert float(mark["cy"]) == float(re.match(r"M[\d.]+ ([\d.]+)L", line["d"])[1])  # type: ignore[index]
    assert low > high


@pytest.mark.parametrize("bins", [GRADE.calibration, PRICE.calibration, (replace(GOOD, reference=1.0, window=1.0),)])
def test_nothing_is_drawn_outside_of_the_panel(bins: tuple[CalibrationBin, ...]) -> None:
    """Bands and marks are within its four sides."""
    chart = drawn(*bins)

    for one in chart.all("rect"):
        assert LEFT <= float(one["x"]) <= float(one["x"]) + float(one["width"]) <= RIGHT
        assert TOP <= float(one["y"]) <= float(one["y"]) + float(one["height"]) <= BASE + 0.5
    for one in chart.all("circle"):
        assert TOP <= float(one["cy"]) <= BASE


def test_equal_values_have_an_axis() -> None:
    """Of a number that is never wrong, with no tolerance."""
    flat = replace(PRICE.calibration[0], reference=0.0, window=0.0, tolerated_lower=0.0, tolerated_upper=0.0)

    assert len(drawn(flat).all("circle")) == 1


def test_a_description_says_what_is_outside() -> None:
    """The worst bin with both shares; or that none is."""
    inside = calibration_chart("grade", "outcome-0", [replace(GOOD, window=0.9)])

    assert "outside the band of tolerance; farthest that of good: 75 % now" not in inside
    assert "lies within the band" in inside
    assert "farthest that of good: 75.0 % now, 87.5 % in the reference" in calibration_chart("grade", "x", [GOOD])


def test_the_lines_of_two_classes_do_not_meet() -> None:
    """Each class has a curve of its own."""
    bins = [replace(GOOD, class_text=text, label=text) for text in ("a", "a", "b", "b")]
    (path,) = drawn(*bins).all("path", "window")

    assert (path["d"].count("M"), path["d"].count("L")) == (2, 2)


def test_names_are_as_long_as_they_fit() -> None:
    """Of many classes a name is cut, or left out; markup in it is escaped."""
    bins = [replace(GOOD, class_text=f"<{number} long name of a class>", label="x") for number in range(10)]
    text = calibration_chart("grade", "x", bins)

    assert "&lt;0" in text
    assert "<0" not in text
    assert "long name of a class" not in text
