"""The demo reads `/metrics`."""

import math

import pytest

from examples.demo import gauges

MODEL = 'component="predictor",inference_service="wine",model_name="wine"'
OTHER = 'component="predictor",inference_service="beer",model_name="beer"'

SCRAPE = f"""\
# HELP request Inference requests.
# TYPE request summary
request_count{{{MODEL},code="200"}} 70
request_sum{{{MODEL},code="200"}} 560
request_count{{{MODEL},code="500"}} 5
request_count{{{OTHER},code="200"}} 1000
# TYPE request_error summary
request_error_count{{{MODEL},code="500"}} 5
# TYPE request_latency_seconds histogram
request_latency_seconds_bucket{{{MODEL},le="0.01"}} 30
request_latency_seconds_bucket{{{MODEL},le="0.02"}} 60
request_latency_seconds_bucket{{{MODEL},le="+Inf"}} 75
request_latency_seconds_sum{{{MODEL}}} 1
request_latency_seconds_count{{{MODEL}}} 75
# TYPE driftgauge_payloads_total counter
driftgauge_payloads_total{{{MODEL},kind="request",outcome="accepted",reason=""}} 70
driftgauge_payloads_total{{{MODEL},kind="request",outcome="rejected",reason="malformed"}} 3
driftgauge_payloads_total{{{MODEL},kind="response",outcome="dropped",reason="queue_full"}} 2
# TYPE driftgauge_rows_total counter
driftgauge_rows_total{{{MODEL}}} 560
# TYPE driftgauge_window_rows gauge
driftgauge_window_rows{{{MODEL}}} 552
driftgauge_window_rows{{{OTHER}}} 9
# TYPE driftgauge_window_timestamp_seconds gauge
driftgauge_window_timestamp_seconds{{{MODEL}}} 1.5e9
"""

VERDICTS = f"""\
# TYPE driftgauge_drift gauge
driftgauge_drift{{{MODEL}}} 1
# TYPE driftgauge_feature_drift gauge
driftgauge_feature_drift{{{MODEL},feature="ph",test="ks"}} 0
driftgauge_feature_drift{{{MODEL},feature="ph",test="sequential"}} 1
driftgauge_feature_drift{{{MODEL},feature="alcohol",test="ks"}} 0
driftgauge_feature_drift{{{MODEL},feature="alcohol",test="sequential"}} 0
# TYPE driftgauge_feature_drift_statistic gauge
driftgauge_feature_drift_statistic{{{MODEL},feature="ph",test="ks"}} 0.5
driftgauge_feature_drift_statistic{{{MODEL},feature="ph",test="sequential"}} 8.5
driftgauge_feature_drift_statistic{{{MODEL},feature="alcohol",test="ks"}} 0.25
driftgauge_feature_drift_statistic{{{MODEL},feature="alcohol",test="sequential"}} 0
# TYPE driftgauge_feature_drift_p_value gauge
driftgauge_feature_drift_p_value{{{MODEL},feature="ph",test="ks"}} 0
driftgauge_feature_drift_p_value{{{MODEL},feature="alcohol",test="ks"}} 0.75
# TYPE driftgauge_feature_drift_threshold gauge
driftgauge_feature_drift_threshold{{{MODEL},feature="ph",test="ks"}} 0.625
driftgauge_feature_drift_threshold{{{MODEL},feature="ph",test="sequential"}} 7.5
driftgauge_feature_drift_threshold{{{MODEL},feature="alcohol",test="ks"}} +Inf
driftgauge_feature_drift_threshold{{{MODEL},feature="alcohol",test="sequential"}} 7.5
"""

OUTCOMES = f"""\
# TYPE driftgauge_outcome_state gauge
driftgauge_outcome_state{{{MODEL},output="quality",test="performance",state="ok"}} 0
driftgauge_outcome_state{{{MODEL},output="quality",test="performance",state="drift"}} 1
driftgauge_outcome_state{{{MODEL},output="quality",test="concept",state="ok"}} 1
driftgauge_outcome_state{{{MODEL},output="quality",test="concept",state="drift"}} 0
# TYPE driftgauge_performance gauge
driftgauge_performance{{{MODEL},output="quality",metric="mae",sample="window"}} 0.75
driftgauge_performance{{{MODEL},output="quality",metric="mae",sample="reference"}} 0.5
driftgauge_performance{{{MODEL},output="quality",metric="rmse",sample="window"}} 1
# TYPE driftgauge_labels_total counter
driftgauge_labels_total{{{MODEL},outcome="matched"}} 24
driftgauge_labels_total{{{MODEL},outcome="unknown"}} 8
# TYPE driftgauge_outcome_window_timestamp_seconds gauge
driftgauge_outcome_window_timestamp_seconds{{{MODEL}}} 1.5e9
"""


def test_counts_are_those_of_the_named_service() -> None:
    """Codes and reasons are summed, another InferenceService is ignored, and no verdict is `None`."""
    found = gauges.read(SCRAPE, "wine")

    assert (
        gauges.Gauges(
            features=(),
            predictions=(),
            drift=None,
            window_rows=552,
            newest_at=1.5e9,
            rows=560,
            requests=75,
            errors=5,
            lost=5,
            lost_requests=3,
            latency=((0.01, 30), (0.02, 60), (math.inf, 75)),
            outcomes=gauges.Outcomes("", "", math.nan, math.nan, 0, 0.0),
        )
        == found
    )
    assert 75 == found.timed


def test_features_are_put_together() -> None:
    """The gauges of both tests of a feature are combined, and it drifts if one of them alarms."""
    found = gauges.read(SCRAPE + VERDICTS, "wine")

    assert found.drift
    assert (
        gauges.Feature("alcohol", 0.25, math.inf, 0.0, 7.5, drift=False),
        gauges.Feature("ph", 0.5, 0.625, 8.5, 7.5, drift=True),
    ) == found.features


def test_predictions_are_put_together_like_features() -> None:
    """The gauges of a prediction have the same parts, under the names of its families."""
    found = gauges.read(SCRAPE + VERDICTS.replace("feature", "prediction"), "wine")

    assert () == found.features
    assert ["alcohol", "ph"] == [one.name for one in found.predictions]


def test_outcomes_have_the_state_that_is_1_and_the_errors_of_both_samples() -> None:
    """Of the three series of a verdict one is 1; labels count once they met a prediction."""
    found = gauges.read(OUTCOMES, "wine").outcomes

    assert gauges.Outcomes("drift", "ok", 0.75, 0.5, 24, 1.5e9) == found
    assert not found.drift


def test_empty_scrape_is_no_verdict_and_zeros() -> None:
    """Before the first request there is no verdict, and all counts are 0."""
    found = gauges.read("", "wine")

    assert (None, 0, 0, ()) == (found.drift, found.rows, found.timed, found.features)


@pytest.mark.parametrize(
    ("share", "seconds"),
    [
        (0.4, 0.01),  # rank 30 of 75 is the first bound exactly
        (0.2, 0.005),  # rank 15 is half way into the first bucket, from 0
        (0.6, 0.015),  # rank 45 is half way into the second
        (0.8, 0.02),  # rank 60 is the second bound exactly
        (0.99, 0.02),  # beyond the last finite bound: that bound
    ],
)
def test_quantiles_are_prometheus_own(share: float, seconds: float) -> None:
    """The quantiles are those of `histogram_quantile`, calculated by hand."""
    assert seconds == pytest.approx(gauges.quantile(share, ((0.01, 30), (0.02, 60), (math.inf, 75))))


@pytest.mark.parametrize("buckets", [(), ((0.01, 0.0), (math.inf, 0.0))])
def test_quantile_of_nothing_is_nan(buckets: tuple[tuple[float, float], ...]) -> None:
    """The quantile of no requests is NaN."""
    assert math.isnan(gauges.quantile(0.5, buckets))
