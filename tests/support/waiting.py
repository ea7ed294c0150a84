"""Waits for a condition with a deadline: the one place in the tests where time is let pass."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

_PAUSE_SECONDS = 0.05

T = TypeVar("T")


def wait_until(probe: Callable[[], T | None], what: str, deadline_seconds: float = 30) -> T:
    """The first true value that the probe answers.

    Args:
        probe: Asked again and again; an `OSError` from it means "not yet".
        what: What is waited for, as it should read in the error.
        deadline_seconds: How long at most.

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
    """Lets the loop turn until a condition holds that a task of the same loop brings about.

    Raises:
        TimeoutError: The deadline passed first.
    """
    async with asyncio.timeout(deadline_seconds):
        while not condition():  # noqa: ASYNC110 - no event tells what a metric shows
            await asyncio.sleep(0)
