"""The names that a scrape of driftgauge can hold."""

from driftgauge.events.model_changes import EVENT_TYPES
from driftgauge.metrics.registry import Metrics
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes
from driftgauge.storage.labels import LabelOutcome
from tests.support.models import WINE

_ENDINGS = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
    "summary": ("_count", "_sum"),
}


def sample_names() -> set[str]:
    """The names of all samples of all families, in both modes, with Redis."""
    metrics = Metrics("200")
    metrics.watch_evaluations(LatestEvaluations(90))
    metrics.watch_outcomes(LatestOutcomes(90))
    metrics.model(WINE)
    metrics.watch_queue(lambda: 0, 1)
    metrics.watch_redis()
    metrics.watch_leases(list, list)
    metrics.watch_forwarding()
    metrics.watch_events(EVENT_TYPES)
    metrics.watch_labels([*LabelOutcome])
    metrics.watch_resending()
    return {family.name + ending for family in metrics.registry.collect() for ending in _ENDINGS[family.type]}
