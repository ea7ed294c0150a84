"""Recognises the events of inferences among those of other requests.

KServe's agent sends events for every request that is no probe of Kubernetes: GETs of health, metadata and metrics
too. An event contains neither method nor path. A GET has no body, so its request event is empty; the event of its
response is not, and looks like that of a prediction.

Source: KServe, `pkg/logger/handler.go`.
"""

from collections.abc import Callable
from typing import Final, final

from driftgauge.cloudevents.event import Event
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.fair_table import FairTable

_CAPACITY: Final = 20_000
"""Most requests that are remembered: 5 MB."""


@final
class InferenceFilter:
    """Remembers requests without a body until their responses come.

    Args:
        ttl_seconds: How long a request is remembered.
        clock: Monotonic time in seconds.
    """

    def __init__(self, ttl_seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._has_body: FairTable[ModelKey, str, bool] = FairTable(_CAPACITY, ttl_seconds)

    def is_inference(self, model: ModelKey, event: Event) -> bool:
        """Whether an event is that of an inference.

        Args:
            model: The model that counts the event.
            event: The event.

        Notes:
            A request is one if it has a body. A response is one if its request had a body. If the request is not known,
            because the response was faster or the request came to another replica, the content type decides: the agent
            copies it from the request, and a GET usually has none. So only the requests that are special are
            remembered: those without a body, and those with a body but no content type.
        """
        if event.kind is Kind.REQUEST or not event.body:
            return bool(event.body)
        has_body = self._has_body.get(model, event.id, self._clock())
        return event.has_content_type if has_body is None else has_body

    def record(self, model: ModelKey, event: Event) -> None:
        """Remember a request until its response comes; do nothing for a response."""
        if event.kind is Kind.RESPONSE:
            return
        if event.body and event.has_content_type:
            self._has_body.pop(model, event.id)  # an id that is used again
            return
        now = self._clock()
        self._has_body.pop_expired(now)
        self._has_body.put(model, event.id, bool(event.body), now)
