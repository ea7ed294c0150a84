"""The gauges of leases: which models a replica evaluates."""

from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.registry import Metrics
from tests.support.models import IRIS, WINE, labels


def test_each_model_has_a_gauge_of_its_evaluator() -> None:
    """1 where this replica holds the lease, else 0; a model that is no longer known has none."""
    metrics, evaluated, known = Metrics("200"), [WINE], [WINE, IRIS]
    metrics.watch_leases(lambda: evaluated, lambda: known)
    values = [gauge(metrics, model) for model in (WINE, IRIS)]
    number = metrics.registry.get_sample_value("driftgauge_leases")
    evaluated.clear()
    known.remove(IRIS)

    assert [1, 0] == values
    assert number == 1
    assert [0, None] == [gauge(metrics, model) for model in (WINE, IRIS)]


def gauge(metrics: Metrics, model: ModelKey) -> float | None:
    """Whether this replica evaluates a model."""
    return metrics.registry.get_sample_value("driftgauge_evaluator", labels(model))


def test_unreadable_results_are_counted_where_redis_is_used() -> None:
    """Without it there are none."""
    metrics = Metrics("200")
    metrics.count_unreadable_result()
    before = metrics.registry.get_sample_value("driftgauge_unreadable_results_total")
    metrics.watch_redis()
    metrics.count_unreadable_result()

    assert (None, 1) == (before, metrics.registry.get_sample_value("driftgauge_unreadable_results_total"))
