"""What a logger as a whole process says of events that it cannot use."""

from dataclasses import replace

from tests.support.agent import Event, post
from tests.support.processes import Driftgauge


def test_rejected_events_leave_one_line_that_no_name_can_forge() -> None:
    """Twelve events that cannot be used leave one warning, whose control characters are escaped."""
    nameless = [replace(Event("x%0A2026-03-01 00:00:00 ERROR", b"{}"), id=f"e{number}") for number in range(12)]
    with Driftgauge("logger") as logger:
        assert [400] * 12 == post(logger.port, *nameless)
        samples = logger.wait_for(
            lambda s: s.total("driftgauge_payloads_total", reason="unsupported") == 12, "twelve rejected events"
        )
        lines = [line for line in logger.stderr.splitlines() if "unsupported" in line or "2026-03-01" in line]

    assert samples.total("driftgauge_payloads_total", outcome="rejected") == 12
    assert 1 == len(lines)
    assert "WARNING" in lines[0]
    assert r"\n2026-03-01" in lines[0]
