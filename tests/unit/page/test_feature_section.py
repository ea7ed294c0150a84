"""The section of one feature."""

import re
from dataclasses import replace

import numpy as np

from driftgauge.drift.result import Bin
from driftgauge.drift.statistics.ecdf import curve
from driftgauge.page.contents import Picture
from driftgauge.page.feature_section import section
from driftgauge.page.histograms import shape
from driftgauge.page.markup import Markup
from tests.support.reports import ALCOHOL, COLOUR


def facts(markup: Markup) -> dict[str, str]:
    """The numbers beside the tests."""
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", markup))


def test_shows_every_test_with_its_threshold() -> None:
    """Distance, missing values and evidence each have a line that says in words whether they alarm."""
    lines = re.findall(r'<tr class="(?:alarm|quiet)">(.*?)</tr>', section(Picture(ALCOHOL, None, None), "p0-0"))

    assert [
        ["Distribution (KS)", "0.500", "0.250", "0.001", "▲ yes"],
        ["Missing values", "0.100", "0.200", "0.02", "no"],
        ["Evidence (log10 s)", "9.50", "7.00", "–", "▲ yes"],  # noqa: RUF001 an en dash, as in the tables
    ] == [re.findall(r">([^<]+)<", line) for line in lines]


def test_shows_the_size_of_the_change() -> None:
    """Effect sizes, sample sizes, missing values and values outside the reference are shown."""
    assert {
        "Median": "5 (reference 50)",
        "Wasserstein": "1.250 standard deviations",
        "PSI": "0.750 nats",
        "Jensen-Shannon": "0.500",
        "Values tested": "90, worth 30 independent ones",
        "Detectable": "0.375, in nine windows of ten",
        "Missing": "10 (10.0 %)",
        "Outside the range": "3 (3.0 %)",
        "Alarm since": "1970-01-01 00:15:00 UTC",
    } == facts(section(Picture(ALCOHOL, None, None), "p0-0"))


def test_shows_the_rows_to_detect() -> None:
    """A feature shows how soon a shift would be found, where that is known."""
    found = facts(section(Picture(replace(ALCOHOL, rows_to_detect=1_234), None, None), "p0-0"))

    assert "about 1,234, for a shift of half a standard deviation" == found["Rows to detect"]


def test_categories_have_no_numeric_facts() -> None:
    """There is no median and no Wasserstein distance; where nothing could alarm, no detectable distance."""
    found = facts(section(Picture(COLOUR, None, None), "p0-0"))

    assert {"PSI", "Jensen-Shannon", "Values tested", "Detectable", "Missing", "Unseen categories"} == set(found)
    assert "none, in nine windows of ten" == found["Detectable"]


def test_a_window_without_rows_has_no_missing_share() -> None:
    """Nothing is divided by 0."""
    found = facts(section(Picture(replace(COLOUR, rows=0, missing=0), None, None), "p0-0"))

    assert "0 (0 %)" == found["Missing"]


def test_numbers_have_a_chart_and_bins_to_unfold() -> None:
    """The chart is followed by bins and deciles; all of it takes less than 15 kB."""
    values = np.sort(np.random.default_rng(1).normal(size=2000))
    both = curve(values, values * 1.5)
    picture = Picture(ALCOHOL, both, shape(values, values * 1.5, both.place))
    found = section(picture, "p0-0")

    assert "<figure><svg" in found
    assert "<details><summary>Shares in bins and deciles</summary><table" in found
    assert '<th scope="row">50 %</th><td>50</td><td>5</td>' in found
    assert len(found.encode()) < 15_000


def test_long_names_leave_it_small() -> None:
    """With a name and twenty categories of a thousand characters each it takes less than 15 kB."""
    histogram = tuple(Bin(label="葡" * 1000 + str(n), upper=None, reference=0.05, window=0.05) for n in range(20))
    found = section(Picture(replace(COLOUR, feature="萄" * 1000, histogram=histogram), None, None), "p0-0")

    assert len(found.encode()) < 15_000


def test_names_are_escaped() -> None:
    """Every occurrence of the name is escaped."""
    found = section(Picture(replace(COLOUR, feature="<script>", reading="<script>"), None, None), "p0-0")

    assert "<script>" not in found
    assert found.count("&lt;script&gt;") == 4
