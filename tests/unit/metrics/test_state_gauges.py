"""The gauges of states, and of the reasons why there is no verdict."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from driftgauge.drift.result import DriftReport
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.column_gauges import INPUTS, OUTPUTS, Subject
from driftgauge.metrics.drift_gauges import DriftGauges
from driftgauge.results.latest import Evaluation, LatestEvaluations
from tests.support.models import IRIS, WINE
from tests.support.reports import FOUND, NO_COLOUR, TOO_FEW, few, moved, report_of

ALL = ["alcohol", "colour", "sulphates"]
OK = report_of(moved("alcohol", 0.1, 0.2))


@pytest.fixture(params=[INPUTS, OUTPUTS], ids=lambda subject: str(subject.label))
def subject(request: pytest.FixtureRequest) -> Subject:
    """Features, then predictions."""
    subject: Subject = request.param
    return subject


def publish(latest: LatestEvaluations, report: DriftReport, kind: Kind = Kind.REQUEST, model: ModelKey = WINE) -> None:
    """Publish a report that was made now."""
    latest.publish(model, kind, Evaluation(report, 1_000, 0.01, 999))


def samples(registry: CollectorRegistry, family: str, *names: str) -> list[tuple[str, ...]]:
    """The values of some labels of every series of a family whose value is 1, in order."""
    found = next(one for one in registry.collect() if one.name == family)
    return [tuple(one.labels[name] for name in names) for one in found.samples if one.value == 1]


@pytest.mark.parametrize(
    ("inputs", "predictions", "state", "reasons"),
    [
        (OK, OK, "ok", []),
        (OK, FOUND, "drift", []),
        (FOUND, TOO_FEW, "drift", []),
        (OK, TOO_FEW, "ok", []),
        (TOO_FEW, TOO_FEW, "cannot_tell", [("few_rows",)]),
    ],
)
def test_a_model_has_one_state(
    latest: LatestEvaluations,
    registry: CollectorRegistry,
    inputs: DriftReport,
    predictions: DriftReport,
    state: str,
    reasons: list[tuple[str]],
) -> None:
    """It is over inputs and predictions, and a reason is shown while it has no verdict."""
    publish(latest, inputs)
    publish(latest, predictions, Kind.RESPONSE)

    assert [(state,)] == samples(registry, "driftgauge_state", "state")
    assert reasons == samples(registry, "driftgauge_cannot_tell", "reason")


def test_every_state_has_a_series(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """Those that do not hold are 0."""
    publish(latest, OK)
    family = next(one for one in registry.collect() if one.name == "driftgauge_state")

    assert [("ok", 1), ("drift", 0), ("cannot_tell", 0)] == [(one.labels["state"], one.value) for one in family.samples]


def test_a_model_without_a_reference_is_not_ok(latest: LatestEvaluations, registry: CollectorRegistry) -> None:
    """Even if its predictions are like their baseline."""
    latest.set_reference(WINE, Kind.REQUEST, None)
    publish(latest, OK, Kind.RESPONSE)
    publish(latest, OK, Kind.REQUEST, IRIS)

    assert [("wine", "cannot_tell"), ("iris", "ok")] == samples(registry, "driftgauge_state", "model_name", "state")
    assert [("wine", "no_reference")] == samples(registry, "driftgauge_cannot_tell", "model_name", "reason")


def test_every_column_has_a_state(latest: LatestEvaluations, registry: CollectorRegistry, subject: Subject) -> None:
    """Columns without results have one too; a reason is shown only for those that cannot tell."""
    publish(latest, replace(FOUND, features=(*FOUND.features, moved("ph", 0.1, 0.2))), subject.kind)

    assert [
        ("alcohol", "drift"),
        ("ph", "ok"),
        ("colour", "cannot_tell"),
        ("sulphates", "cannot_tell"),
    ] == samples(registry, subject.prefix + "state", subject.label, "state")
    assert [("colour", NO_COLOUR.reason), ("sulphates", "few_rows")] == samples(
        registry, subject.prefix + "cannot_tell", subject.label, "reason"
    )


def test_a_column_that_drifts_has_no_reason(
    latest: LatestEvaluations, registry: CollectorRegistry, subject: Subject
) -> None:
    """Its missing values alarm, although its values are too few for a verdict."""
    drifting = replace(moved("alcohol", 0.3, 0.2, drift=True), untested=few("alcohol"))
    publish(latest, report_of(drifting), subject.kind)

    assert [("alcohol", "drift")] == samples(registry, subject.prefix + "state", subject.label, "state")
    assert [] == samples(registry, subject.prefix + "cannot_tell", subject.label, "reason")


@pytest.mark.parametrize(("limit", "names"), [(1, ["alcohol"]), (2, ["alcohol", "colour"]), (9, ALL)])
def test_the_states_of_columns_are_capped(
    latest: LatestEvaluations, subject: Subject, limit: int, names: list[str]
) -> None:
    """Columns that drift come first, columns without results last."""
    registry = CollectorRegistry()
    registry.register(DriftGauges(latest, max_features=limit))
    publish(latest, FOUND, subject.kind)
    shown = [name for (name,) in samples(registry, subject.prefix + "state", subject.label)]

    assert names == shown


def test_stale_columns_have_no_state(latest: LatestEvaluations, registry: CollectorRegistry, subject: Subject) -> None:
    """Nothing says ok; the model has the state `cannot_tell`."""
    latest.publish(WINE, subject.kind, Evaluation(OK, 900, 0.01, 899))
    latest.record_store_failure(WINE, subject.kind)

    assert [] == samples(registry, subject.prefix + "state", subject.label, "state")
    assert [("cannot_tell",)] == samples(registry, "driftgauge_state", "state")
    assert [("store",)] == samples(registry, "driftgauge_cannot_tell", "reason")
