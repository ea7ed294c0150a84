"""Six invented hours of two models as OpenMetrics text, which promtool turns into the blocks of a Prometheus.

The real metric families and the real tests run minute by minute with a manual clock; only the rows are invented. Wine
gets a new reference at 01:00, drifts slowly from 02:30 to 03:50, has a fault in its sulphates from 04:50 on, and fails
for a quarter of an hour at 05:10. Its predictions follow its alcohol. Labels of both come a while later; from 04:20 on
half of the qualities of wine are others than before, so that performance and concept drift; its prices, a second
output, stay as right as they were. Cheese does not change, has a
small reference, and has no requests after 05:30. At the end wine still drifts.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.errors import Reason
from driftgauge.events.model_changes import EVENT_TYPES
from driftgauge.inference.payload import Kind, ModelKey, Outcome
from driftgauge.metrics.event_counts import EventOutcome
from driftgauge.metrics.registry import Metrics
from driftgauge.protocol.category import code
from driftgauge.results.latest import LatestEvaluations, ReferenceFacts
from driftgauge.results.latest_outcomes import LatestOutcomes
from driftgauge.storage.labels import LabelOutcome
from tests.support.cluster_exporter import page
from tests.support.labelled_stream import LabelledStream
from tests.support.watched_stream import BUDGET, WINDOW_ROWS, Columns, Floats, Stream

MINUTES = 360
STEP_SECONDS = 60
WINE = ModelKey("cellar", "wine", "predictor", "wine")
CHEESE = ModelKey("cellar", "cheese", "predictor", "cheese")

_ROWS = 60  # a minute
_BASELINE_ROWS = 600
_TARGET = {"job": "driftgauge-proxy", "instance": "10.0.0.7:9464"}
_NEW_REFERENCE, _SLIDE, _SETTLED, _FAULT, _FAILURE, _SILENCE = 60, 150, 230, 290, range(310, 325), 330
_TASTE = 260
_MEBIBYTE = 2.0**20

_GRAPES, _CLASSES = ("merlot", "syrah", "malbec"), ("0", "1")
_NUMBER, _CATEGORY = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL
_TEXTS = {code(text): text for text in (*_GRAPES, *_CLASSES)}
_WINE = Columns(("alcohol", "ph", "sulphates", "grape"), (_NUMBER, _NUMBER, _NUMBER, _CATEGORY), _TEXTS)
_QUALITY = Columns(
    ("quality_0", "quality_1", "quality_confidence", "quality_class", "price"),
    (_NUMBER, _NUMBER, _NUMBER, _CATEGORY, _NUMBER),
    _TEXTS,
)
_CHEESE = Columns(("fat", "salt"), (_NUMBER, _NUMBER), {})
_RIPENESS = Columns(("prediction",), (_NUMBER,), {})


def _wine_rows(dice: np.random.Generator, minute: int, rows: int) -> Floats:
    """Alcohol rises by 0.01 a minute for 80 minutes; from the fault on, sulphates are 1.3 times as large."""
    grapes = dice.choice([code(grape) for grape in _GRAPES], size=rows, p=[0.5, 0.3, 0.2])
    found = np.column_stack([dice.normal((10.0, 3.3, 0.6), (1.0, 0.15, 0.1), size=(rows, 3)), grapes])
    found[:, 0] += 0.01 * max(0, min(minute, _SETTLED) - _SLIDE)
    if minute >= _FAULT:
        found[:, 2] *= 1.3
    found[dice.random(rows) < 0.02, 1] = np.nan
    return found


def _qualities(wines: Floats) -> Floats:
    """The scores of two classes, computed from the alcohol, the larger one, and its class; the price, from the pH."""
    good = 1 / (1 + np.exp(10.5 - wines[:, 0]))
    classes = np.array([code(text) for text in _CLASSES])[(good > 1 - good).astype(np.intp)]
    prices = 45 - 10 * np.nan_to_num(wines[:, 1], nan=3.3)
    return np.column_stack([1 - good, good, np.maximum(good, 1 - good), classes, prices])


def _wine_labels(dice: np.random.Generator, minute: int, qualities: Floats) -> Floats:
    """A class as likely as its score says, or from the change of taste on half of them the other one; and a price."""
    good = dice.random(len(qualities)) < qualities[:, 1]
    good ^= (dice.random(len(qualities)) < 0.5) & (minute >= _TASTE)
    classes = np.array([code(text) for text in _CLASSES])[good.astype(np.intp)]
    return np.column_stack([classes, qualities[:, -1] + dice.normal(0, 0.5, size=len(qualities))])


def _cheese_rows(dice: np.random.Generator, minute: int, rows: int) -> Floats:
    """Rows without any change, and none from the silence on."""
    return dice.normal((28.0, 1.6), (3.0, 0.2), size=(rows if minute < _SILENCE else 0, 2))


def _ripeness(cheeses: Floats) -> Floats:
    """One number, computed from the fat."""
    return 3 + cheeses[:, :1] / 10


def _cheese_labels(dice: np.random.Generator, ripeness: Floats) -> Floats:
    """The predicted number, and an error."""
    labels: Floats = ripeness[:, 0] + dice.normal(0, 0.2, size=len(ripeness))
    return labels


@dataclass
class _Model:
    """One model's streams, and its metrics."""

    key: ModelKey
    inputs: Stream
    outputs: Stream
    labelled: LabelledStream
    metrics: Metrics
    dice: np.random.Generator
    digest: str = ""
    names: tuple[str, ...] = field(default_factory=tuple)

    def compare_with(self, rows: Floats, digest: str, now: float) -> None:
        """Use another reference, without predictions; a new baseline must follow."""
        self.digest = digest
        needed = BUDGET.rows_needed(WINDOW_ROWS, rows.shape[1])
        path = f"/mnt/reference/{self.key.inference_service}.csv"
        facts = ReferenceFacts(len(rows), digest, path, now, rows_needed=needed if needed > len(rows) else 0)
        self.inputs.compare_with(rows, facts)

    def take_baseline(self, now: float) -> None:
        """Use the newest responses as reference of the predictions."""
        rows = self.outputs.window[-_BASELINE_ROWS:]
        path = f"first {len(rows)} responses"
        self.outputs.compare_with(rows, ReferenceFacts(len(rows), self.digest[:16], path, now, source="baseline"))

    def serve(self, rows: Floats, responses: Floats, now: float, failed: int, latency_factor: float) -> None:
        """Count a minute's requests, each of one row."""
        series = self.metrics.model(self.key)
        for number in range(len(rows)):
            series.count_request("500" if number < failed else "200")
            series.exchanges.latency.observe(latency_factor * self.dice.gamma(4, 0.005))
            series.exchanges.overhead.observe(self.dice.gamma(4, 0.00004))
            series.count_payload(Kind.REQUEST, Outcome.ACCEPTED)
            series.count_payload(Kind.RESPONSE, Outcome.ACCEPTED)
        series.exchanges.request_bytes += 180 * len(rows)
        series.exchanges.response_bytes += 40 * len(rows)
        series.rows.inc(len(rows))
        series.exchanges.in_flight = int(latency_factor)
        series.count_missing(self.names, np.count_nonzero(np.isnan(rows), axis=0))
        if failed:
            series.count_payload(Kind.REQUEST, Outcome.DROPPED, Reason.QUEUE_FULL)
            series.unpaired.inc()
        self.inputs.append(rows, now)
        self.outputs.append(responses, now)

    def label(self, responses: Floats, labels: Floats, now: float) -> None:
        """Bring the labels of a minute's responses."""
        rows = np.column_stack([responses, labels])
        self.labelled.append(rows, now, self.dice.gamma(2, 300, size=len(rows)))

    def test(self, now: float) -> None:
        """Publish reports on all windows."""
        self.inputs.test(now)
        self.outputs.test(now)
        self.labelled.test(now, waiting=40)


def openmetrics(end: float) -> str:
    """The history up to a time in seconds since the epoch: families together, samples in order of time."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for now, families in _minutes(end):
        for family in families:
            kept = lines[f"# TYPE {family.name} {family.type}"]
            kept.extend(_line(sample, now) for sample in family.samples)
    return "".join(f"{head}\n" + "".join(samples) for head, samples in lines.items()) + "# EOF\n"


def _minutes(end: float) -> Iterator[tuple[float, list[Metric]]]:
    """Time and families, minute by minute."""
    start = end - MINUTES * STEP_SECONDS
    clock = {"now": start}
    latest = LatestEvaluations(90, lambda: clock["now"])
    metrics = Metrics("200")
    metrics.watch_evaluations(latest)
    outcomes = LatestOutcomes(90, lambda: clock["now"])
    counts = metrics.watch_outcomes(outcomes)
    labels = metrics.watch_labels(list(LabelOutcome))
    labels.show_waiting(lambda: 40, lambda: 12)
    metrics.watch_queue(lambda: 3, 1024)
    redis_up, redis_errors = metrics.watch_redis()
    redis_up.labels("ping").set(1)
    redis_errors.labels("ping")
    metrics.watch_leases(lambda: [WINE], lambda: [WINE])
    metrics.watch_forwarding().add("http://archive/events", lambda: 12, lambda: 30_000).count(None, 1)
    events = metrics.watch_events(EVENT_TYPES)
    events.count("io.driftgauge.drift.detected", EventOutcome.SENT)
    events.show_pending(lambda: 0)
    metrics.watch_resending()[1].labels("responded")
    metrics.unauthorized_requests.labels("data").inc()
    metrics.failed_handshakes.labels("data", "closed").inc()
    dice = np.random.default_rng(20261123)
    wine, cheese = (
        _model(
            key, *columns, metrics, latest, dice, LabelledStream(key, labelled, columns[1], outcomes, labels, counts)
        )
        for key, columns, labelled in (
            (WINE, (_WINE, _QUALITY), {"quality": _CATEGORY, "price": _NUMBER}),
            (CHEESE, (_CHEESE, _RIPENESS), {"prediction": _NUMBER}),
        )
    )
    wine.compare_with(_wine_rows(dice, 0, 1000), "4f1c" * 16, start)
    cheese.compare_with(_cheese_rows(dice, 0, 300), "9ab0" * 16, start)
    _compare_labels(wine, cheese, dice, start)
    for minute in range(MINUTES):
        now = clock["now"] = start + minute * STEP_SECONDS
        _run_minute(wine, cheese, minute, now)
        yield (
            now,
            [
                *(one for one in metrics.registry.collect() if not one.name.startswith("process_")),
                *_other_families(minute),
            ],
        )


def _compare_labels(wine: _Model, cheese: _Model, dice: np.random.Generator, start: float) -> None:
    """Give both models a reference of labels."""
    qualities = _qualities(_wine_rows(dice, 0, 2000))
    ripeness = _ripeness(_cheese_rows(dice, 0, 2000))
    for model, rows in (
        (wine, np.column_stack([qualities, _wine_labels(dice, 0, qualities)])),
        (cheese, np.column_stack([ripeness, _cheese_labels(dice, ripeness)])),
    ):
        path = f"/mnt/reference/{model.key.inference_service}.csv"
        model.labelled.compare_with(rows, ReferenceFacts(len(rows), "5d3e" * 16, path, start))


def _model(  # noqa: PLR0913, PLR0917 - each part once
    key: ModelKey,
    inputs: Columns,
    outputs: Columns,
    metrics: Metrics,
    latest: LatestEvaluations,
    dice: np.random.Generator,
    labelled: LabelledStream,
) -> _Model:
    values = PValues()
    streams = (
        Stream(key, Kind.REQUEST, inputs, metrics, latest, values),
        Stream(key, Kind.RESPONSE, outputs, metrics, latest, values),
    )
    return _Model(key, *streams, labelled, metrics, dice, names=inputs.names)


def _run_minute(wine: _Model, cheese: _Model, minute: int, now: float) -> None:
    """Serve and test the rows of one minute."""
    failing = minute in _FAILURE
    if minute == _NEW_REFERENCE:
        wine.compare_with(_wine_rows(wine.dice, minute, 1000), "c07e" * 16, now)
    wines = _wine_rows(wine.dice, minute, _ROWS)
    qualities = _qualities(wines)
    wine.serve(wines, qualities, now, 12 if failing else 0, 6 if failing else 1)
    wine.label(qualities, _wine_labels(wine.dice, minute, qualities), now)
    cheeses = _cheese_rows(cheese.dice, minute, _ROWS // 2)
    ripeness = _ripeness(cheeses)
    cheese.serve(cheeses, ripeness, now, 0, 1)
    cheese.label(ripeness, _cheese_labels(cheese.dice, ripeness), now)
    for model, minutes in ((wine, (10, _NEW_REFERENCE)), (cheese, (5,))):
        if minute in minutes:
            model.take_baseline(now)
        model.test(now)


def _other_families(minute: int) -> list[Metric]:
    """The families that a scrape of the process, of Prometheus itself and of the node would add."""
    seconds = minute * STEP_SECONDS
    numbers = {
        ("up", "gauge"): 1.0,
        ("process_cpu_seconds", "counter"): 0.02 * seconds,
        ("process_resident_memory_bytes", "gauge"): (90 + 4 * math.sin(minute / 30)) * _MEBIBYTE,
        ("process_open_fds", "gauge"): 24.0,
        ("process_max_fds", "gauge"): 1024.0,
    }
    found = []
    for (name, kind), value in numbers.items():
        family = Metric(name, "", kind)
        family.add_sample(name + ("_total" if kind == "counter" else ""), {}, value)
        found.append(family)
    pods = page("cellar", "wine-predictor-6d4cf56db6-x2x7p", minute)
    return found + list(text_string_to_metric_families(pods))


def _line(sample: Sample, now: float) -> str:
    """One sample, with the labels of its target unless it has the label `pod`."""
    own = {name: value for name, value in sample.labels.items() if value}
    labels = own if "pod" in own else own | _TARGET
    text = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{sample.name}{{{text}}} {floatToGoString(sample.value)} {now:.3f}\n"
