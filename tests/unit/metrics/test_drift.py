"""The gauges of an evaluation."""

import math
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from sidecar.drift.report import DriftReport, FeatureDrift
from sidecar.metrics import DriftGauges, Evaluation, ReferenceFacts
from tests.support.clock import Wristwatch
from tests.support.models import IRIS, WINE, labels

DECILES = tuple(float(n) for n in range(11))
TENFOLD = tuple(10 * value for value in DECILES)
ALCOHOL = FeatureDrift(
    feature="alcohol",
    statistic=0.5,
    p_value=0.001,
    threshold=0.25,
    drift=True,
    rows=90,
    missing=10,
    window_quantiles=DECILES,
    reference_quantiles=TENFOLD,
)
PH = replace(ALCOHOL, feature="ph", statistic=0.1, p_value=0.4, threshold=math.inf, drift=False, rows=100, missing=0)
FOUND = DriftReport(features=(ALCOHOL, PH), untested=("sulphates",), rows=100, drift=True, drifted_features=1)
TOO_FEW = DriftReport(features=(), untested=("alcohol", "ph"), rows=7, drift=None, drifted_features=None)


@pytest.fixture
def clock() -> Wristwatch:
    """The time at which tests begin is 1,000."""
    return Wristwatch()


@pytest.fixture
def gauges(clock: Wristwatch) -> DriftGauges:
    """Gauges that go stale after 90 seconds."""
    return DriftGauges(90, clock)


@pytest.fixture
def registry(gauges: DriftGauges) -> CollectorRegistry:
    """A registry that collects the gauges."""
    registry = CollectorRegistry()
    registry.register(gauges)
    return registry


def test_every_number_of_a_feature_is_shown(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """D, p, threshold and verdict carry the feature and the test as labels."""
    gauges.publish(WINE, Evaluation(FOUND, 1_000, 0.01, 999))

    shown = [
        registry.get_sample_value(name, labels(feature=feature, test="ks"))
        for feature in ("alcohol", "ph")
        for name in (
            "driftgauge_feature_drift_statistic",
            "driftgauge_feature_drift_p_value",
            "driftgauge_feature_drift_threshold",
            "driftgauge_feature_drift",
        )
    ]

    assert [0.5, 0.001, 0.25, 1, 0.1, 0.4, math.inf, 0] == shown


@pytest.mark.parametrize(("sample", "step"), [("window", 1), ("reference", 10)])
def test_the_deciles_of_both_samples_are_shown(
    gauges: DriftGauges, registry: CollectorRegistry, sample: str, step: int
) -> None:
    """One series for each of the eleven levels, named by a label that is not a summary's `quantile`."""
    gauges.publish(WINE, Evaluation(FOUND, 1_000, 0.01, 999))

    shown = [
        registry.get_sample_value(
            "driftgauge_feature_quantile", labels(feature="alcohol", sample=sample, level=f"{tenth / 10:g}")
        )
        for tenth in range(11)
    ]

    assert [step * tenth for tenth in range(11)] == shown


def test_the_verdict_and_the_window_are_shown(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """One number each for the model."""
    gauges.publish(WINE, Evaluation(FOUND, 1_000, 0.01, 999))

    shown = {
        name: registry.get_sample_value("driftgauge_" + name, labels())
        for name in (
            "drift",
            "drifted_features",
            "window_rows",
            "window_timestamp_seconds",
            "evaluation_timestamp_seconds",
            "evaluation_duration_seconds",
        )
    }

    assert shown == {
        "drift": 1,
        "drifted_features": 1,
        "window_rows": 100,
        "window_timestamp_seconds": 999,
        "evaluation_timestamp_seconds": 1_000,
        "evaluation_duration_seconds": 0.01,
    }


def test_too_few_rows_give_no_verdict(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """The verdict is absent, not 0, while the rows are counted."""
    gauges.publish(WINE, Evaluation(TOO_FEW, 1_000, 0.01, 999))

    assert registry.get_sample_value("driftgauge_drift", labels()) is None
    assert registry.get_sample_value("driftgauge_drifted_features", labels()) is None
    assert 7 == registry.get_sample_value("driftgauge_window_rows", labels())


def test_a_feature_that_is_no_longer_tested_vanishes(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """A gauge that nobody renews would freeze at its last value."""
    gauges.publish(WINE, Evaluation(FOUND, 1_000, 0.01, 999))
    gauges.publish(WINE, Evaluation(TOO_FEW, 1_030, 0.01, 1_029))

    assert registry.get_sample_value("driftgauge_feature_drift", labels(feature="alcohol", test="ks")) is None


@pytest.mark.parametrize(("age", "shown"), [(90, 1), (90.5, None)])
def test_a_stale_evaluation_vanishes(
    gauges: DriftGauges, registry: CollectorRegistry, clock: Wristwatch, age: float, shown: int | None
) -> None:
    """When evaluations stop, so do their gauges."""
    gauges.publish(WINE, Evaluation(FOUND, 1_000, 0.01, 999))
    clock.now += age

    assert shown == registry.get_sample_value("driftgauge_drift", labels())


def test_a_withdrawn_evaluation_vanishes_alone(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """Other models keep theirs."""
    gauges.publish(WINE, Evaluation(FOUND, 1_000, 0.01, 999))
    gauges.publish(IRIS, Evaluation(FOUND, 1_000, 0.01, 999))
    gauges.withdraw(WINE)

    assert registry.get_sample_value("driftgauge_drift", labels(WINE)) is None
    assert 1 == registry.get_sample_value("driftgauge_drift", labels(IRIS))


def test_a_reference_is_told_by_rows_hash_path_and_time(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """And a model without one shows 0 rows."""
    gauges.set_reference(WINE, ReferenceFacts(1_599, "ab12", "/mnt/wine.csv", 0.0))
    gauges.set_reference(IRIS, None)

    told = labels(WINE, hash="ab12", path="/mnt/wine.csv", loaded="1970-01-01T00:00:00Z")

    assert 1_599 == registry.get_sample_value("driftgauge_reference_rows", labels(WINE))
    assert 0 == registry.get_sample_value("driftgauge_reference_rows", labels(IRIS))
    assert 1 == registry.get_sample_value("driftgauge_reference_info", told)
