"""The program of a `TaskProcess`: reads calls from its standard input, and writes their outcomes."""

import contextlib
import os
import re
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from driftgauge.concurrency.bare_tracebacks import bare_traceback, describe
from driftgauge.concurrency.frames import NO_MEMORY_STATUS, Failed, read_frame, write_frame
from driftgauge.errors import DriftgaugeError

_NICENESS = 10
_FIRST_KILLED = "1000"
"""The process that the kernel's OOM killer ends first (proc(5), `oom_score_adj`)."""


def main(memory_bytes: int) -> None:
    """Run calls until the standard input is closed."""
    calls, outcomes = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not become part of an outcome
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the parent decides when this process ends
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_KILLED)
    is_limited = False
    try:
        while True:
            function, args, kwargs = read_frame(calls)
            if not is_limited:  # the modules of the first function are imported by now
                _limit_memory(memory_bytes)
                is_limited = True
            outcome = _outcome(function, args, kwargs)
            del function, args, kwargs
            write_frame(outcomes, outcome)
            del outcome
    except (EOFError, BrokenPipeError):
        return  # the parent has closed the pipes
    except MemoryError:
        sys.exit(NO_MEMORY_STATUS)


def _outcome(function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]) -> object:
    try:
        return function(*args, **kwargs)
    except DriftgaugeError as error:
        return error
    except MemoryError:
        return Failed("ran out of memory")
    except Exception as error:  # noqa: BLE001 - the parent reports it
        return Failed(f"raised {describe(error):.200}", "".join(bare_traceback(error)))


def _limit_memory(memory_bytes: int) -> None:
    """Limit the memory to what is used now and `memory_bytes` more. Other systems than Linux have no limit."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        used = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
        limit = memory_bytes + (int(used[1]) * 1024 if used else 0)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main(int(sys.argv[1]))
