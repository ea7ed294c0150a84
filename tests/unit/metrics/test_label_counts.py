"""The families of labels."""

from prometheus_client import CollectorRegistry

from driftgauge.metrics.label_counts import DELAY_BUCKETS, LabelCounts
from tests.support.models import IRIS, WINE, labels


def test_series_start_at_0_and_go_with_their_model() -> None:
    """Every outcome and state of a model that was started has a series; those of a model that is gone do not."""
    registry = CollectorRegistry()
    counts = LabelCounts(registry, ["matched", "unknown"])
    counts.start(WINE)
    counts.count(IRIS, "matched", 3)
    counts.count_rows(WINE, labelled=2, unlabelled=5)
    found = [
        registry.get_sample_value("driftgauge_labels_total", labels(model) | {"outcome": outcome})
        for model in (WINE, IRIS)
        for outcome in ("matched", "unknown")
    ]
    assert [0, 0, 3, 0] == found
    assert 5 == registry.get_sample_value("driftgauge_outcomes_total", labels(WINE) | {"state": "unlabelled"})
    counts.retain({WINE})
    assert None is registry.get_sample_value("driftgauge_labels_total", labels(IRIS) | {"outcome": "matched"})


def test_delays_are_a_histogram_from_a_second_to_a_month() -> None:
    """A delay counts in its bucket and all wider ones; a negative one, of clocks that differ, is 0."""
    registry = CollectorRegistry()
    counts = LabelCounts(registry, [])
    for seconds in (-3.0, 3_600.0, 90 * 86_400.0):
        counts.observe_delays(WINE, [seconds])

    def bucket(bound: str) -> float | None:
        return registry.get_sample_value("driftgauge_label_delay_seconds_bucket", labels(WINE) | {"le": bound})

    assert [1, 2, 2, 3] == [bucket(bound) for bound in ("1.0", "3600.0", "2.592e+06", "+Inf")]
    assert (1, 30 * 86_400) == (DELAY_BUCKETS[0], DELAY_BUCKETS[-1])
    assert list(DELAY_BUCKETS) == sorted(DELAY_BUCKETS)
