"""The registry with all families, and one `ModelMetrics` for each model."""

import platform
import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)

from driftgauge import __version__
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.drift_gauges import MAX_FEATURES, DriftGauges
from driftgauge.metrics.model_metrics import Families, ModelMetrics


class Metrics:
    """Everything that `/metrics` shows.

    Args:
        code: Status code of a usual request: `200` in the proxy, empty in the logger, which hears of none.
        stale_seconds: Age in seconds at which an evaluation is no longer shown.
        clock: Tells the time in seconds since the epoch.
        max_features: Columns of a model's requests, and of its responses, with series of their own; at least 1.
    """

    def __init__(
        self,
        code: str,
        stale_seconds: float,
        clock: Callable[[], float] = time.time,
        max_features: int = MAX_FEATURES,
    ) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.drift = DriftGauges(stale_seconds, clock, max_features)
        self.registry.register(self.drift)
        self._code = code
        self._families = Families(self.registry)
        self._models: dict[ModelKey, ModelMetrics] = {}
        self._set_build_info()
        ProcessCollector(registry=self.registry)

    def model(self, key: ModelKey) -> ModelMetrics:
        """The series of a model, made at its first mention. Keys must come from a capped set."""
        found = self._models.get(key)
        if found is None:
            found = self._models[key] = ModelMetrics(key, self._families, self._code)
        return found

    def watch_queue(self, waiting: Callable[[], int], capacity: int) -> None:
        """Show how full the queue between the doors and the pipeline is."""
        depth = Gauge("driftgauge_queue_payloads", "Payloads that wait for the pipeline.", registry=self.registry)
        depth.set_function(waiting)
        Gauge("driftgauge_queue_capacity", "Payloads that the queue can hold.", registry=self.registry).set(capacity)

    def watch_redis(self) -> tuple[Gauge, Counter]:
        """Show whether Redis answers: a gauge (1 or 0) and a counter of failures, for the caller to move."""
        up = Gauge("driftgauge_redis_up", "1 if the last call to Redis succeeded, else 0.", registry=self.registry)
        errors = Counter("driftgauge_redis_errors_total", "Calls to Redis that failed.", registry=self.registry)
        return up, errors

    def _set_build_info(self) -> None:
        info = Gauge(
            "driftgauge_build_info",
            "Which driftgauge this is.",
            ("version", "python_version"),
            registry=self.registry,
        )
        info.labels(__version__, platform.python_version()).set(1)
