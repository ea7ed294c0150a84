"""Threads in the background give way to the one that serves."""

import os
import threading

from driftgauge.concurrency.worker import low_priority_executor


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_gives_way() -> None:
    """By its niceness; that of the one that asked stays."""
    before = _niceness()
    with low_priority_executor("test") as executor:
        found = executor.submit(_niceness).result()

    assert max(before, 10) == found
    assert before == _niceness()
