"""Runs functions in a child process, whose interpreter lock, memory and death are its own.

A thread shares the interpreter's lock with the event loop, and one call into C (a JSON parser, a sort) keeps the lock
until it ends. A child process has a lock of its own. It also has a limit of memory, so that the work of one message or
file cannot use up the memory of the container, and it can be killed.
"""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, cast

from driftgauge.concurrency.frames import NO_MEMORY_STATUS, Failed, read_frame, write_frame
from driftgauge.concurrency.worker import Worker
from driftgauge.errors import DriftgaugeError

_log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

_OWN_VARIABLES: Final = "DRIFTGAUGE_"
"""The child does not get the options: it needs none, and some are secret."""

_END_SECONDS: Final = 1
"""How long a child that has closed its pipes may take to end. Its status says why."""

CHILD_VARIABLES: Final = {
    # Each thread of OpenBLAS and pyarrow reserves memory, which counts; so does what jemalloc, pyarrow's own, holds.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # glibc: arrays that grow do not fragment the heap.
    "MALLOC_MMAP_THRESHOLD_": "65536",
}


class TaskFailedError(DriftgaugeError):
    """A call has no result. The message says why, as a predicate: `took more than 5 s`."""


class NoProcessError(TaskFailedError):
    """The child cannot be started."""


class TaskProcess:
    """A child process that runs one function at a time. It starts with the first call, and ends when it has been idle.

    Args:
        name: Name of the thread that waits for the child.
        memory_bytes: The most memory that a function may use, beyond what the child has after its imports.
        idle_seconds: Time without a call after which the child ends, so that its memory is free.

    Notes:
        The memory limit is `RLIMIT_DATA`, which counts memory that was allocated but not touched, too. The kernel's
        OOM killer would be no limit: in a container it may end all processes (`memory.oom.group`, which the kubelet
        sets). A call is not repeated if the child dies, since the call may be the cause.

    Source:
        setrlimit(2).
    """

    def __init__(self, name: str, *, memory_bytes: int, idle_seconds: float) -> None:
        self._memory_bytes = memory_bytes
        self._idle_seconds = idle_seconds
        self._worker = Worker(name)
        self._one_call = asyncio.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._is_killed = False
        self._idle_timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Future[None] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the child; `None` while there is none."""
        return None if self._child is None else self._child.pid

    async def run(self, timeout_seconds: float, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function in the child, after the calls before it.

        Args:
            timeout_seconds: The longest time that the call may take. Starting the child counts too.
            function: A function of a module, which the child imports by its name.
            *args: They are pickled.
            **kwargs: They are pickled.

        Returns:
            What the function returns, pickled. A `DriftgaugeError` of the function is raised here.

        Raises:
            TaskFailedError: The child ran out of memory or time, or died; or the function raised another exception.
            NoProcessError: The child could not be started.
        """
        async with self._one_call:
            self._cancel_idle_timer()
            is_killed, self._is_killed = self._is_killed, False
            loop = asyncio.get_running_loop()
            limit = loop.call_later(timeout_seconds, self._kill)
            try:
                outcome = await self._worker.run(self._call, (function, args, kwargs), restart=is_killed)
            except asyncio.CancelledError:
                self._kill()
                raise
            except EOFError as error:
                cause = f"took more than {timeout_seconds:g} s" if self._is_killed else str(error)
                raise TaskFailedError(cause) from None
            finally:
                limit.cancel()
                self._idle_timer = loop.call_later(self._idle_seconds, self._end_soon)
        if isinstance(outcome, Failed):
            # Not a line of its own: the message of a client may be the cause, and be sent again and again.
            _log.debug("a call in the child process %s\n%s", outcome.cause, outcome.traceback)
            raise TaskFailedError(outcome.cause)
        if isinstance(outcome, DriftgaugeError):
            raise outcome
        return cast("_T", outcome)

    async def end(self) -> None:
        """End the child, after the calls before it. The next call starts another, whose memory is not fragmented."""
        async with self._one_call:
            self._cancel_idle_timer()
            await self._worker.run(self._end)

    async def close(self) -> None:
        """End the child, and wait until it has ended. A call that is running fails."""
        self._kill()
        async with self._one_call:
            self._cancel_idle_timer()
            await self._worker.run(self._end)
            self._worker.close()

    def _cancel_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def _end_soon(self) -> None:
        self._ending = asyncio.ensure_future(self._worker.run(self._end))

    def _kill(self) -> None:
        self._is_killed = True
        if (child := self._child) is not None:
            child.kill()

    def _call(self, call: object, *, restart: bool) -> object:
        """Send a call and read its outcome. Runs in the worker's thread, as the following methods do.

        Raises:
            EOFError: The child has died; the message says why, as a predicate.
        """
        if restart or (self._child is not None and self._child.poll() is not None):
            self._end()
        child = self._child = self._child or _start(self._memory_bytes)
        if self._is_killed:  # before there was a child
            child.kill()
        try:
            write_frame(child.stdin, call)
            return read_frame(child.stdout)
        except (EOFError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_END_SECONDS)  # its pipes are closed, so it is about to end by itself
            self._end()
            raise EOFError(_cause_of_death(child.returncode)) from None

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):  # what was written to a dead child is lost
                if pipe is not None:
                    pipe.close()
        child.wait()


def _start(memory_bytes: int) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OWN_VARIABLES)}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    environment |= CHILD_VARIABLES
    command = [sys.executable, "-P", "-m", "driftgauge.concurrency.task_child", str(memory_bytes)]
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)  # noqa: S603 - no input
    except OSError as error:
        raise NoProcessError(f"cannot start a process: {error.strerror}") from None


def _cause_of_death(status: int) -> str:
    if status == NO_MEMORY_STATUS:
        return "ran out of memory"
    return f"ended the child process with {f'signal {-status}' if status < 0 else f'status {status}'}"
