"""The registry as a scrape shows it."""

import time

import numpy as np
import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from driftgauge.errors import Reason
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, Outcome
from driftgauge.metrics.registry import Metrics
from driftgauge.results.latest import Evaluation, LatestEvaluations
from tests.support.models import WINE, labels
from tests.support.reports import FOUND, moved, report_of


@pytest.fixture
def metrics() -> Metrics:
    """The metrics of a proxy."""
    return Metrics("200")


def test_every_series_of_a_model_starts_at_zero(metrics: Metrics) -> None:
    """A counter that starts with its first event hides it from `rate`."""
    metrics.model(WINE)
    value = metrics.registry.get_sample_value

    assert 0 == value("request_latency_seconds_count", labels())
    assert 0 == value("driftgauge_rows_total", labels())
    assert 0 == value("driftgauge_evaluation_failures_total", labels())
    assert 0 == value("driftgauge_unpaired_total", labels())
    assert [0] * len(Reason) == [
        value(
            "driftgauge_payloads_total",
            labels(kind="request", outcome="dropped" if reason.dropped else "rejected", reason=reason.value),
        )
        for reason in Reason
    ]


@pytest.mark.parametrize("kind", PAYLOAD_KINDS)
def test_rows_of_the_detector_are_counted_by_kind(metrics: Metrics, kind: Kind) -> None:
    """Rows that it was fed, rows that it never saw, and resets are counted; the other kind stays at 0."""
    model = metrics.model(WINE)
    model.count_detector_rows(kind, 30, 5, 2)
    model.count_detector_rows(kind, 10, 0, 1)
    model.count_detector_reset(kind)
    names = (
        *("detector_rows_total", "detector_skipped_rows_total"),
        *("rows_without_reference_hour_total", "detector_resets_total"),
    )

    counted = {
        one: [metrics.registry.get_sample_value(f"driftgauge_{name}", labels(kind=one)) for name in names]
        for one in PAYLOAD_KINDS
    }

    assert {one: [0, 0, 0, 0] for one in PAYLOAD_KINDS} | {kind: [40, 5, 3, 1]} == counted


def test_a_models_series_are_made_once(metrics: Metrics) -> None:
    """Labels are bound at the first mention, not at every request."""
    assert metrics.model(WINE) is metrics.model(WINE)


def test_each_outcome_of_a_payload_is_counted_apart(metrics: Metrics) -> None:
    """The label `reason` is empty without a reason."""
    model = metrics.model(WINE)
    model.count_payload(Kind.REQUEST, Outcome.ACCEPTED)
    model.count_payload(Kind.RESPONSE, Outcome.DROPPED, Reason.QUEUE_FULL)
    value = metrics.registry.get_sample_value

    assert 1 == value("driftgauge_payloads_total", labels(kind="request", outcome="accepted", reason=""))
    assert 1 == value("driftgauge_payloads_total", labels(kind="response", outcome="dropped", reason="queue_full"))
    assert 0 == value("driftgauge_payloads_total", labels(kind="request", outcome="dropped", reason="queue_full"))


def test_missing_values_are_counted_by_feature(metrics: Metrics) -> None:
    """A feature without missing values has a series too."""
    metrics.model(WINE).count_missing(("alcohol", "ph"), np.array([3, 0]))
    value = metrics.registry.get_sample_value

    assert 3 == value("driftgauge_missing_values_total", labels(feature="alcohol"))
    assert 0 == value("driftgauge_missing_values_total", labels(feature="ph"))


def test_the_queue_is_read_at_the_scrape(metrics: Metrics) -> None:
    """The gauge needs no updates."""
    waiting: list[int] = []
    metrics.watch_queue(lambda: len(waiting), 1024)
    waiting.append(1)

    assert metrics.registry.get_sample_value("driftgauge_queue_payloads") == 1
    assert metrics.registry.get_sample_value("driftgauge_queue_capacity") == 1024


def test_skipped_keys_are_counted_where_redis_is_used(metrics: Metrics) -> None:
    """Without Redis there are no keys, and no counter of them."""
    metrics.count_skipped_keys(1)
    before = metrics.registry.get_sample_value("driftgauge_redis_skipped_keys_total")
    metrics.watch_redis()
    metrics.watch_resending()
    metrics.count_skipped_keys(2)

    assert (None, 2) == (before, metrics.registry.get_sample_value("driftgauge_redis_skipped_keys_total"))


def test_no_series_has_a_time_of_creation(metrics: Metrics) -> None:
    """The library's `_created` series would double the scrape."""
    metrics.model(WINE).exchanges.latency.observe(0.1)

    assert b"_created" not in generate_latest(metrics.registry)


def test_the_number_of_columns_with_series_is_an_option() -> None:
    """Columns without series are tested as well."""
    metrics, latest = Metrics("200"), LatestEvaluations(90, lambda: 1_000)
    metrics.watch_evaluations(latest, max_features=1)
    report = report_of(moved("acid", 0.1, 0.2), moved("sugar", 0.1, 0.2))
    latest.publish(WINE, Kind.REQUEST, Evaluation(report, 1_000, 0.01, 999))
    value = metrics.registry.get_sample_value

    assert 1 == value("driftgauge_features", labels(state="shown"))
    assert 2 == value("driftgauge_features", labels(state="tested"))


def test_the_strict_openmetrics_parser_accepts_every_family(metrics: Metrics) -> None:
    """Names, types and samples agree."""
    latest = LatestEvaluations(90)
    metrics.model(WINE)
    metrics.watch_evaluations(latest)
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_redis()
    metrics.watch_resending()
    for kind in PAYLOAD_KINDS:
        latest.publish(WINE, kind, Evaluation(FOUND, time.time(), 0.01, 999))

    families = list(text_string_to_metric_families(generate_openmetrics(metrics.registry).decode()))

    assert {"request", "request_error", "request_latency_seconds", "driftgauge_build_info"} <= {
        family.name for family in families
    }
