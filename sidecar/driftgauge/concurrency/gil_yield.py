"""Pauses of a thread that computes, so that the event loop gets the interpreter lock."""

import time


class GilYield:
    """Pauses the thread if its last pause is more than `RUN_SECONDS` ago.

    Notes:
        numpy releases the interpreter lock only for moments, too short for the event loop's thread to wake up; and
        each of these moments restarts the interval after which CPython forces a switch. Without pauses the event
        loop may wait for as long as an evaluation takes.
    """

    RUN_SECONDS = 0.0005
    PAUSE_SECONDS = 0.00005  # a waiting thread needs about 30 microseconds to wake up

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def __call__(self) -> None:
        """Pause, if it is time."""
        if time.perf_counter() - self._last > self.RUN_SECONDS:
            time.sleep(self.PAUSE_SECONDS)
            self._last = time.perf_counter()
