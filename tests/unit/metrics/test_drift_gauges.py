"""The gauges of an evaluation and of what it is compared with."""

import pytest
from prometheus_client import CollectorRegistry

from driftgauge.inference.payload import Kind
from driftgauge.metrics.drift_gauges import DriftGauges
from driftgauge.metrics.evaluation import Evaluation, ReferenceFacts
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE, labels
from tests.support.reports import ALCOHOL, FOUND, TOO_FEW, report_of

FACTS = ReferenceFacts(1_599, "ab12", "/mnt/wine.csv", 0.0)


def found() -> Evaluation:
    """One feature of two has drifted."""
    return Evaluation(FOUND, 1_000, 0.01, 999)


def too_few() -> Evaluation:
    """No verdict yet."""
    return Evaluation(TOO_FEW, 1_030, 0.01, 1_029)


def test_the_verdict_and_the_window_are_shown(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """One number each for the model."""
    gauges.publish(WINE, Kind.REQUEST, found())

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


def test_outputs_have_a_count_and_a_window_of_their_own(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """And say nothing of the inputs."""
    gauges.publish(WINE, Kind.RESPONSE, found())

    assert 1 == registry.get_sample_value("driftgauge_drifted_predictions", labels())
    assert 100 == registry.get_sample_value("driftgauge_prediction_window_rows", labels())
    assert registry.get_sample_value("driftgauge_drift", labels()) is None
    assert registry.get_sample_value("driftgauge_window_rows", labels()) is None


@pytest.mark.parametrize(
    ("kind", "family"), [(Kind.REQUEST, "driftgauge_features"), (Kind.RESPONSE, "driftgauge_predictions")]
)
def test_every_column_is_told_of_by_its_state(kind: Kind, family: str, clock: ManualClock) -> None:
    """None is left out silently: all are tested, and the farthest one alone has series."""
    registry, gauges = CollectorRegistry(), DriftGauges(90, clock, max_features=1)
    registry.register(gauges)
    gauges.publish(WINE, kind, found())

    reported = [
        registry.get_sample_value(family, labels(state=state)) for state in ("tested", "untested", "ignored", "shown")
    ]

    assert [2, 1, 2, 1] == reported


def test_too_few_rows_give_no_verdict(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """The verdict is absent, not 0, while the rows are counted."""
    gauges.publish(WINE, Kind.REQUEST, too_few())
    gauges.publish(WINE, Kind.RESPONSE, too_few())
    value = registry.get_sample_value

    assert value("driftgauge_drift", labels()) is None
    assert value("driftgauge_drifted_features", labels()) is None
    assert value("driftgauge_drifted_predictions", labels()) is None
    assert 7 == value("driftgauge_window_rows", labels())
    assert 7 == value("driftgauge_prediction_window_rows", labels())


def test_a_feature_that_is_no_longer_tested_vanishes(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """A gauge that nobody renews would freeze at its last value."""
    gauges.publish(WINE, Kind.REQUEST, found())
    gauges.publish(WINE, Kind.REQUEST, too_few())

    assert registry.get_sample_value("driftgauge_feature_drift", labels(feature="alcohol", test="ks")) is None


@pytest.mark.parametrize(("age", "shown"), [(90, 1), (90.5, None)])
def test_a_stale_evaluation_vanishes(
    gauges: DriftGauges, registry: CollectorRegistry, clock: ManualClock, age: float, shown: int | None
) -> None:
    """When evaluations stop, so do their gauges."""
    gauges.publish(WINE, Kind.REQUEST, found())
    gauges.publish(WINE, Kind.RESPONSE, found())
    clock.now += age

    assert shown == registry.get_sample_value("driftgauge_drift", labels())
    assert shown == registry.get_sample_value("driftgauge_drifted_predictions", labels())


def test_a_withdrawn_evaluation_vanishes_alone(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """Other models keep theirs, and so does the other half of the inferences."""
    for model in (WINE, IRIS):
        for kind in Kind:
            gauges.publish(model, kind, found())
    gauges.withdraw(WINE, Kind.REQUEST)
    gauges.withdraw(WINE, Kind.REQUEST)

    assert registry.get_sample_value("driftgauge_drift", labels(WINE)) is None
    assert 1 == registry.get_sample_value("driftgauge_drifted_predictions", labels(WINE))
    assert 1 == registry.get_sample_value("driftgauge_drift", labels(IRIS))


def test_fresh_evaluations_are_handed_out_by_kind(gauges: DriftGauges) -> None:
    """In the order of the models' names."""
    first, second = found(), Evaluation(report_of(ALCOHOL), 1_000, 0.02, 999)
    gauges.publish(IRIS, Kind.REQUEST, second)
    gauges.publish(WINE, Kind.REQUEST, first)

    assert [(WINE, first), (IRIS, second)] == list(gauges.fresh().items())
    assert {} == gauges.fresh(Kind.RESPONSE)


def test_a_reference_is_told_by_rows_hash_path_and_time(gauges: DriftGauges, registry: CollectorRegistry) -> None:
    """And a model without one shows 0 rows."""
    gauges.set_reference(WINE, Kind.REQUEST, FACTS)
    gauges.set_reference(IRIS, Kind.REQUEST, None)

    reported = labels(WINE, hash="ab12", path="/mnt/wine.csv", loaded="1970-01-01T00:00:00Z")

    assert 1_599 == registry.get_sample_value("driftgauge_reference_rows", labels(WINE))
    assert 0 == registry.get_sample_value("driftgauge_reference_rows", labels(IRIS))
    assert 1 == registry.get_sample_value("driftgauge_reference_info", reported)


@pytest.mark.parametrize("needed", [0, 2_400])
def test_the_rows_that_a_reference_lacks_are_told(
    gauges: DriftGauges, registry: CollectorRegistry, needed: int
) -> None:
    """0 where it has enough; nothing where there is no reference."""
    gauges.set_reference(WINE, Kind.REQUEST, ReferenceFacts(500, "ab12", "/mnt/wine.csv", 0.0, rows_needed=needed))
    gauges.set_reference(IRIS, Kind.REQUEST, None)

    assert needed == registry.get_sample_value("driftgauge_reference_rows_needed", labels(WINE))
    assert registry.get_sample_value("driftgauge_reference_rows_needed", labels(IRIS)) is None


def test_outputs_say_whether_a_baseline_stands_for_their_reference(
    gauges: DriftGauges, registry: CollectorRegistry
) -> None:
    """By the label `source`; 0 rows until there is one."""
    baseline = ReferenceFacts(2_000, "cd34", "first 2000 responses", 0.0, source="baseline")
    gauges.set_reference(WINE, Kind.RESPONSE, baseline)
    gauges.set_reference(IRIS, Kind.RESPONSE, None)

    reported = labels(WINE, hash="cd34", path="first 2000 responses", loaded="1970-01-01T00:00:00Z", source="baseline")

    assert 2_000 == registry.get_sample_value("driftgauge_prediction_reference_rows", labels(WINE))
    assert 0 == registry.get_sample_value("driftgauge_prediction_reference_rows", labels(IRIS))
    assert 1 == registry.get_sample_value("driftgauge_prediction_reference_info", reported)
    assert registry.get_sample_value("driftgauge_reference_rows", labels(WINE)) is None
