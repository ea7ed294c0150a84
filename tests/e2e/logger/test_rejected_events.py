"""What a logger as a whole process says of events that it cannot use."""

from dataclasses import replace

from tests.support.agent import Event, post
from tests.support.processes import Driftgauge


def test_rejected_events_leave_one_line_that_no_name_can_forge() -> None:
    """Twelve events that cannot be used leave one warning, whose control characters are escaped."""
    forger = Event("request", b"[1, 2, 3, 4]", inference_service="x%0A2026-03-01 00:00:00 ERROR")
    with Driftgauge("logger", "--max-event-bytes=10") as logger:
        assert [413] * 12 == [
            status for number in range(12) for status in post(logger.port, replace(forger, id=str(number)))
        ]
        samples = logger.wait_for(
            lambda s: s.total("driftgauge_payloads_total", reason="too_large") == 12, "twelve rejected events"
        )
        lines = [line for line in logger.stderr.splitlines() if "too_large" in line or "2026-03-01" in line]

    assert samples.total("driftgauge_payloads_total", outcome="rejected") == 12
    assert 1 == len(lines)
    assert "WARNING" in lines[0]
    assert r"\n2026-03-01" in lines[0]
