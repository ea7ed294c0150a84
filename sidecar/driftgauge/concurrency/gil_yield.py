"""Pauses of a thread that computes, so that the event loop gets the interpreter lock."""

import time


class GilYield:
    """Pauses the thread if its last pause is some time ago.

    Args:
        run_seconds: How long the thread runs without a pause. An inference waits for so long at each of its turns of
            the event loop, and each pause takes the thread 0.1 ms.

    Notes:
        numpy releases the interpreter lock only for moments, too short for the event loop's thread to wake up; and
        each of these moments restarts the interval after which CPython forces a switch. Without pauses the event
        loop may wait for as long as an evaluation takes.
    """

    RUN_SECONDS = 0.0005
    PAUSE_SECONDS = 0.00005  # a waiting thread needs about 30 microseconds to wake up

    def __init__(self, run_seconds: float = RUN_SECONDS) -> None:
        self._run_seconds = run_seconds
        self._last = time.perf_counter()

    def __call__(self) -> None:
        """Pause, if it is time."""
        if time.perf_counter() - self._last > self._run_seconds:
            time.sleep(self.PAUSE_SECONDS)
            self._last = time.perf_counter()
