"""The gauges of an evaluation, and of what a stream is compared with."""

import pytest
from prometheus_client import CollectorRegistry

from driftgauge.inference.payload import PAYLOAD_KINDS, Kind
from driftgauge.metrics.drift_gauges import DriftGauges
from driftgauge.results.latest import Evaluation, LatestEvaluations, ReferenceFacts
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE, labels
from tests.support.reports import FOUND, TOO_FEW

FACTS = ReferenceFacts(1_599, "ab12", "/mnt/wine.csv", 0.0)


def found() -> Evaluation:
    """An evaluation in which one feature of two has drifted."""
    return Evaluation(FOUND, 1_000, 0.01, 999)


def too_few() -> Evaluation:
    """An evaluation without a verdict."""
    return Evaluation(TOO_FEW, 1_030, 0.01, 1_029)


def test_the_verdict_and_the_window_are_shown(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """The model has one series of each."""
    latest.publish(WINE, Kind.REQUEST, found())

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


def test_predictions_have_a_count_and_a_window_of_their_own(
    latest: LatestEvaluations, registry: CollectorRegistry
) -> None:
    """The gauges of the inputs do not appear."""
    latest.publish(WINE, Kind.RESPONSE, found())

    assert 1 == registry.get_sample_value("driftgauge_drifted_predictions", labels())
    assert 100 == registry.get_sample_value("driftgauge_prediction_window_rows", labels())
    assert registry.get_sample_value("driftgauge_drift", labels()) is None
    assert registry.get_sample_value("driftgauge_window_rows", labels()) is None


@pytest.mark.parametrize(
    ("kind", "family"), [(Kind.REQUEST, "driftgauge_features"), (Kind.RESPONSE, "driftgauge_predictions")]
)
def test_columns_are_counted_by_state(kind: Kind, family: str, latest: LatestEvaluations) -> None:
    """Columns without series are counted too: one has a verdict, two have none, and only the most severe has series."""
    registry = CollectorRegistry()
    registry.register(DriftGauges(latest, max_features=1))
    latest.publish(WINE, kind, found())

    counts = [
        registry.get_sample_value(family, labels(state=state)) for state in ("tested", "untested", "ignored", "shown")
    ]

    assert [1, 2, 2, 1] == counts


def test_too_few_rows_give_no_verdict(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """The verdict is absent, not 0, and the rows are shown."""
    latest.publish(WINE, Kind.REQUEST, too_few())
    latest.publish(WINE, Kind.RESPONSE, too_few())
    value = registry.get_sample_value

    assert value("driftgauge_drift", labels()) is None
    assert value("driftgauge_drifted_features", labels()) is None
    assert value("driftgauge_drifted_predictions", labels()) is None
    assert 7 == value("driftgauge_window_rows", labels())
    assert 7 == value("driftgauge_prediction_window_rows", labels())


def test_a_feature_that_is_no_longer_tested_vanishes(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """Its gauge does not stay at the last value."""
    latest.publish(WINE, Kind.REQUEST, found())
    latest.publish(WINE, Kind.REQUEST, too_few())

    assert registry.get_sample_value("driftgauge_feature_drift", labels(feature="alcohol", test="ks")) is None


@pytest.mark.parametrize(("age", "shown"), [(90, 1), (90.5, None)])
def test_a_stale_evaluation_vanishes(
    latest: LatestEvaluations, registry: CollectorRegistry, clock: ManualClock, age: float, shown: int | None
) -> None:
    """When evaluations stop, their gauges vanish."""
    latest.publish(WINE, Kind.REQUEST, found())
    latest.publish(WINE, Kind.RESPONSE, found())
    clock.now += age

    assert shown == registry.get_sample_value("driftgauge_drift", labels())
    assert shown == registry.get_sample_value("driftgauge_drifted_predictions", labels())


def test_a_withdrawn_evaluation_vanishes_alone(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """Other models keep theirs, and the model keeps that of its responses."""
    for model in (WINE, IRIS):
        for kind in PAYLOAD_KINDS:
            latest.publish(model, kind, found())
    latest.withdraw(WINE, Kind.REQUEST)
    latest.withdraw(WINE, Kind.REQUEST)

    assert registry.get_sample_value("driftgauge_drift", labels(WINE)) is None
    assert 1 == registry.get_sample_value("driftgauge_drifted_predictions", labels(WINE))
    assert 1 == registry.get_sample_value("driftgauge_drift", labels(IRIS))


def test_a_reference_is_shown_by_rows_hash_path_and_time(
    latest: LatestEvaluations, registry: CollectorRegistry
) -> None:
    """A model without a reference shows 0 rows."""
    latest.set_reference(WINE, Kind.REQUEST, FACTS)
    latest.set_reference(IRIS, Kind.REQUEST, None)

    info = labels(WINE, hash="ab12", path="/mnt/wine.csv", loaded="1970-01-01T00:00:00Z")

    assert 1_599 == registry.get_sample_value("driftgauge_reference_rows", labels(WINE))
    assert 0 == registry.get_sample_value("driftgauge_reference_rows", labels(IRIS))
    assert 1 == registry.get_sample_value("driftgauge_reference_info", info)


@pytest.mark.parametrize("needed", [0, 2_400])
def test_the_rows_that_a_reference_needs_are_shown(
    latest: LatestEvaluations, registry: CollectorRegistry, needed: int
) -> None:
    """The gauge is 0 where the reference has enough, and absent without a reference."""
    latest.set_reference(WINE, Kind.REQUEST, ReferenceFacts(500, "ab12", "/mnt/wine.csv", 0.0, rows_needed=needed))
    latest.set_reference(IRIS, Kind.REQUEST, None)

    assert needed == registry.get_sample_value("driftgauge_reference_rows_needed", labels(WINE))
    assert registry.get_sample_value("driftgauge_reference_rows_needed", labels(IRIS)) is None


def test_the_source_of_a_prediction_reference_is_shown(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """The label `source` is `baseline` for a baseline; without one there are 0 rows."""
    baseline = ReferenceFacts(2_000, "cd34", "first 2000 responses", 0.0, source="baseline")
    latest.set_reference(WINE, Kind.RESPONSE, baseline)
    latest.set_reference(IRIS, Kind.RESPONSE, None)

    info = labels(WINE, hash="cd34", path="first 2000 responses", loaded="1970-01-01T00:00:00Z", source="baseline")

    assert 2_000 == registry.get_sample_value("driftgauge_prediction_reference_rows", labels(WINE))
    assert 0 == registry.get_sample_value("driftgauge_prediction_reference_rows", labels(IRIS))
    assert 1 == registry.get_sample_value("driftgauge_prediction_reference_info", info)
    assert registry.get_sample_value("driftgauge_reference_rows", labels(WINE)) is None
