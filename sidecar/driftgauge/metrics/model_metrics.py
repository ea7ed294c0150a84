"""The counters and histograms of each model, with their labels bound once: `.labels()` on every request costs time.

What is counted at every request is kept in plain Python numbers, which a scrape turns into metric families. A counter
of the client library takes a lock at each step, its histogram two: for eight steps a request this costs more than the
rest of the proxy's Python. Only the event loop counts, so no step is lost.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from driftgauge.drift.canary.traffic_counts import LATENCY_BOUNDS, TrafficSlot
from driftgauge.errors import Reason
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey, Outcome
from driftgauge.inference.sample_ratio import ModelSample
from driftgauge.metrics.request_counts import MODEL_LABELS, PayloadCounts, RequestCounts, model_labels

LATENCY_BUCKETS: Final[Sequence[float]] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""In seconds: the client library's buckets, two finer ones for small models and a longer one for slow models."""

OVERHEAD_BUCKETS: Final[Sequence[float]] = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05)
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

    @property
    def counts(self) -> tuple[int, ...]:
        """How many values each bucket has."""
        return tuple(self._counts)

    def cumulative(self) -> tuple[list[tuple[str, float]], float]:
        """Each bucket's bound as Prometheus writes it, with the number of values up to it; and the sum of all."""
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True)), self._sum


class TrafficTotals(NamedTuple):
    """The traffic of a model since the start.

    Args:
        requests: Requests whose status code is known.
        errors: Those that failed.
        latencies: How many latencies each bucket of `LATENCY_BOUNDS` has; empty for none at all.
    """

    requests: int
    errors: int
    latencies: tuple[int, ...]

    def since(self, before: "TrafficTotals", slot: int) -> TrafficSlot:
        """What came since an earlier time, as a slot. Nothing is below 0: a model may have been forgotten meanwhile."""
        earlier = before.latencies or (0,) * len(self.latencies)
        latencies = tuple(
            (bucket, new - old)
            for bucket, (new, old) in enumerate(zip(self.latencies, earlier, strict=True))
            if new > old
        )
        requests = max(0, self.requests - before.requests)
        return TrafficSlot(slot, requests, min(requests, max(0, self.errors - before.errors)), latencies)


class Exchanges:
    """The counters of one model; the proxy and the logger's pairing increase them.

    `fine_latency` is compared between revisions and is no metric.
    """

    __slots__ = ("fine_latency", "in_flight", "latency", "overhead", "request_bytes", "response_bytes")

    def __init__(self) -> None:
        self.latency = Distribution(LATENCY_BUCKETS)
        self.fine_latency = Distribution(LATENCY_BOUNDS)
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

    def remove(self, model: ModelKey) -> None:
        """Remove a model's series."""
        self._models.pop(model_labels(model), None)

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


_KIND_LABELS: Final = (*MODEL_LABELS, "kind")


class Families:
    """The metric families that all models share.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, names: Sequence[str] = MODEL_LABELS) -> Counter:
            return Counter(name, text, names, registry=registry)

        self.requests = RequestCounts()
        registry.register(self.requests)
        self.exchanges = ExchangeFamilies()
        registry.register(self.exchanges)
        self.payloads = PayloadCounts()
        registry.register(self.payloads)
        self.rows = counter("driftgauge_rows_total", "Feature rows put into the ring.")
        self.missing = counter(
            "driftgauge_missing_values_total",
            "Values that were null, NaN or absent.",
            (*MODEL_LABELS, "feature"),
        )
        self.skipped = counter(
            "driftgauge_skipped_blocks_total", "Blocks of rows that have another schema and were not read."
        )
        self.failures = counter("driftgauge_evaluation_failures_total", "Evaluations that failed.")
        self.detector_rows = counter(
            "driftgauge_detector_rows_total", "Rows that were fed to the sequential detector.", _KIND_LABELS
        )
        self.detector_skipped = counter(
            "driftgauge_detector_skipped_rows_total",
            "Rows that the detector never saw, because more came between two evaluations than a window holds.",
            _KIND_LABELS,
        )
        self.detector_resets = counter(
            "driftgauge_detector_resets_total",
            "How often the detector dropped its evidence and started again, for example after a new reference.",
            _KIND_LABELS,
        )
        self.hour_unknown = counter(
            "driftgauge_rows_without_reference_hour_total",
            "Rows that were not compared, because the reference has no rows of their hour.",
            _KIND_LABELS,
        )
        self.unpaired = counter(
            "driftgauge_unpaired_total", "Requests without their response, and responses without their request."
        )
        self.untested_outputs = counter(
            "driftgauge_untested_outputs_total",
            "Outputs of responses that are not tested: they hold objects, or have no fixed width or number of rows.",
        )
        self.by_model = (self.rows, self.skipped, self.failures, self.unpaired, self.untested_outputs)
        self.by_kind = (self.detector_rows, self.detector_skipped, self.detector_resets, self.hour_unknown)


class ModelMetrics:
    """The series of one model, all of which start at 0.

    Args:
        model: The model.
        families: The families of its series.
        code: Status code of its usual request: `200`, or empty where status codes are unknown.
        sample: Decides which inferences are read. It is here since each request needs it together with the counters.
    """

    def __init__(self, model: ModelKey, families: Families, code: str, sample: ModelSample) -> None:
        self.model = model
        self.sample = sample
        self._families = families
        self._values = model_labels(model)
        self._requests = families.requests.start(model, code)
        self.exchanges = families.exchanges.start(model)
        self.rows = families.rows.labels(*self._values)
        self.skipped = families.skipped.labels(*self._values)
        self.failures = families.failures.labels(*self._values)
        self.unpaired = families.unpaired.labels(*self._values)
        self.untested_outputs = families.untested_outputs.labels(*self._values)
        self._payloads = families.payloads.start(model)
        self._detectors: tuple[dict[Kind, Counter], ...] = tuple({} for _ in families.by_kind)
        self._detector_rows, self._detector_skipped, self._detector_resets, self._hour_unknown = self._detectors
        for kind in PAYLOAD_KINDS:
            self._start_detector(kind)
        self._columns: set[str] = set()

    def count_request(self, code: str) -> None:
        """Count a request that ended with this status code; empty if it is unknown."""
        self._requests.count(code)

    def count_error(self, code: str) -> None:
        """Count the error of a request that was counted before its status code was known."""
        self._requests.count_error(code)

    def count_rows(self, code: str, rows: int) -> None:
        """Add the rows of a request that has been counted."""
        self._requests.add_rows(code, rows)

    def count_payload(self, kind: Kind, outcome: Outcome, reason: Reason | None = None, number: int = 1) -> None:
        """Count the outcome of one payload, or of several; only dropped and rejected ones have a `reason`."""
        self._payloads[kind, outcome, reason] += number

    def count_detector_rows(self, kind: Kind, fed: int, skipped: int, hour_unknown: int) -> None:
        """Count the rows of a stream that were fed to the detector, and those that it never saw.

        Args:
            kind: The stream.
            fed: Rows that were fed.
            skipped: Rows that came too fast, or of which a part was fed before.
            hour_unknown: Rows of hours that the reference lacks.
        """
        self._start_detector(kind)
        self._detector_rows[kind].inc(fed)
        self._detector_skipped[kind].inc(skipped)
        self._hour_unknown[kind].inc(hour_unknown)

    def count_detector_reset(self, kind: Kind) -> None:
        """Count that the detector started again, because its state was of another reference."""
        self._start_detector(kind)
        self._detector_resets[kind].inc()

    def _start_detector(self, kind: Kind) -> None:
        """Start the series of a stream's detector at 0; that of outcomes starts with the first label."""
        for family, series in zip(self._families.by_kind, self._detectors, strict=True):
            if kind not in series:
                series[kind] = family.labels(*self._values, kind)

    def count_missing(self, columns: Sequence[str], missing: NDArray[np.int64]) -> None:
        """Count missing values by feature; every feature has a series from its first row on."""
        self._columns.update(columns)
        for column, number in zip(columns, missing.tolist(), strict=True):
            self._families.missing.labels(*self._values, column).inc(number)

    def remove(self) -> None:
        """Remove the series. What still counts here afterwards is not shown."""
        families = self._families
        families.requests.remove(self.model)
        families.exchanges.remove(self.model)
        families.payloads.remove(self.model)
        for family in families.by_model:
            family.remove(*self._values)
        for family in families.by_kind:
            for kind in self._detector_rows:
                family.remove(*self._values, kind)
        for column in self._columns:
            families.missing.remove(*self._values, column)
