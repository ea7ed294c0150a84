"""Named threads for work that would keep the event loop busy."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

_NICENESS = 10
"""Niceness of the threads.

Where a worker and the event loop share a core, the scheduler could otherwise let the worker continue for 3 ms after a
request has arrived. In a container, niceness only orders the threads of that container.
"""


class Worker:
    """Runs functions one after the other in one thread of low priority.

    Args:
        name: Name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name, initializer=_lower_priority)

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function in the thread, after the calls that were submitted before it.

        Returns:
            What the function returns. An exception of the function is raised here.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, partial(function, *args, **kwargs))

    def close(self) -> None:
        """Drop the calls that have not started, and let the thread end after the current one. Does not wait."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _lower_priority() -> None:
    with contextlib.suppress(OSError):  # a system that forbids this runs the thread at normal priority
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
