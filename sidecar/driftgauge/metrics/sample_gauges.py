"""The gauge of the sample ratio of each model."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from driftgauge.inference.payload import is_overflow
from driftgauge.inference.sample_ratio import ModelSample
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels


class SampleGauges(Collector):
    """Collects the ratios.

    Args:
        samples: Returns what decides of each model; called from the thread that renders a scrape.
    """

    def __init__(self, samples: Callable[[], Iterable[ModelSample]]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The ratio of each model whose rows are used."""
        family = GaugeMetricFamily(
            "driftgauge_sample_ratio",
            "Share of the inferences that are read now: sample_ratio, or less if more come than can be read.",
            labels=MODEL_LABELS,
        )
        for one in self._samples():
            if not is_overflow(one.model):
                family.add_metric(model_labels(one.model), one.ratio)
        yield family
