"""The gauge of the sample ratio."""

from driftgauge.inference.payload import OVERFLOW, ModelKey
from driftgauge.metrics.registry import Metrics
from tests.support.models import IRIS, WINE, labels


def gauge(metrics: Metrics, model: ModelKey) -> float | None:
    """The ratio of a model."""
    return metrics.registry.get_sample_value("driftgauge_sample_ratio", labels(model))


def test_each_model_has_a_gauge_of_its_ratio() -> None:
    """It is the configured ratio, or that to which it is lowered; models without rows of their own have none."""
    metrics = Metrics("200", 0.5)
    for model in (WINE, IRIS, OVERFLOW):
        metrics.model(model)
    configured = [gauge(metrics, model) for model in (WINE, IRIS, OVERFLOW)]
    metrics.model(IRIS).sample.limit = 0.2
    metrics.carried.recent = 0.5
    lowered = [gauge(metrics, model) for model in (WINE, IRIS)]
    metrics.retain([WINE])

    assert [0.5, 0.5, None] == configured
    assert [0.25, 0.1] == lowered
    assert [0.25, None] == [gauge(metrics, model) for model in (WINE, IRIS)]
