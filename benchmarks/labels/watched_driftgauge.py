"""driftgauge with a watch on its event loop: `python -m benchmarks.labels.watched_driftgauge FILE proxy [OPTION ...]`.

A timer wakes the loop each millisecond. FILE gets pairs of float64: the time in seconds since the epoch, and how late
the timer was, in seconds, but no more than the CPU time that the process had meanwhile. So what other processes of the
machine do does not count, and what the process itself does counts wherever it is: in other turns of the loop, or in a
thread that has the interpreter's lock.
"""

import asyncio
import sys
import time
from array import array
from pathlib import Path
from typing import BinaryIO, Final

from driftgauge.__main__ import main as run_driftgauge

_WAKE_SECONDS: Final = 0.001
_VALUES_A_WRITE: Final = 200


class _Watch:
    """The timer, and what it has noted.

    Args:
        out: The file.
        loop: The event loop.
    """

    def __init__(self, out: BinaryIO, loop: asyncio.AbstractEventLoop) -> None:
        self._out = out
        self._loop = loop
        self._noted = array("d")
        self._start()

    def _start(self) -> None:
        self._set = time.perf_counter()
        self._ran = time.process_time()
        self._loop.call_later(_WAKE_SECONDS, self._note)

    def _note(self) -> None:
        late = min(time.perf_counter() - self._set - _WAKE_SECONDS, time.process_time() - self._ran)
        self._noted.extend((time.time(), late))
        if len(self._noted) >= _VALUES_A_WRITE:
            self._out.write(self._noted.tobytes())
            del self._noted[:]
        self._start()


def main() -> None:
    """Run driftgauge, and watch its loop from the moment on when it begins to serve."""
    out = Path(sys.argv.pop(1)).open("wb", buffering=0)  # noqa: SIM115 - until the process ends
    switch = sys.setswitchinterval

    def begin(seconds: float) -> None:
        """Stand in for `sys.setswitchinterval`, which driftgauge calls in its loop when it begins to serve."""
        switch(seconds)
        _Watch(out, asyncio.get_running_loop())

    sys.setswitchinterval = begin
    run_driftgauge()


if __name__ == "__main__":
    main()
