"""A real Prometheus scrapes both modes under traffic, and the main queries have the right results."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support import wine
from tests.support.agent import pair, post
from tests.support.exchange import Message, send
from tests.support.parts import program
from tests.support.processes import Driftgauge, get
from tests.support.prometheus import Prometheus

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]

JOBS = ("proxy", "logger")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
V1 = "/v1/models/wine:predict"
JSON = {"Content-Type": "application/json"}
GOOD = 150
FAILED = 40
LATENCY_SECONDS = 0.25
SHIFTED_ROWS = wine.ROWS[:10]
STEADY_ROWS = wine.ROWS


@dataclass(frozen=True)
class Scene:
    """Both modes, and the Prometheus that scrapes them; all requests are sent, their samples may follow."""

    sidecars: dict[str, Driftgauge]
    prometheus: Prometheus


@pytest.fixture(scope="module")
def scene(kserve_url: str, wine_reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A proxy that got malformed bodies and rows with drift, and a logger that got rows without drift."""
    options = ("--reference", wine_reference, "--min-rows", "10", "--evaluation-interval-seconds", "0.5")
    upstream = ("--upstream-url", kserve_url, "--inference-service", "wine")
    with ExitStack() as stack:
        sidecars = {
            "proxy": stack.enter_context(Driftgauge("proxy", *upstream, *options)),
            "logger": stack.enter_context(Driftgauge("logger", *options)),
        }
        targets = {job: sidecar.admin_url for job, sidecar in sidecars.items()}
        prometheus = stack.enter_context(Prometheus(targets, tmp_path_factory.mktemp("prometheus")))
        serve(sidecars["proxy"], 1, failed=0)
        log(sidecars["logger"], 1, first=0)
        for job in JOBS:  # a rate needs an earlier sample
            prometheus.wait_for(f'request_count{{job="{job}"}} > 0')
        serve(sidecars["proxy"], GOOD, FAILED)
        log(sidecars["logger"], GOOD, first=1)
        yield Scene(sidecars, prometheus)


def serve(sidecar: Driftgauge, good: int, failed: int) -> None:
    """Send inference requests through the proxy, first valid ones, then malformed ones."""
    for body in [wine.v1(SHIFTED_ROWS)] * good + [b'{"instances":'] * failed:
        send(sidecar.url, Message(V1, body, JSON))


def log(sidecar: Driftgauge, count: int, first: int) -> None:
    """Post pairs of events as KServe's agent does."""
    request, response = wine.v1(STEADY_ROWS), b'{"predictions":[0]}'
    for number in range(first, first + count):
        post(sidecar.port, *pair(request, response, f"wine-{number}", took=LATENCY_SECONDS))


@pytest.mark.parametrize("job", JOBS)
def test_the_request_rate_is_found(scene: Scene, job: str) -> None:
    """`rate(request_count[5m])` is above 0 for the model, in both modes."""
    found = scene.prometheus.wait_for(f'rate(request_count{{job="{job}"}}[5m]) > 0')

    assert {"wine"} == {series.labels["inference_service"] for series in found}


@pytest.mark.parametrize("job", JOBS)
def test_the_99th_percentile_is_found(scene: Scene, job: str) -> None:
    """`histogram_quantile(0.99, rate(request_latency_seconds_bucket[5m]))` is a time between 0 and 10 s."""
    rate = f'rate(request_latency_seconds_bucket{{job="{job}"}}[5m])'
    found = scene.prometheus.wait_for(f"histogram_quantile(0.99, {rate}) > 0")

    assert 1 == len(found)
    assert found[0].value < 10


def test_the_latency_of_the_logger_is_that_of_its_events(scene: Scene) -> None:
    """Pairs of events that are 0.25 s apart have a mean latency of 0.25 s."""
    latency = 'request_latency_seconds_{}{{job="logger"}}'
    mean = f"{latency.format('sum')} / {latency.format('count')}"
    scene.prometheus.wait_for(f"{latency.format('count')} == {1 + GOOD}")
    found = scene.prometheus.wait_for(mean)

    assert [LATENCY_SECONDS] == pytest.approx([series.value for series in found])


def test_the_alert_on_errors_fires_only_for_the_failing_model(scene: Scene) -> None:
    """`rate(request_error_count[5m]) > 0.05` finds only the malformed requests, with code 400."""
    found = scene.prometheus.wait_for("rate(request_error_count[5m]) > 0.05")

    assert [("proxy", "400")] == [(series.labels["job"], series.labels["code"]) for series in found]


def test_drift_is_reported_where_the_rows_have_changed(scene: Scene) -> None:
    """The state is drift for ten rows that are repeated, and not for all rows of the reference."""
    scene.prometheus.wait_for('driftgauge_drift{job="proxy"} == 1')
    scene.prometheus.wait_for('driftgauge_state{job="logger",state="drift"} == 0')
    drifted = scene.prometheus.query('driftgauge_drifted_features{job="proxy"}')
    features = scene.prometheus.query('sum by (job) (driftgauge_feature_drift{job="proxy"})')

    assert [series.value for series in drifted] == [series.value for series in features]
    assert drifted[0].value > 0


@pytest.mark.parametrize("job", JOBS)
def test_every_feature_has_its_distance_and_its_threshold(scene: Scene, job: str) -> None:
    """Each feature of the reference has a D in [0, 1], and drifts if D reaches its threshold."""
    labels = f'{{job="{job}",test="ks"}}'
    scene.prometheus.wait_for(f"driftgauge_feature_drift_statistic{labels}")
    statistic, threshold, verdict = (
        {series.labels["feature"]: series.value for series in scene.prometheus.query(name + labels)}
        for name in (
            "driftgauge_feature_drift_statistic",
            "driftgauge_feature_drift_threshold",
            "driftgauge_feature_drift",
        )
    )

    assert set(wine.FEATURES) == set(statistic)
    assert all(0 <= distance <= 1 for distance in statistic.values())
    assert verdict == {name: float(statistic[name] >= threshold[name]) for name in statistic}


@pytest.mark.parametrize("job", JOBS)
def test_promtool_finds_no_fault(scene: Scene, job: str) -> None:
    """`promtool check metrics` accepts the page, and reports nothing."""
    page = get(f"{scene.sidecars[job].admin_url}/metrics")
    lint = subprocess.run(
        [program("promtool"), "check", "metrics"], input=page, capture_output=True, check=False, timeout=60
    )

    assert (0, b"", b"") == (lint.returncode, lint.stdout, lint.stderr)


@pytest.mark.parametrize("job", JOBS)
def test_openmetrics_is_strict(scene: Scene, job: str) -> None:
    """The OpenMetrics page has its content type, and the strict parser reads every family of the classic page."""
    url = f"{scene.sidecars[job].admin_url}/metrics"
    with urlopen(Request(url, headers={"Accept": OPENMETRICS}), timeout=10) as response:  # noqa: S310 - loopback
        kind, page = response.headers["Content-Type"], response.read().decode()
    names = {sample.name for family in text_string_to_metric_families(page) for sample in family.samples}

    assert kind.startswith("application/openmetrics-text")
    assert {sample.name for sample in scene.sidecars[job].metrics()} == names
