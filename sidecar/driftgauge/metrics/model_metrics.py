"""The counters and histograms of each model, with their labels bound once: `.labels()` on every request costs time.

What is counted at every request is kept in plain Python numbers, which a scrape turns into metric families. A counter
of the client library takes a lock at each step, its histogram two: for eight steps a request this costs more than the
rest of the proxy's Python. Only the event loop counts, so no step is lost.

`request_count` and `request_error_count` are the names of the article that page/runbooks/index.md cites. The name of a
counter must end in `_total`, so the two are the `_count` of the summaries `request` and `request_error`: their types
are true, promtool's lint accepts them, and `rate(request_error_count[5m])` works. A request is counted at once, but its
rows are known only after the pipeline has decoded it. The client library's summary does both in one step, hence a
collector of our own.

Source: OpenMetrics 1.0, section "Summary" (https://prometheus.io/docs/specs/om/open_metrics_spec/).
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from driftgauge.drift.canary.traffic_counts import LATENCY_BOUNDS, TrafficSlot
from driftgauge.errors import Reason
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey, Outcome
from driftgauge.inference.sample_ratio import ModelSample

ERROR_CODES: Final = ("400", "404", "422", "499", "500", "502", "503", "504")
"""Status codes whose series start at 0, so that `rate` sees the first error; others start with their first error."""

_FIRST_ERROR: Final = "400"
"""Status codes have three digits, or are empty where unknown, so they can be compared as text."""


class RequestCounts(Collector):
    """Counts requests, their rows and their errors by model and status code."""

    def __init__(self) -> None:
        self._requests: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)
        self._rows: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)
        self._errors: defaultdict[tuple[ModelKey, str], int] = defaultdict(int)

    def start(self, model: ModelKey, code: str) -> None:
        """Start a model's series at 0: of the usual status code, and of the usual errors."""
        self._requests[model, code] += 0
        for error in ERROR_CODES:
            self._errors[model, error] += 0

    def count(self, model: ModelKey, code: str) -> None:
        """Count one request; `code` is its status code, empty where unknown."""
        self._requests[model, code] += 1
        if code >= _FIRST_ERROR:
            self._errors[model, code] += 1

    def count_error(self, model: ModelKey, code: str) -> None:
        """Count the error of a request that was counted before its status code was known."""
        self._errors[model, code] += 1

    def add_rows(self, model: ModelKey, code: str, rows: int) -> None:
        """Add the rows of a request; `count` counts the request itself."""
        self._requests[model, code] += 0
        self._rows[model, code] += rows

    def totals(self) -> dict[ModelKey, tuple[int, int]]:
        """Of each model the requests whose status code is known, and the errors."""
        found: dict[ModelKey, tuple[int, int]] = {}
        for (model, code), count in self._requests.items():
            requests, errors = found.get(model, (0, 0))
            found[model] = (requests + count * bool(code), errors)
        for (model, _), count in self._errors.items():
            requests, errors = found.get(model, (0, 0))
            found[model] = (requests, errors + count)
        return found

    def remove(self, model: ModelKey) -> None:
        """Remove a model's series."""
        for counts in (self._requests, self._rows, self._errors):
            for key in [key for key in counts if key[0] == model]:
                del counts[key]

    def collect(self) -> Iterator[SummaryMetricFamily]:
        """The two summary families."""
        names = (*MODEL_LABELS, "code")
        requests = SummaryMetricFamily(
            "request", "Inference requests; the sum counts the rows of those that were decoded.", labels=names
        )
        for (model, code), count in sorted(self._requests.items()):
            rows = self._rows.get((model, code), 0)
            requests.add_metric((*model_labels(model), code), count_value=count, sum_value=rows)
        errors = SummaryMetricFamily(
            "request_error", "Inference requests that failed; the sum counts their rows.", labels=names
        )
        for (model, code), count in sorted(self._errors.items()):
            rows = self._rows.get((model, code), 0)
            errors.add_metric((*model_labels(model), code), count_value=count, sum_value=rows)
        yield requests
        yield errors


MODEL_LABELS: Final = ("inference_service_namespace", "inference_service", "component", "model_name", "revision")


def model_labels(model: ModelKey) -> tuple[str, str, str, str, str]:
    """Label values of a model, in the order of `MODEL_LABELS`.

    An empty value is the same as no label to Prometheus: rules and queries without the label see no change.
    """
    return (model.namespace, model.inference_service, model.component, model.model_name, model.revision)


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


_PAYLOAD_LABELS: Final = (*MODEL_LABELS, "kind", "outcome", "reason")
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
        self.payloads = counter("driftgauge_payloads_total", "Payloads by their outcome.", _PAYLOAD_LABELS)
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
        families.requests.start(model, code)
        self.exchanges = families.exchanges.start(model)
        self.rows = families.rows.labels(*self._values)
        self.skipped = families.skipped.labels(*self._values)
        self.failures = families.failures.labels(*self._values)
        self.unpaired = families.unpaired.labels(*self._values)
        self.untested_outputs = families.untested_outputs.labels(*self._values)
        self._payloads = {
            (kind, outcome, reason): families.payloads.labels(*self._values, kind, outcome, reason or "")
            for kind in PAYLOAD_KINDS
            for outcome, reason in _outcomes()
        }
        self._detectors: tuple[dict[Kind, Counter], ...] = tuple({} for _ in families.by_kind)
        self._detector_rows, self._detector_skipped, self._detector_resets, self._hour_unknown = self._detectors
        for kind in PAYLOAD_KINDS:
            self._start_detector(kind)
        self._columns: set[str] = set()

    def count_request(self, code: str) -> None:
        """Count a request that ended with this status code; empty if it is unknown."""
        self._families.requests.count(self.model, code)

    def count_error(self, code: str) -> None:
        """Count the error of a request that was counted before its status code was known."""
        self._families.requests.count_error(self.model, code)

    def count_rows(self, code: str, rows: int) -> None:
        """Add the rows of a request that has been counted."""
        self._families.requests.add_rows(self.model, code, rows)

    def count_payload(self, kind: Kind, outcome: Outcome, reason: Reason | None = None, number: int = 1) -> None:
        """Count the outcome of one payload, or of several; only dropped and rejected ones have a `reason`."""
        self._payloads[kind, outcome, reason].inc(number)

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
        for family in families.by_model:
            family.remove(*self._values)
        for family in families.by_kind:
            for kind in self._detector_rows:
                family.remove(*self._values, kind)
        for kind, outcome, reason in self._payloads:
            families.payloads.remove(*self._values, kind, outcome, reason or "")
        for column in self._columns:
            families.missing.remove(*self._values, column)


def _outcomes() -> list[tuple[Outcome, Reason | None]]:
    lost = [(Outcome.DROPPED if reason.dropped else Outcome.REJECTED, reason) for reason in Reason]
    return [(Outcome.ACCEPTED, None), (Outcome.SAMPLED_OUT, None), *lost]
