"""Verdicts and tests in words."""

import math
import re
from dataclasses import replace

import pytest

from driftgauge.drift.result import CannotTellReason, Change, VerdictState
from driftgauge.drift.state_words import REASONS, STATES, state_counts
from driftgauge.page.formatting import badge, statistic, summary, threshold, verdict
from tests.support.reports import ALCOHOL, COLOUR, FOUND, TOO_FEW, few, moved, report_of


@pytest.mark.parametrize(
    ("state", "change", "word"),
    [
        (VerdictState.CANNOT_TELL, Change.NONE, "cannot tell"),
        (VerdictState.OK, Change.NONE, "ok"),
        (VerdictState.DRIFT, Change.DRIFT, "drift"),
        (VerdictState.DRIFT, Change.NONE, "drift"),
        (VerdictState.DRIFT, Change.SCALE, "scale break"),
        (VerdictState.DRIFT, Change.SCHEMA, "schema break"),
    ],
)
def test_a_state_is_a_word(state: VerdictState, change: Change, word: str) -> None:
    """It does not depend on colour, and screen readers skip the sign."""
    found = badge(state, change)

    assert found.endswith(f"</b> {word}</span>")
    assert 'aria-hidden="true"' in found


def test_a_feature_has_the_verdict_of_all_its_tests() -> None:
    """Drift by any test is shown with its kind of change."""
    assert "scale break" in verdict(replace(ALCOHOL, change=Change.SCALE))
    assert "ok" in verdict(replace(COLOUR, untested=None))
    assert "cannot tell" in verdict(COLOUR)


def test_a_feature_without_a_verdict_has_a_reason() -> None:
    """A few words follow the badge; other features have none."""
    assert '<span class="reason">the reference is too small</span>' in verdict(COLOUR)
    assert "reason" not in verdict(ALCOHOL)
    assert "reason" not in verdict(replace(COLOUR, untested=None))


def test_every_state_and_reason_has_words() -> None:
    """There is no key missing."""
    assert set(VerdictState) == set(STATES)
    assert set(CannotTellReason) == set(REASONS)


def test_the_features_of_each_state_are_counted() -> None:
    """A state without features is left out."""
    drifting, ok = moved("a", 0.5, 0.2, drift=True), replace(moved("b", 0.1, 0.2), untested=None)
    many = replace(report_of(*[ok] * 1_097, drifting), untested=(few("c"), few("d"), few("e")))

    assert ["1,097 ok", "1 in drift", "3 cannot tell"] == list(state_counts(many).values())
    assert {VerdictState.DRIFT: "2 in drift"} == state_counts(report_of(drifting, drifting))
    assert {} == state_counts(report_of())


def test_a_summary_has_state_reason_and_counts() -> None:
    """Where there is no verdict, no part is green."""
    text = re.sub("<.*?>", "", summary(TOO_FEW))

    assert "? cannot tell too few rows, 2 cannot tell" == text
    assert ["badge cannot_tell", "reason", "count cannot_tell"] == re.findall('class="(.*?)"', summary(TOO_FEW))
    assert "▲ drift 1 in drift, 2 cannot tell" == re.sub("<.*?>", "", summary(FOUND))


def test_distances_have_three_digits_and_evidence_two() -> None:
    """A threshold out of reach is `none`."""
    distance, _, evidence = ALCOHOL.tests

    assert ["0.500", "9.50"] == [statistic(distance), statistic(evidence)]
    assert ["0.250", "7.00"] == [threshold(distance), threshold(evidence)]
    assert ["none", "none"] == [threshold(replace(one, threshold=math.inf)) for one in (distance, evidence)]
