"""A worker runs functions in a thread of its own, at low priority."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator

import pytest

from driftgauge.concurrency.worker import Worker


@pytest.fixture(name="worker")
async def _worker() -> AsyncIterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.close()


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


async def test_the_thread_has_low_priority(worker: Worker) -> None:
    """The thread has a niceness of at least 10, and the caller's niceness stays."""
    before = _niceness()

    assert max(before, 10) == await worker.run(_niceness)
    assert before == _niceness()


async def test_calls_run_in_one_named_thread(worker: Worker) -> None:
    """All calls share one thread, which has the worker's name and is not the caller's."""
    threads = await asyncio.gather(*(worker.run(threading.current_thread) for _ in range(3)))

    assert len(set(threads)) == 1
    assert threads[0].name.startswith("test")
    assert threads[0] is not threading.current_thread()


async def test_arguments_and_the_result_are_passed_on(worker: Worker) -> None:
    """Positional and keyword arguments reach the function, and its result comes back."""
    assert int("101", base=2) == await worker.run(int, "101", base=2)


async def test_an_exception_is_passed_on(worker: Worker) -> None:
    """An exception of the function is raised where the result is awaited."""
    with pytest.raises(ValueError, match="invalid literal"):
        await worker.run(int, "five")


async def test_a_closed_worker_drops_calls_that_have_not_started(worker: Worker) -> None:
    """A close cancels the queued calls, and the call that runs is completed."""
    started, may_end = threading.Event(), threading.Event()

    def block() -> str:
        """Wait until the test lets it end."""
        started.set()
        may_end.wait()
        return "done"

    running = asyncio.create_task(worker.run(block))
    await asyncio.sleep(0)
    queued = asyncio.create_task(worker.run(_niceness))
    await asyncio.sleep(0)
    started.wait()
    worker.close()
    may_end.set()

    assert "done" == await running
    with pytest.raises(asyncio.CancelledError):
        await queued
