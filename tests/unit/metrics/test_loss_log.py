"""The log of losses has one line for each cause and interval."""

import pytest

from driftgauge.metrics.loss_log import INTERVAL_SECONDS, LossLog
from tests.support.clock import ManualClock


def test_the_first_loss_of_each_cause_is_logged_and_the_others_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """A line has the first loss as example, and how many were not logged since the line before."""
    clock = ManualClock()
    log = LossLog(clock)
    for number in range(1_000):
        log.add("malformed", f"event {number}")
    log.add("unsupported", "another")
    clock.now += INTERVAL_SECONDS
    log.add("malformed", "late")
    log.add("malformed", "later")

    assert [
        "malformed: event 0",
        "unsupported: another",
        "malformed: late (999 more since the last line)",
    ] == caplog.messages


def test_a_long_sentence_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """A sender cannot fill the log with what it sends."""
    LossLog(ManualClock()).add("malformed", "x" * 10_000)

    assert ["malformed: " + "x" * 300] == caplog.messages
