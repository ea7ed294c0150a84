"""A receiver that listens, with what it offered, and the headers of KServe's agent."""

from collections.abc import Callable, Sequence

from driftgauge.http1.heads import RequestHead
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import OVERFLOW, ModelKey, PairObservation, Payload
from driftgauge.logger.fan_out.fan_out import FanOut
from driftgauge.logger.fan_out.target import ForwardLimits
from driftgauge.logger.inference_filter import InferenceFilter
from driftgauge.logger.pair_sampling import PairSampling
from driftgauge.logger.receiver import Receiver
from driftgauge.logger.revision_reader import RevisionReader
from driftgauge.metrics.registry import Metrics
from driftgauge.outgoing.retry import Backoff
from driftgauge.server.timeouts import Timeouts
from tests.support.models import WINE, labels

LIMIT = 2 * 2**20
FORWARD_LIMITS = ForwardLimits(1_000, 2**24, seconds=20, backoff=Backoff(0.001, 0.01), attempt_seconds=10)
NOW = 1_795_410_000.0
"""After the time of the events below."""


def headers(kind: str = "request", model: ModelKey = WINE, more: dict[str, str] | None = None) -> dict[str, str]:
    """The headers of an event as KServe's agent 0.18 and later writes them."""
    return {
        "Ce-Specversion": "1.0",
        "Ce-Id": "a1",
        "Ce-Type": f"org.kubeflow.serving.inference.{kind}",
        "Ce-Source": "http://localhost:9081/",
        "Ce-Time": "2026-11-23T04:50:06.703447869Z",
        "Ce-Recordedtime": "2026-11-23T04:50:06.703448179Z",
        "Ce-Inferenceservicename": model.inference_service,
        "Ce-Namespace": model.namespace,
        "Ce-Component": model.component,
        "Ce-Endpoint": "",
        "Ce-Metadata": "{}",
        "Content-Type": "application/json",
        **(more or {}),
    }


class ListeningReceiver:
    """A receiver that listens, and what it offered.

    Args:
        timeouts: Limits of time for senders.
        max_connections: Connections that may be open at once.
        models: The models that may have series; ten by default.
        urls: Where each event is sent on to.
        authorize: Returns whether the head of a request presents a valid token.
        metrics: Where requests are counted; new ones by default.
    """

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        max_connections: int = 100,
        models: KnownModels | None = None,
        urls: Sequence[str] = (),
        authorize: Callable[[RequestHead], bool] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.payloads: list[Payload] = []
        self.observations: list[PairObservation] = []
        self.metrics = Metrics("") if metrics is None else metrics
        self.models = KnownModels(10) if models is None else models
        self.is_new: bool | None = True
        self.fan_out = FanOut(urls, FORWARD_LIMITS, self.metrics.watch_forwarding())
        self.receiver = Receiver(
            offer=self.payloads.append,
            pair=self._pair,
            send_on=self.fan_out.offer,
            metrics=self.metrics,
            models=self.models,
            inferences=InferenceFilter(300, lambda: NOW),
            revisions=RevisionReader("driftgauge/revision", self.metrics),
            sampling=PairSampling(300, lambda: NOW),
            max_event_bytes=LIMIT,
            budget_bytes=2 * LIMIT,
            max_connections=max_connections,
            authorize=authorize,
            clock=lambda: NOW,
            timeouts=timeouts or Timeouts(),
        )
        self.url = ""

    def _pair(self, observation: PairObservation) -> bool:
        self.observations.append(observation)
        if self.is_new is None:
            raise RuntimeError("the pairing breaks")
        return self.is_new

    @property
    def observed(self) -> list[tuple[ModelKey, str, str, float | None, bool]]:
        """The halves that were passed to the pairing: model, id, kind, time, and whether the time is the true one."""
        return [(one.model, one.id, one.kind, one.event_time, one.true_time) for one in self.observations]

    @property
    def budget_bytes(self) -> int:
        """Free bytes of the budget for incoming bodies."""
        return self.receiver.budget.free_bytes

    def value(self, name: str, model: ModelKey = WINE, **more: str) -> float | None:
        """One sample of a model."""
        return self.metrics.registry.get_sample_value(name, labels(model, **more))

    def rejected(self, reason: str, model: ModelKey = OVERFLOW, kind: str = "request") -> float | None:
        """How many payloads of a model were rejected for a reason."""
        return self.value("driftgauge_payloads_total", model, kind=kind, outcome="rejected", reason=reason)
