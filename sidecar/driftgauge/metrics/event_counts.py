"""The metrics of the events on changes of verdicts."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import final

from prometheus_client import CollectorRegistry, Counter, Gauge


class EventOutcome(StrEnum):
    """What became of an event. A closed set, since it is the value of a metric label."""

    SENT = "sent"
    """The receiver has accepted it."""

    MERGED = "merged"
    """A newer change of the same verdict took its place within the cool-down."""

    DEAD = "dead"
    """The receiver refuses it, or it could not be delivered within three days."""

    DROPPED = "dropped"
    """Too many events waited, or the process ended and kept them in memory alone."""


@final
class EventCounts:
    """Counts events; their series start at 0.

    Args:
        registry: Where they are registered.
        types: The types of all events.
    """

    def __init__(self, registry: CollectorRegistry, types: Sequence[str]) -> None:
        outcomes = Counter(
            "driftgauge_events_total",
            "Events on changes of verdicts by what became of them: each has one outcome.",
            ("type", "outcome"),
            registry=registry,
        )
        self._series = {(one, outcome): outcomes.labels(one, outcome) for one in types for outcome in EventOutcome}
        self._pending = Gauge(
            "driftgauge_events_pending",
            "Events on changes of verdicts that wait until event_url accepts them, of the models of this replica.",
            registry=registry,
        )

    def show_pending(self, pending: Callable[[], int]) -> None:
        """Show how many events wait.

        Args:
            pending: Returns the number.
        """
        self._pending.set_function(pending)

    def count(self, event_type: str, outcome: EventOutcome) -> None:
        """Count what became of an event."""
        self._series[event_type, outcome].inc()
