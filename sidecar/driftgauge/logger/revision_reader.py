"""Reads the revision of the pod that sent an event, from the annotations that KServe's agent passes on."""

from functools import lru_cache
from typing import Final, final

from driftgauge.cloudevents.event import Event, annotation_of
from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.revisions import read_revision
from driftgauge.metrics.loss_log import LossLog
from driftgauge.metrics.registry import Metrics

_MAX_CACHED: Final = 1_000
_MAX_CACHED_CHARS: Final = 1_000
"""Longest annotations that are cached, so that untrusted senders can fill the cache with 1 MB at most."""


@final
class RevisionReader:
    """Reads one annotation of events. Annotations that cannot be read are counted and logged, and lose no event.

    Args:
        annotation: The name of the annotation.
        metrics: Counts the events whose annotations cannot be read.
    """

    def __init__(self, annotation: str, metrics: Metrics) -> None:
        self._annotation = annotation
        self._unreadable = metrics.unreadable_annotations
        self._log = LossLog()
        self._cached = lru_cache(_MAX_CACHED)(self._parse)  # all events of a pod have the same annotations

    def read(self, event: Event) -> str:
        """The revision of the pod that sent an event; empty if the event does not have it, or it cannot be read."""
        text, service = event.annotations, event.inference_service
        if not text:
            return ""
        try:
            if isinstance(text, str) and len(text) <= _MAX_CACHED_CHARS:
                return self._cached(text, service)
            return self._parse(text, service)
        except PayloadError as error:
            self._unreadable.inc()
            sentence = f"{error} (events of {event.namespace}/{service})"
            self._log.add("the revision of events is not known", sentence)
            return ""

    def _parse(self, annotations: object, inference_service: str) -> str:
        text = annotation_of(annotations, self._annotation)
        if not text.isprintable():
            raise PayloadError(Reason.MALFORMED, f"The annotation {self._annotation} has control characters.")
        return read_revision(text, inference_service)
