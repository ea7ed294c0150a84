"""The metrics of events that are sent on to other loggers."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, final

from prometheus_client import CollectorRegistry, Counter, Gauge

SENT: Final = "sent"
DROPPED: Final = "dropped"


class ForwardLoss(StrEnum):
    """Why an event was not sent on to a target. A closed set, since it is the value of a metric label."""

    QUEUE_FULL = "queue_full"
    """As many events or bytes wait for the target as may."""

    UNREACHABLE = "unreachable"
    """Its time was over; the last attempt found no connection, or lost it."""

    FAILED = "failed"
    """Its time was over; the last response asked for another attempt: status code 408, 429 or 5xx."""

    TIMEOUT = "timeout"
    """Its time was over before an attempt, or while a response was awaited."""

    REFUSED = "refused"
    """The target responded with another status code above 299, redirects included."""

    HEADERS = "headers"
    """A header is not UTF-8, so that the event cannot be sent unchanged."""

    LOOP = "loop"
    """The event has passed several driftgauge loggers already."""

    SHUTDOWN = "shutdown"
    """The process ended first. The target may have received the event."""

    INTERNAL = "internal"
    """A bug in driftgauge."""


@final
class TargetCounts:
    """Counts the outcomes of one target.

    Args:
        outcomes: The counter of all targets.
        target: The value of the label.
    """

    def __init__(self, outcomes: Counter, target: str) -> None:
        self._sent = outcomes.labels(target, SENT, "")
        self._dropped = {loss: outcomes.labels(target, DROPPED, loss) for loss in ForwardLoss}

    def count(self, loss: ForwardLoss | None, events: int) -> None:
        """Count the outcome of some events: sent if there is no loss."""
        (self._sent if loss is None else self._dropped[loss]).inc(events)


@final
class ForwardCounts:
    """The families of all targets, whose series start at 0.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes = Counter(
            "driftgauge_forwarded_events_total",
            "Events by what became of them at each target of forward_url: each has one outcome for each target.",
            ("target", "outcome", "reason"),
            registry=registry,
        )
        self._events = Gauge(
            "driftgauge_forward_queue_events",
            "Events that wait for a target of forward_url, or are being sent.",
            ("target",),
            registry=registry,
        )
        self._bytes = Gauge(
            "driftgauge_forward_queue_bytes",
            "Memory of the events that wait for a target of forward_url, or are being sent.",
            ("target",),
            registry=registry,
        )

    def add(self, target: str, events: Callable[[], int], size_bytes: Callable[[], int]) -> TargetCounts:
        """Start the series of a target.

        Args:
            target: The value of the label.
            events: Returns how many events wait.
            size_bytes: Returns the memory that they take.
        """
        self._events.labels(target).set_function(events)
        self._bytes.labels(target).set_function(size_bytes)
        return TargetCounts(self._outcomes, target)


def shown_targets(urls: Sequence[str]) -> list[str]:
    """The URLs without user, password and query, which may be secrets; those that are then alike get a number."""
    shown = [_without_secrets(url) for url in urls]
    return [f"{url} ({index})" if shown.count(url) > 1 else url for index, url in enumerate(shown, 1)]


def _without_secrets(url: str) -> str:
    scheme, _, rest = url.partition("#")[0].partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
