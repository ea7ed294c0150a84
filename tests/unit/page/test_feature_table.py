"""The table of features."""

import re
from dataclasses import replace

import numpy as np

from driftgauge.drift.profile import numeric_profile
from driftgauge.drift.result import DriftReport, DriftTest, DriftTestResult
from driftgauge.page.contents import Facts, part_of
from driftgauge.page.feature_table import feature_table
from driftgauge.page.markup import Markup
from tests.support.reports import ALCOHOL, FOUND, TOO_FEW, moved, report_of

FACTS = Facts(window="new.csv", reference="old.csv", reference_rows=3)
EVIDENCE = DriftTestResult(test=DriftTest.SEQUENTIAL, statistic=9.5, p_value=None, threshold=7.0, drift=True)


def table(report: DriftReport, heading: str = "") -> Markup:
    """The table of a report, without links."""
    return feature_table(part_of(heading, (), np.empty((0, 0)), report, FACTS), {})


def lines(text: str) -> list[list[str]]:
    """The text of each cell of each line."""
    rows = re.findall("<tr>(.*?)</tr>", text[text.index("<tbody>") :])
    return [[re.sub("<.*?>", "", cell) for cell in re.findall("<t[hd].*?>(.*?)</t[hd]>", row)] for row in rows]


def titles(text: str) -> list[str]:
    """The titles of the columns; empty for a column of bars."""
    return [re.sub("<.*?>", "", cell) for cell in re.findall("<t[hd].*?>(.*?)</t[hd]>", text[: text.index("</thead>")])]


def test_a_line_has_the_numbers_of_a_feature() -> None:
    """The multiple of the threshold is that of the most severe test, missing values included."""
    found = table(report_of(ALCOHOL))

    assert ["feature", "verdict", "distribution", "times threshold", "D", "", "threshold"] == titles(found)[:7]
    assert [["alcohol", "▲ drift", "", "2.00", "0.500", "", "0.250", "9.50", "0.750", "10.0 %"]] == lines(found)


def test_the_evidence_is_shown_where_there_is_a_detector() -> None:
    """Else the p-value is: it decides then."""
    with_detector, without = table(report_of(ALCOHOL)), table(report_of(moved("acid", 0.1, 0.2)))

    assert ["evidence", "PSI", "missing"] == titles(with_detector)[7:]
    assert ["p", "PSI", "missing"] == titles(without)[7:]
    assert "0.5" == lines(without)[0][7]


def test_the_number_that_alarms_is_marked() -> None:
    """A feature may drift by its evidence alone."""
    quiet = replace(ALCOHOL.tests[0], drift=False, statistic=0.1)
    found = table(report_of(replace(ALCOHOL, tests=(quiet, EVIDENCE))))

    assert ["9.50"] == re.findall('<td class="spare alarm">(.*?)</td>', found)


def test_the_farthest_above_its_threshold_is_first() -> None:
    """Those that drift come before all others."""
    report = report_of(
        moved("far", 0.3, 0.4), moved("twice", 0.4, 0.2, drift=True), moved("once", 0.9, 0.8, drift=True)
    )

    assert [("twice", "2.00"), ("once", "1.12"), ("far", "0.75")] == [
        (line[0], line[3]) for line in lines(table(report))
    ]


def test_features_without_results_follow_those_without_a_verdict() -> None:
    """They have their state and their reason, and no numbers; features that are ok are last."""
    report = replace(FOUND, features=(*FOUND.features, moved("acid", 0.1, 0.2)))
    found = lines(table(report))

    assert ["alcohol", "colour", "sulphates", "acid"] == [line[0] for line in found]
    assert ["? cannot tell too few rows", *[""] * 8] == found[2][1:]


def test_a_threshold_out_of_reach_has_no_mark() -> None:
    """A threshold has a mark at its place in the bar."""
    found = table(FOUND)

    assert ["left:25.0%"] == re.findall(r"left:[\d.]+%", found)
    assert ["width:50.0%", "width:10.0%"] == re.findall(r"width:[\d.]+%", found)


def test_a_line_has_a_picture_of_both_distributions() -> None:
    """Screen readers skip it; a feature without values has none."""
    profile = numeric_profile("alcohol", np.array([9.0, 10.0, 11.0]))
    part = part_of("", (profile,), np.array([[9.0], [12.0]]), report_of(ALCOHOL), FACTS)
    found = feature_table(part, {})

    assert 1 == found.count("<svg")
    assert 'aria-hidden="true"><path' in found
    assert "<svg" not in table(report_of(ALCOHOL))


def test_the_lines_of_predictions_are_called_so() -> None:
    """The title of the first column says what a line is."""
    assert ["feature", "prediction"] == [titles(table(FOUND, heading))[0] for heading in ("Inputs", "Predictions")]


def test_without_features_there_is_no_table() -> None:
    """The box has the reason."""
    assert "" == table(TOO_FEW)
