"""Verdicts and tests in words."""

import math
from dataclasses import replace

import pytest

from driftgauge.drift.result import Change
from driftgauge.page.formatting import badge, statistic, threshold, verdict
from tests.support.reports import ALCOHOL, COLOUR


@pytest.mark.parametrize(
    ("drift", "change", "word"),
    [
        (None, Change.NONE, "could not tell"),
        (False, Change.NONE, "ok"),
        (True, Change.DRIFT, "drift"),
        (True, Change.NONE, "drift"),
        (True, Change.SCALE, "scale break"),
        (True, Change.SCHEMA, "schema break"),
    ],
)
def test_a_verdict_is_a_word(drift: bool | None, change: Change, word: str) -> None:  # noqa: FBT001 - the case
    """The verdict does not depend on colour, and screen readers skip the sign."""
    found = badge(drift, change)

    assert found.endswith(f"</b> {word}</span>")
    assert 'aria-hidden="true"' in found


def test_a_feature_has_the_verdict_of_all_its_tests() -> None:
    """Drift by any test is shown with its kind of change."""
    assert "scale break" in verdict(replace(ALCOHOL, change=Change.SCALE))
    assert "ok" in verdict(replace(COLOUR, untested=None))
    assert "could not tell" in verdict(COLOUR)


def test_distances_have_three_digits_and_evidence_two() -> None:
    """A threshold out of reach is `none`."""
    distance, _, evidence = ALCOHOL.tests

    assert ["0.500", "9.50"] == [statistic(distance), statistic(evidence)]
    assert ["0.250", "7.00"] == [threshold(distance), threshold(evidence)]
    assert ["none", "none"] == [threshold(replace(one, threshold=math.inf)) for one in (distance, evidence)]
