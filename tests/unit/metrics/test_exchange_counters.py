"""The plain counters are shown as the client library would show them."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from driftgauge.metrics.model_metrics import LATENCY_BUCKETS, ExchangeFamilies
from tests.support.models import WINE, labels


@given(st.lists(st.floats(0, 100) | st.sampled_from(LATENCY_BUCKETS)))
def test_a_distribution_is_the_librarys_histogram(values: list[float]) -> None:
    """Buckets, count and sum are the same, also for values on a bound."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    families = ExchangeFamilies()
    ours.register(families)
    one = families.start(WINE)
    text = "Latency of inference requests as the caller feels it."
    histogram = Histogram(
        "request_latency_seconds", text, tuple(labels(WINE)), buckets=LATENCY_BUCKETS, registry=theirs
    ).labels(**labels(WINE))
    for value in values:
        one.latency.observe(value)
        histogram.observe(value)
    shown = generate_latest(ours).decode().split("# HELP driftgauge_proxy_overhead_seconds")[0]
    expected = [line for line in generate_latest(theirs).decode().splitlines() if "_created" not in line]

    assert expected == shown.splitlines()


def test_a_model_starts_at_zero_and_keeps_its_counts() -> None:
    """Starting it again changes nothing."""
    registry, families = CollectorRegistry(), ExchangeFamilies()
    registry.register(families)
    families.start(WINE).in_flight += 2
    families.start(WINE).request_bytes += 5

    assert 2 == registry.get_sample_value("driftgauge_requests_in_flight", labels(WINE))
    assert 5 == registry.get_sample_value("driftgauge_request_bytes_total", labels(WINE))
    assert 0 == registry.get_sample_value("driftgauge_response_bytes_total", labels(WINE))
