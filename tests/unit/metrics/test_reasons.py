"""The counters of payloads know every reason."""

from driftgauge.errors import Reason
from driftgauge.inference.payload import Kind, Outcome
from driftgauge.metrics.registry import Metrics
from tests.support.models import WINE


def test_every_reason_has_a_label() -> None:
    """An unknown reason would raise in the middle of a batch."""
    metrics = Metrics("200")
    series = metrics.model(WINE)

    for reason in Reason:
        series.count_payload(Kind.REQUEST, _outcome(reason), reason)


def _outcome(reason: Reason) -> Outcome:
    return Outcome.DROPPED if reason.dropped else Outcome.REJECTED
