"""What is known of a feature of a stream from before its window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from driftgauge.drift.detector.verdict import DetectorVerdict, ScoreFactors
from driftgauge.drift.explain import FeatureRows
from driftgauge.drift.result import DriftTest, DriftTestResult


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FeaturePast:
    """What is known of a feature from before the window.

    Args:
        since: When the detector's alarm began, seconds since the epoch; `None` without an alarm.
        alike_since: As in `FeatureDrift`.
        dependence: As in `FeatureDrift`.
        newest: The rows since the evidence began to rise; `None` if that is unknown, or without drift.
        seen_seconds: How long the stream has been seen; `None` if it is unknown.
        rows_to_detect: As in `FeatureDrift`.
    """

    since: float | None
    alike_since: float | None
    dependence: ScoreFactors
    newest: FeatureRows | None = None
    seen_seconds: float | None = None
    rows_to_detect: int | None = None


def feature_past(known: DetectorVerdict, position: int) -> FeaturePast:
    """What the detector knows of one of the features."""
    return FeaturePast(
        since=alarm_start(known, position),
        alike_since=_time(float(known.alike_since[position])),
        dependence=known.score_factors[position],
    )


def alarm_start(known: DetectorVerdict, position: int) -> float | None:
    """When the detector's alarm of a feature began, seconds since the epoch; `None` without an alarm."""
    return _time(float(known.since[position]))


def evidence_tests(known: DetectorVerdict, position: int) -> Iterator[DriftTestResult]:
    """The detector as one more test of a feature, if there is a detector."""
    if known.evidence is not None:
        yield DriftTestResult(
            test=DriftTest.SEQUENTIAL,
            statistic=float(known.evidence[position]),
            p_value=None,
            threshold=known.threshold,
            drift=alarm_start(known, position) is not None,
        )


def _time(seconds: float) -> float | None:
    return None if np.isnan(seconds) else seconds
