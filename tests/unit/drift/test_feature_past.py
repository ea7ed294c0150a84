"""What is said of a feature whose neighbouring rows have become alike."""

from dataclasses import replace

import numpy as np

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.verdict import no_detector
from driftgauge.drift.profile import numeric_profile
from driftgauge.drift.result import CannotTellReason, FeatureDrift
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import evaluate

RULE = Rule(0.05, Correction.HOLM, 30, Budget(false_alarm_seconds=86_400.0, evaluation_seconds=60.0, tolerance=0.05))
ALIKE = "Rows have become alike since 2023-11-14 22:13 UTC: that is itself a change to look at."


def feature(*, alike: bool, since: float = np.nan, unknown: bool = False, rows: int = 500) -> FeatureDrift:
    """A feature of a stream whose dependence lost its bound at 22:13:20."""
    generator = np.random.default_rng(1)
    known = replace(
        no_detector(1),
        evidence=np.zeros(1),
        alike=np.array([alike]),
        alike_since=np.array([1.7e9]),
        unknown=np.array([unknown]),
        since=np.array([since]),
    )
    profile = numeric_profile("alcohol", np.sort(generator.normal(size=5_000)))
    (found,) = evaluate([profile], generator.normal(size=(rows, 1)), RULE, PValues(), known).features
    return found


def test_rows_that_have_become_alike_are_a_change() -> None:
    """There is no verdict, and the reading says since when."""
    found = feature(alike=True)

    assert (CannotTellReason.ALIKE, 1.7e9) == (found.reason, found.alike_since)
    assert found.reading.startswith("Cannot tell: neighbouring rows are so alike ")
    assert found.reading.endswith(f". {ALIKE}")


def test_a_drift_that_began_before_is_still_described() -> None:
    """Its sentence is first."""
    found = feature(alike=True, since=1.6e9)

    assert found.drift
    assert found.reading.startswith("Drift: ")
    assert found.reading.endswith(f". {ALIKE}")


def test_another_reason_is_given_alone() -> None:
    """Rows of which too few are known are not called alike."""
    found = feature(alike=False, unknown=True)

    assert CannotTellReason.FEW_ROWS is found.reason
    assert "alike" not in found.reading
