"""Everything that is kept of a model goes with its place."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import generate_latest

from driftgauge.app.model_places import ModelExpiry, make_models
from driftgauge.config.options import LoggerConfig, ProxyConfig
from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputLayout
from driftgauge.inference.known_models import IdleLimits, KnownModels
from driftgauge.inference.payload import OVERFLOW, PAYLOAD_KINDS, Kind, ModelKey, Outcome, overflow_revision
from driftgauge.inference.revisions import LIVE_REVISIONS
from driftgauge.metrics.registry import Metrics
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.ring import StreamKey
from tests.support.clock import ManualClock
from tests.support.models import IRIS, WINE
from tests.support.monitor_fixture import BASELINE_ROWS, MonitorFixture


@dataclass
class Monitored:
    """A monitor whose models expire by a clock that is set by hand."""

    fixture: MonitorFixture
    clock: ManualClock
    expiry: ModelExpiry

    async def use(self, model: ModelKey) -> None:
        """Let a model have requests, responses, a baseline and verdicts."""
        fixture = self.fixture
        fixture.models.admit(model)
        await fixture.fill(model, 9.0)
        layout = OutputLayout(("quality",), (FeatureKind.NUMERIC,), {})
        fixture.outputs.record(model, layout)
        if model == WINE:
            await fixture.response(np.arange(BASELINE_ROWS, dtype=np.float64))
        metrics = fixture.metrics.model(model)
        metrics.count_missing(("alcohol", "ph"), np.array([1, 0]))
        metrics.count_payload(Kind.REQUEST, Outcome.ACCEPTED)
        metrics.count_request("200")
        await fixture.monitor.evaluate_all()

    def text(self) -> str:
        """The page of metrics."""
        return generate_latest(self.fixture.metrics.registry).decode()


@pytest.fixture
def monitored(tmp_path: Path) -> Monitored:
    """A monitor with a flat reference for WINE and IRIS."""
    text = "alcohol,ph\n" + "".join(f"{9 + 0.1 * n},{3 + 0.01 * n}\n" for n in range(50))
    for name in ("wine", "iris"):
        (tmp_path / f"{name}.csv").write_text(text)
    fixture, clock = MonitorFixture(tmp_path), ManualClock()
    fixture.references.refresh(0.0)
    models = KnownModels(10, idle=IdleLimits(10, 20, clock), reserved_by=fixture.references.name_of)
    fixture.use_models(models)
    holders = (fixture.metrics, fixture.latest, fixture.outputs, fixture.targets, fixture.evaluator)
    return Monitored(fixture, clock, ModelExpiry(models, (*holders, fixture.ring, fixture.states)))


async def test_nothing_is_left_of_a_model_that_lost_its_place(monitored: Monitored) -> None:
    """Series, rows, layouts, baselines, states and results of a model go with its place; those of others stay."""
    fixture = monitored.fixture
    await monitored.use(WINE)
    monitored.clock.now += 15
    await monitored.use(IRIS)
    before = monitored.text()
    monitored.clock.now += 5
    monitored.expiry.sweep()

    assert 'inference_service="wine"' in before
    assert 'inference_service="wine"' not in monitored.text()
    assert 'driftgauge_drift{component="predictor",inference_service="iris"' in monitored.text()
    assert [IRIS] == list(fixture.models)
    assert [StreamKey(IRIS, Kind.REQUEST)] == await fixture.ring.streams()
    assert fixture.outputs.get(WINE) is None
    assert fixture.latest.reference(WINE, Kind.RESPONSE) is None
    assert [IRIS] == [one.model for one in fixture.latest.by_model()]
    assert [None, None] == [await fixture.states.load(StreamKey(WINE, kind), "baseline") for kind in PAYLOAD_KINDS]


async def test_what_is_added_after_a_model_lost_its_place_goes_with_the_next_sweep(monitored: Monitored) -> None:
    """A pair that completes too late starts series again, which the next sweep removes."""
    await monitored.use(WINE)
    monitored.clock.now += 20
    monitored.expiry.sweep()
    monitored.fixture.metrics.model(WINE).unpaired.inc()
    started = monitored.text()
    monitored.expiry.sweep()

    assert 'inference_service="wine"' in started
    assert 'inference_service="wine"' not in monitored.text()


async def test_a_model_that_comes_back_starts_at_zero(monitored: Monitored) -> None:
    """A model that gets a place again has new series and an empty window."""
    await monitored.use(WINE)
    monitored.clock.now += 20
    monitored.expiry.sweep()
    monitored.fixture.models.admit(WINE)
    monitored.fixture.metrics.model(WINE)

    assert 0 == monitored.fixture.value("driftgauge_payloads_total", kind="request", outcome="accepted", reason="")
    assert [] == await monitored.fixture.ring.streams()


def test_the_series_of_many_models_are_removed_in_parts() -> None:
    """One sweep removes a limited number of models' series, and the following ones the rest."""
    metrics = Metrics("")
    expiry = ModelExpiry(KnownModels(0), (metrics,))
    for number in range(50):
        metrics.model(WINE._replace(model_name=str(number)))
    counts = []
    for _ in range(3):
        expiry.sweep()
        counts.append(generate_latest(metrics.registry).decode().count("driftgauge_rows_total{"))

    assert [30, 10, 0] == counts


@pytest.mark.parametrize("own", [None, WINE])
def test_refused_models_are_counted_and_logged_once(own: ModelKey | None, caplog: pytest.LogCaptureFixture) -> None:
    """Every refused request counts; the log has one line with the first name."""
    config = LoggerConfig if own is None else ProxyConfig
    metrics = Metrics("")
    models = make_models(config.model_validate({"max_models": 1}), own, ReferenceStore(None, None), metrics)
    for number in range(10):
        models.admit(WINE._replace(model_name=f"m{number}"))

    assert 9 == metrics.registry.get_sample_value("driftgauge_refused_models_total")
    assert ["a model is counted as (other), because max_models have places: cellar/wine/predictor/m1"] == [
        record.getMessage() for record in caplog.records
    ]


def test_refused_revisions_are_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """They are events of a model that is known; the log has one line with the first name."""
    metrics = Metrics("")
    models = make_models(LoggerConfig.model_validate({}), None, ReferenceStore(None, None), metrics)
    for number in range(LIVE_REVISIONS + 9):
        models.admit(WINE._replace(revision=f"v{number}"))

    assert 9 == metrics.registry.get_sample_value("driftgauge_refused_revisions_total")
    assert 0 == metrics.registry.get_sample_value("driftgauge_refused_models_total")
    cause = "a revision is counted as (other), because 5 revisions of its model have requests"
    assert [f"{cause}: cellar/wine/predictor/wine revision v5"] == [record.getMessage() for record in caplog.records]


def test_the_series_of_other_revisions_go_with_their_model() -> None:
    """Those of other models stay, since they belong to no model."""
    metrics, clock = Metrics(""), ManualClock()
    models = KnownModels(1, idle=IdleLimits(10, 20, clock))
    models.admit(WINE)
    for key in (OVERFLOW, overflow_revision(WINE)):
        metrics.model(key)
    expiry, series = ModelExpiry(models, (metrics,)), []
    for _ in range(2):
        expiry.sweep()
        series.append(generate_latest(metrics.registry).decode().count("driftgauge_rows_total{"))
        clock.now += 20

    assert [2, 1] == series


def test_references_reserve_places_in_the_logger_only(tmp_path: Path) -> None:
    """In the proxy all names have the same reference, so it says nothing about a name."""
    (tmp_path / "wine.csv").write_text("a\n1\n2\n3\n")
    references = ReferenceStore(None, tmp_path)
    references.refresh(0.0)
    logger = make_models(LoggerConfig.model_validate({"max_models": 0}), None, references, Metrics(""))
    proxy = make_models(ProxyConfig.model_validate({"max_models": 0}), WINE, references, Metrics(""))

    assert WINE == logger.admit(WINE)
    assert "(other)" == proxy.admit(WINE).model_name
