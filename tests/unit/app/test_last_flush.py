"""What a process logs of its last flush."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from driftgauge.app.runtime import Runtime
from driftgauge.config.options import LoggerConfig


async def _fail() -> None:
    raise OSError("no space is left")


async def _fail_when_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise OSError("no space is left")


async def _be_cancelled() -> None:
    raise asyncio.CancelledError


async def _succeed() -> None:
    pass


@pytest.mark.parametrize(
    ("flush", "logged"),
    [
        (_fail, ["no space is left"]),
        (_fail_when_cancelled, ["no space is left"]),
        (_be_cancelled, []),
        (_succeed, []),
    ],
)
async def test_a_flush_that_fails_is_logged(
    caplog: pytest.LogCaptureFixture, flush: Callable[[], Coroutine[None, None, None]], logged: list[str]
) -> None:
    """It does not matter whether it fails within its time or when that is over; the parts are closed all the same."""
    runtime = Runtime(LoggerConfig.model_validate({"drain_timeout_seconds": 0.05}), "")
    async with runtime.running(flush):
        pass
    runtime.views.close()

    failures = [record for record in caplog.records if "the last flush failed" in record.message]
    assert logged == [str(record.exc_info[1]) for record in failures if record.exc_info]
