"""Waiting for something to become true, with a deadline and a sentence for when it does not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from examples.demo.errors import DemoError

T = TypeVar("T")

POLL_SECONDS = 0.1


async def until(found: Callable[[], Awaitable[T | None]], what: str, seconds: float = 30) -> T:
    """The first answer that is not `None`; `DemoError` naming `what` when it takes too long."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                response = await found()
                if response is not None:
                    return response
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise DemoError(f"Waited {seconds:g} s in vain for {what}.") from None
