"""The registry with all metric families, the series of each model, and the response to a scrape.

Rendering a scrape takes tens of milliseconds, so the admin server does it in a thread.
"""

import gzip
import platform
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qs

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Metric,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from driftgauge import __version__
from driftgauge.build_kind import build_kind
from driftgauge.http1.accept_encoding import takes_gzip
from driftgauge.inference.payload import ModelKey, is_of_many_models, is_overflow
from driftgauge.inference.sample_ratio import Carried, ModelSample
from driftgauge.metrics.drift_gauges import MAX_FEATURES, DriftGauges
from driftgauge.metrics.event_counts import EventCounts
from driftgauge.metrics.forward_counts import ForwardCounts
from driftgauge.metrics.label_counts import LabelCounts
from driftgauge.metrics.lease_gauges import LeaseGauges, ListModels
from driftgauge.metrics.model_metrics import Families, ModelMetrics, TrafficTotals
from driftgauge.metrics.outcome_counts import OutcomeCounts
from driftgauge.metrics.outcome_gauges import OutcomeGauges
from driftgauge.metrics.sample_gauges import SampleGauges
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes

_REMOVED_A_CALL = 20
"""Models whose series are removed in one call: some 5 ms."""


class Metrics:
    """Everything that `/metrics` shows.

    Args:
        code: Status code of a usual request: `200` in the proxy, empty in the logger, which sees no status codes.
        sample_ratio: The configured share of the inferences that are read, in [0, 1].

    Attributes:
        registry: Has all families.
        carried: What the sample ratios of all models have in common.
    """

    def __init__(self, code: str, sample_ratio: float = 1.0) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.carried = Carried()
        self._code = code
        self._sample_ratio = sample_ratio
        self._families = Families(self.registry)
        self.refused_connections = Counter(
            "driftgauge_refused_connections_total",
            "Connections to the data port that were refused, because max_connections were open.",
            registry=self.registry,
        )
        self.refused_models = Counter(
            "driftgauge_refused_models_total",
            "Events and requests of models that are counted as (other), because max_models have places.",
            registry=self.registry,
        )
        self.refused_revisions = Counter(
            "driftgauge_refused_revisions_total",
            "Events of revisions that are counted as (other), because too many revisions of their model have requests.",
            registry=self.registry,
        )
        self.unreadable_annotations = Counter(
            "driftgauge_unreadable_annotations_total",
            "Events whose annotations cannot be read, so that their revision is unknown; their payloads are used.",
            registry=self.registry,
        )
        self.unauthorized_requests = Counter(
            "driftgauge_unauthorized_requests_total",
            "Requests that were refused with 401, because they present no token that is valid.",
            ("port",),
            registry=self.registry,
        )
        self.failed_handshakes = Counter(
            "driftgauge_tls_handshake_failures_total",
            "TLS handshakes that failed.",
            ("port", "reason"),
            registry=self.registry,
        )
        self._labels: LabelCounts | None = None
        self._skipped_keys: Counter | None = None
        self._replaced_keys: Counter | None = None
        self._unreadable_results: Counter | None = None
        self._models: dict[ModelKey, ModelMetrics] = {}
        self.registry.register(SampleGauges(self.samples))
        self._set_build_info()
        ProcessCollector(registry=self.registry)

    def model(self, key: ModelKey) -> ModelMetrics:
        """Get the series of a model; the first call starts them. Keys must come from a bounded set."""
        series = self._models.get(key)
        if series is None:
            sample = ModelSample(key, self.carried, self._sample_ratio)
            series = self._models[key] = ModelMetrics(key, self._families, self._code, sample)
            self._start_labels(key)
        return series

    def find(self, key: ModelKey) -> ModelMetrics | None:
        """The series of a model; `None` if it has none."""
        return self._models.get(key)

    def samples(self) -> list[ModelSample]:
        """What decides of the inferences of each model. May be called from any thread."""
        return [series.sample for series in list(self._models.values())]

    def traffic_totals(self) -> dict[ModelKey, TrafficTotals]:
        """The traffic of each model with a revision since the start."""
        totals = self._families.requests.totals()
        return {
            model: TrafficTotals(*totals.get(model, (0, 0)), series.exchanges.fine_latency.counts)
            for model, series in self._models.items()
            if model.revision and not is_overflow(model)
        }

    def retain(self, models: Container[ModelKey]) -> None:
        """Remove the series of models that are not in `models`, at most of 20 in a call; keys of many models stay."""
        gone = (key for key in self._models if key not in models and not is_of_many_models(key))
        for key in list(islice(gone, _REMOVED_A_CALL)):
            self._models.pop(key).remove()

    def watch_evaluations(self, latest: LatestEvaluations, max_features: int = MAX_FEATURES) -> None:
        """Show the newest evaluations.

        Args:
            latest: Where they are.
            max_features: Columns of a model's requests, and of its responses, with series of their own; at least 1.
        """
        self.registry.register(DriftGauges(latest, max_features))

    def watch_outcomes(self, latest: LatestOutcomes) -> OutcomeCounts:
        """Show the newest results on labelled predictions, and return the counters of labelled rows.

        Args:
            latest: Where they are.
        """
        self.registry.register(OutcomeGauges(latest))
        return OutcomeCounts(self.registry)

    def watch_queue(self, waiting: Callable[[], int], capacity: int) -> None:
        """Show how full the queue in front of the pipeline is."""
        depth = Gauge("driftgauge_queue_payloads", "Payloads that wait for the pipeline.", registry=self.registry)
        depth.set_function(waiting)
        Gauge("driftgauge_queue_capacity", "Payloads that the queue can hold.", registry=self.registry).set(capacity)

    def watch_resending(self) -> tuple[Gauge, Counter]:
        """Return a gauge (1 while no request is sent again) and a counter by outcome, for the caller to set."""
        suspended = Gauge(
            "driftgauge_resend_suspended",
            "1 while no request is sent again, because a second try failed in the last minute; else 0.",
            registry=self.registry,
        )
        resent = Counter(
            "driftgauge_resent_requests",
            "Requests that were sent again on a new connection, after the end of an idle one, by what became of them.",
            ("outcome",),
            registry=self.registry,
        )
        return suspended, resent

    def watch_redis(self) -> tuple[Gauge, Counter]:
        """Return a gauge (1 while calls succeed, else 0) and a counter of failures, both by kind of call, to be set."""
        up = Gauge(
            "driftgauge_redis_up",
            "1 if the last call of this kind to Redis succeeded, else 0.",
            ("call",),
            registry=self.registry,
        )
        errors = Counter(
            "driftgauge_redis_errors_total",
            "Calls to Redis that failed, by kind of call.",
            ("call",),
            registry=self.registry,
        )
        self._skipped_keys = Counter(
            "driftgauge_redis_skipped_keys_total",
            "Keys in Redis that were skipped when models were restored, because their names are malformed.",
            registry=self.registry,
        )
        self._replaced_keys = Counter(
            "driftgauge_redis_replaced_keys_total",
            "Keys in Redis that were replaced, because their values are not of driftgauge, or cannot be used.",
            registry=self.registry,
        )
        self._unreadable_results = Counter(
            "driftgauge_unreadable_results_total",
            "Results in Redis that are not shown, because they are damaged or of another program.",
            registry=self.registry,
        )
        return up, errors

    def watch_labels(self, outcomes: Sequence[str]) -> LabelCounts:
        """Return the families of labels, for the caller to count; each model's series start at 0.

        Args:
            outcomes: What may become of a label.
        """
        self._labels = LabelCounts(self.registry, outcomes)
        for model in self._models:
            self._start_labels(model)
        return self._labels

    def _start_labels(self, model: ModelKey) -> None:
        if self._labels is not None and not is_overflow(model):
            self._labels.start(model)

    def watch_forwarding(self) -> ForwardCounts:
        """Return the families of the events that are sent on to other loggers, for the caller to count."""
        return ForwardCounts(self.registry)

    def watch_events(self, types: Sequence[str]) -> EventCounts:
        """Return the families of the events on changes of verdicts, for the caller to count.

        Args:
            types: The types of all events.
        """
        return EventCounts(self.registry, types)

    def count_skipped_keys(self, number: int) -> None:
        """Count keys in Redis that were skipped; without Redis do nothing."""
        if self._skipped_keys is not None:
            self._skipped_keys.inc(number)

    def watch_leases(self, evaluated: ListModels, known: ListModels) -> None:
        """Show which models this replica evaluates.

        Args:
            evaluated: Returns those whose lease it holds.
            known: Returns all that it knows.
        """
        self.registry.register(LeaseGauges(evaluated, known))

    def count_unreadable_result(self) -> None:
        """Count a result of another replica that cannot be read; without Redis do nothing."""
        if self._unreadable_results is not None:
            self._unreadable_results.inc()

    def count_replaced_key(self) -> None:
        """Count a key in Redis that was replaced; without Redis do nothing."""
        if self._replaced_keys is not None:
            self._replaced_keys.inc()

    def _set_build_info(self) -> None:
        info = Gauge(
            "driftgauge_build_info",
            "The version of driftgauge and of Python, and whether the data plane is compiled.",
            ("version", "python_version", "build"),
            registry=self.registry,
        )
        info.labels(__version__, platform.python_version(), build_kind()).set(1)


class Scrape(NamedTuple):
    """The response to a scrape.

    Args:
        headers: The header fields.
        body: All families in text, compressed if the scraper accepts gzip.
    """

    headers: dict[str, str]
    body: bytes


class _Selection(Collector):
    """The samples with certain names.

    The library's `restricted_registry` finds only those of collectors that announce their names beforehand, which ours
    do not.

    Args:
        registry: What is selected from.
        names: The names of the samples.
    """

    def __init__(self, registry: CollectorRegistry, names: Container[str]) -> None:
        self._registry = registry
        self._names = names

    def collect(self) -> Iterator[Metric]:
        """Each family with such samples, with these alone."""
        for family in self._registry.collect():
            samples = [sample for sample in family.samples if sample.name in self._names]
            if samples:
                selected = Metric(family.name, family.documentation, family.type, family.unit)
                selected.samples = samples
                yield selected


def render_scrape(registry: CollectorRegistry, accept: str, accept_encoding: str, query: str) -> Scrape:
    """Render the families of a registry; may be called from any thread.

    Args:
        registry: What is scraped.
        accept: The header `Accept`, which chooses the format; empty without one.
        accept_encoding: The header `Accept-Encoding`; empty without one.
        query: The query, which may select sample names by `name[]`.
    """
    encode, content_type = choose_encoder(accept)
    names = parse_qs(query).get("name[]")
    body = encode(registry if names is None else _Selection(registry, frozenset(names)))
    headers = {"Content-Type": content_type}
    if takes_gzip(accept_encoding):
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    return Scrape(headers, body)
