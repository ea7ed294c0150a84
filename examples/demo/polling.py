"""Waits until something is true, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from examples.demo.errors import DemoError

T = TypeVar("T")

POLL_SECONDS = 0.1


async def until(check: Callable[[], Awaitable[T | None]], what: str, seconds: float = 30) -> T:
    """Call `check` until its result is not `None`; raises `DemoError`, which names `what`, after the deadline."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                result = await check()
                if result is not None:
                    return result
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise DemoError(f"Waited {seconds:g} s for {what}, without success.") from None
