"""Counts every exchange of request and response: latency, bytes, and how many are in flight.

The counters are plain Python numbers; a scrape turns them into metric families. A counter of the client library takes
a lock at each step, its histogram two: for eight steps a request this costs more than the rest of the proxy's Python.
Only the event loop counts, so no step is lost.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from driftgauge.inference.payload import ModelKey

MODEL_LABELS = ("inference_service_namespace", "inference_service", "component", "model_name")


def model_labels(model: ModelKey) -> tuple[str, str, str, str]:
    """Label values of a model, in the order of `MODEL_LABELS`."""
    return (model.namespace, model.inference_service, model.component, model.model_name)


LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""In seconds: the client library's buckets, two finer ones for small models and a longer one for slow models."""

OVERHEAD_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05)
"""In seconds, 0.05 ms to 50 ms: what a proxy on the same machine may add."""


class Distribution:
    """A histogram: how many values fell into each bucket, and their sum.

    Args:
        bounds: The greatest value of each bucket except the last, ascending.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def cumulative(self) -> tuple[list[tuple[str, float]], float]:
        """Each bucket's bound as Prometheus writes it, with the number of values up to it; and the sum of all."""
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True)), self._sum


class Exchanges:
    """The counters of one model; the proxy and the logger's pairing increase them."""

    __slots__ = ("in_flight", "latency", "overhead", "request_bytes", "response_bytes")

    def __init__(self) -> None:
        self.latency = Distribution(LATENCY_BUCKETS)
        self.overhead = Distribution(OVERHEAD_BUCKETS)
        self.in_flight = 0
        self.request_bytes = 0
        self.response_bytes = 0


class ExchangeFamilies(Collector):
    """The metric families of all models' exchanges."""

    def __init__(self) -> None:
        self._models: dict[tuple[str, ...], Exchanges] = {}

    def start(self, model: ModelKey) -> Exchanges:
        """Start a model's series at 0, unless they exist."""
        return self._models.setdefault(model_labels(model), Exchanges())

    def collect(self) -> Iterator[Metric]:
        """Two histograms, a gauge and two counters."""
        yield self._histogram(
            "request_latency_seconds",
            "Latency of inference requests as the caller feels it.",
            lambda one: one.latency,
        )
        yield self._histogram(
            "driftgauge_proxy_overhead_seconds", "The proxy's own share of the latency.", lambda one: one.overhead
        )
        in_flight = GaugeMetricFamily(
            "driftgauge_requests_in_flight", "Inference requests under way.", labels=MODEL_LABELS
        )
        request_bytes = CounterMetricFamily(
            "driftgauge_request_bytes_total", "Bytes of inference request bodies.", labels=MODEL_LABELS
        )
        response_bytes = CounterMetricFamily(
            "driftgauge_response_bytes_total", "Bytes of inference response bodies.", labels=MODEL_LABELS
        )
        for values, one in list(self._models.items()):  # a copy: scrapes run in a thread while models are added
            in_flight.add_metric(values, one.in_flight)
            request_bytes.add_metric(values, one.request_bytes)
            response_bytes.add_metric(values, one.response_bytes)
        yield from (in_flight, request_bytes, response_bytes)

    def _histogram(self, name: str, text: str, pick: Callable[[Exchanges], Distribution]) -> Metric:
        family = HistogramMetricFamily(name, text, labels=MODEL_LABELS)
        for values, one in list(self._models.items()):
            buckets, total = pick(one).cumulative()
            family.add_metric(values, buckets, total)
        return family
