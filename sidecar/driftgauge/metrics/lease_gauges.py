"""The gauges of leases: which models this replica evaluates."""

from collections.abc import Callable, Collection, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels

ListModels = Callable[[], Collection[ModelKey]]
"""Returns models; called from the thread that renders a scrape."""


class LeaseGauges(Collector):
    """Collects the leases that this replica holds.

    Args:
        evaluated: Returns the models whose lease this replica holds.
        known: Returns all models that it knows.
    """

    def __init__(self, evaluated: ListModels, known: ListModels) -> None:
        self._evaluated = evaluated
        self._known = known

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The number of leases, and a gauge of each model."""
        evaluated = frozenset(self._evaluated())
        yield GaugeMetricFamily("driftgauge_leases", "Models that this replica evaluates.", value=len(evaluated))
        family = GaugeMetricFamily(
            "driftgauge_evaluator",
            "1 if this replica evaluates the model, 0 if it shows what another one has published.",
            labels=MODEL_LABELS,
        )
        for model in sorted({*self._known(), *evaluated}):
            family.add_metric(model_labels(model), float(model in evaluated))
        yield family
