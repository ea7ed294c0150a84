"""Threads for what takes long: one each, and all of them give way to the loop's."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

_NICENESS = 10
"""Where both share a core, the scheduler would else let a thread that evaluates go on for 3 ms when a request comes.
In a container only threads of the same one are weighed so against each other."""


def low_priority_executor(name: str, threads: int = 1) -> ThreadPoolExecutor:
    """An executor whose threads give way.

    Args:
        name: Of its threads.
        threads: How many.
    """
    return ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name, initializer=_lower_priority)


def _lower_priority() -> None:
    with contextlib.suppress(OSError):  # a system that forbids it serves all the same
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
