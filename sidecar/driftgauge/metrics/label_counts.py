"""What became of labels, by model: counters by outcome, and how late labels came."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, final

from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.model_metrics import Distribution
from driftgauge.metrics.request_counts import MODEL_LABELS, model_labels

_HOUR, _DAY = 3_600, 86_400

DELAY_BUCKETS: Final = (
    1,
    10,
    60,
    300,
    1_800,
    _HOUR,
    4 * _HOUR,
    12 * _HOUR,
    *(days * _DAY for days in (1, 3, 7, 14, 30)),
)
"""In seconds, 1 s to 30 days: from a click that follows at once to a complaint at the end of a month."""

LABELLED, UNLABELLED, DROPPED = "labelled", "unlabelled", "dropped"
"""The values of the label `state`."""

QUEUED, EARLY = "queued", "early"
"""The values of the label `state` of labels that wait."""

_REMOVED_A_CALL: Final = 20
"""Models whose series are removed in one call."""


class _ModelLabels:
    """The counters of one model."""

    __slots__ = ("delay", "outcomes", "states")

    def __init__(self, outcomes: Sequence[str]) -> None:
        self.outcomes = Counter(dict.fromkeys(outcomes, 0))
        self.states = Counter({LABELLED: 0, UNLABELLED: 0, DROPPED: 0})
        self.delay = Distribution(DELAY_BUCKETS)


@final
class LabelCounts(Collector):
    """Counts labels by model. Keys of models must come from a bounded set.

    Args:
        registry: Where the families are registered.
        outcomes: What may become of a label: the values of the label `outcome`, each of which starts at 0.
    """

    def __init__(self, registry: CollectorRegistry, outcomes: Sequence[str]) -> None:
        self._outcomes = outcomes
        self._models: dict[ModelKey, _ModelLabels] = {}
        waiting = Gauge(
            "driftgauge_labels_waiting",
            "Labels that wait in this process: queued to be matched, or early, for a response that has not come yet.",
            ("state",),
            registry=registry,
        )
        self._waiting = {state: waiting.labels(state) for state in (QUEUED, EARLY)}
        registry.register(self)

    def start(self, model: ModelKey) -> None:
        """Start the series of a model at 0, unless they exist."""
        self._of(model)

    def show_waiting(self, queued: Callable[[], int], early: Callable[[], int]) -> None:
        """Show how many labels wait in this process.

        Args:
            queued: Returns how many wait to be matched; called in any thread.
            early: Returns how many wait for their response.
        """
        self._waiting[QUEUED].set_function(queued)
        self._waiting[EARLY].set_function(early)

    def count(self, model: ModelKey, outcome: str, number: int = 1) -> None:
        """Count what became of labels."""
        self._of(model).outcomes[outcome] += number

    def observe_delays(self, model: ModelKey, seconds: Iterable[float]) -> None:
        """Count times from responses to their labels, in seconds; a clock that is wrong may make one negative."""
        delay = self._of(model).delay
        for one in seconds:
            delay.observe(max(0.0, one))

    def count_rows(self, model: ModelKey, *, labelled: int = 0, unlabelled: int = 0, dropped: int = 0) -> None:
        """Count rows that were judged, rows that no label came for in time, and responses that could not wait."""
        states = self._of(model).states
        states[LABELLED] += labelled
        states[UNLABELLED] += unlabelled
        states[DROPPED] += dropped

    def delay_within(self, model: ModelKey, share: float) -> float | None:
        """The least bucket's bound within which this share of a model's labels came, in seconds; `None` without any."""
        known = self._models.get(model)
        buckets = [] if known is None else known.delay.cumulative()[0]
        if not buckets or not buckets[-1][1]:
            return None
        return next(float(bound) for bound, number in buckets if number >= share * buckets[-1][1])

    def retain(self, models: Container[ModelKey]) -> None:
        """Remove the series of models that are not in `models`, at most of 20 in a call."""
        for model in list(islice((model for model in self._models if model not in models), _REMOVED_A_CALL)):
            del self._models[model]

    def collect(self) -> Iterator[Metric]:
        """Two counters and a histogram."""
        labels = CounterMetricFamily(
            "driftgauge_labels_total", "Labels by what became of them.", labels=(*MODEL_LABELS, "outcome")
        )
        delay = HistogramMetricFamily(
            "driftgauge_label_delay_seconds", "Time from a response to its label.", labels=MODEL_LABELS
        )
        rows = CounterMetricFamily(
            "driftgauge_outcomes_total",
            "Labels of rows that were judged, rows that no label came for in time, and responses that could not wait.",
            labels=(*MODEL_LABELS, "state"),
        )
        for model, one in sorted(self._models.items()):  # a copy: scrapes run in a thread while models are added
            values = model_labels(model)
            for outcome, number in one.outcomes.items():
                labels.add_metric((*values, outcome), number)
            buckets, total = one.delay.cumulative()
            delay.add_metric(values, buckets, total)
            for state, number in one.states.items():
                rows.add_metric((*values, state), number)
        yield from (labels, delay, rows)

    def _of(self, model: ModelKey) -> _ModelLabels:
        found = self._models.get(model)
        if found is None:
            found = self._models[model] = _ModelLabels(self._outcomes)
        return found
