"""Waits for a condition with a deadline; the only place in the tests that sleeps."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

_PAUSE_SECONDS = 0.05

T = TypeVar("T")


def wait_until(probe: Callable[[], T | None], what: str, deadline_seconds: float = 30) -> T:
    """Wait for the first true value of a probe.

    Args:
        probe: Called again and again; an `OSError` means "not yet".
        what: A name of the condition, for the error.
        deadline_seconds: The longest wait.

    Raises:
        TimeoutError: The deadline passed first.
    """
    end = time.monotonic() + deadline_seconds
    fault: OSError | None = None
    while time.monotonic() < end:
        try:
            if found := probe():
                return found
        except OSError as error:
            fault = error
        time.sleep(_PAUSE_SECONDS)
    raise TimeoutError(f"waited {deadline_seconds:g} s in vain for {what}") from fault


async def until(condition: Callable[[], bool], deadline_seconds: float = 30) -> None:
    """Run the event loop until a condition holds, which a task of the same loop fulfils.

    Raises:
        TimeoutError: The deadline passed first.
    """
    async with asyncio.timeout(deadline_seconds):
        while not condition():  # noqa: ASYNC110 - no event signals the value of a metric
            await asyncio.sleep(0)
