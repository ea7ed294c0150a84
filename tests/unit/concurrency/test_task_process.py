"""Functions run in a child process."""

import asyncio
import contextlib
import operator
import os
import signal
from collections.abc import AsyncIterator

import numpy as np
import pytest

from driftgauge.concurrency.task_process import TaskFailedError, TaskProcess
from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.json_text import parse

_MIB = 2**20


@pytest.fixture
async def process() -> AsyncIterator[TaskProcess]:
    """A child process that is closed after the test."""
    one = TaskProcess("test", memory_bytes=64 * _MIB, idle_seconds=60)
    yield one
    await one.close()


async def test_result_is_returned(process: TaskProcess) -> None:
    """A call returns what the function returns."""
    assert await process.run(30, operator.add, 1, 2) == 3


async def test_child_starts_with_first_call(process: TaskProcess) -> None:
    """There is no child before the first call, and calls share one."""
    assert process.pid is None
    first = await process.run(30, os.getpid)
    assert first == process.pid != os.getpid()
    assert await process.run(30, os.getpid) == first


async def test_arrays_arrive_writable(process: TaskProcess) -> None:
    """An array keeps its values and can be written to."""
    values = np.arange(100_000, dtype=np.float64)
    back = await process.run(30, np.negative, values)
    np.testing.assert_array_equal(back, -values)
    assert back.flags.writeable


async def test_error_of_ours_is_raised(process: TaskProcess) -> None:
    """A `PayloadError` of the function is raised with its reason and message."""
    with pytest.raises(PayloadError, match="not JSON") as caught:
        await process.run(30, parse, b"{")
    assert caught.value.reason is Reason.MALFORMED


async def test_other_error_is_named(process: TaskProcess) -> None:
    """Another exception of the function is a failed task that names it, and the child goes on."""
    with pytest.raises(TaskFailedError, match="raised ZeroDivisionError: integer division"):
        await process.run(30, operator.floordiv, 1, 0)
    assert await process.run(30, operator.add, 1, 2) == 3


async def test_ended_child_is_followed_by_another(process: TaskProcess) -> None:
    """There is no child after the end, and the next call starts one."""
    first = await process.run(30, os.getpid)
    await process.end()
    assert process.pid is None
    assert await process.run(30, os.getpid) != first


async def test_memory_is_limited(process: TaskProcess) -> None:
    """A function that allocates more than the limit fails, one below it does not, and the child goes on."""
    assert len(await process.run(30, bytes, 20 * _MIB)) == 20 * _MIB
    with pytest.raises(TaskFailedError, match="ran out of memory"):
        await process.run(30, bytes, 80 * _MIB)
    assert await process.run(30, operator.add, 1, 2) == 3


async def test_memory_of_a_call_itself_is_limited(process: TaskProcess, capfd: pytest.CaptureFixture[str]) -> None:
    """Arguments that do not fit fail their call; nothing is printed, since any client may send them."""
    assert await process.run(30, len, b"abc") == 3
    with pytest.raises(TaskFailedError, match=r"^ran out of memory$"):
        await process.run(30, len, bytes(80 * _MIB))
    with pytest.raises(TaskFailedError, match="raised ZeroDivisionError"):
        await process.run(30, operator.floordiv, 1, 0)
    assert await process.run(30, operator.add, 1, 2) == 3
    assert capfd.readouterr() == ("", "")


async def test_time_is_limited(process: TaskProcess) -> None:
    """A call that takes longer than its limit ends the child; the next call starts another."""
    first = await process.run(30, os.getpid)
    with pytest.raises(TaskFailedError, match=r"took more than 0\.05 s"):
        await process.run(0.05, signal.pause)
    assert await process.run(30, os.getpid) != first


async def test_death_of_the_child_is_survived(process: TaskProcess) -> None:
    """A child that dies fails its call, which says how, and the next call starts another."""
    with pytest.raises(TaskFailedError, match="ended the child process with status 7"):
        await process.run(30, os._exit, 7)
    with pytest.raises(TaskFailedError, match="ended the child process with signal 6"):
        await process.run(30, os.abort)
    assert await process.run(30, operator.add, 1, 2) == 3


async def test_child_killed_between_calls_is_replaced(process: TaskProcess) -> None:
    """A child that something else has killed while it was idle costs no call."""
    first = await process.run(30, os.getpid)
    os.kill(first, signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert await process.run(30, operator.add, 1, 2) == 3


async def test_cancelled_call_ends_the_child(process: TaskProcess) -> None:
    """A cancelled call does not go on in the child, and the next call has a new one."""
    first = await process.run(30, os.getpid)
    call = asyncio.ensure_future(process.run(30, signal.pause))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call})
    assert await process.run(30, os.getpid) != first


async def test_idle_child_ends() -> None:
    """A child without calls ends, and the next call starts another."""
    process = TaskProcess("test", memory_bytes=64 * _MIB, idle_seconds=0)
    first = await process.run(30, os.getpid)
    with contextlib.suppress(ChildProcessError):  # it has ended already
        await asyncio.to_thread(os.waitid, os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert await process.run(30, os.getpid) != first
    await process.close()


async def test_calls_run_one_after_the_other(process: TaskProcess) -> None:
    """Calls that are made at once all get their own result."""
    assert await asyncio.gather(*(process.run(30, operator.add, n, n) for n in range(20))) == list(range(0, 40, 2))


async def test_options_are_not_passed_on(process: TaskProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child does not have the variables of the options, which may hold passwords."""
    monkeypatch.setenv("DRIFTGAUGE_REDIS_PASSWORD", "secret")
    assert await process.run(30, os.getenv, "DRIFTGAUGE_REDIS_PASSWORD") is None


async def test_signals_to_the_group_do_not_end_the_child(process: TaskProcess) -> None:
    """The child ignores SIGTERM and SIGINT, since the parent finishes its queue after them."""
    child = await process.run(30, os.getpid)
    for number in (signal.SIGTERM, signal.SIGINT):
        await process.run(30, signal.raise_signal, number)
    assert await process.run(30, os.getpid) == child


async def test_printed_text_is_no_outcome(process: TaskProcess) -> None:
    """Text that a function prints does not mix with the outcomes."""
    assert await process.run(30, os.write, 1, b"printed by the child\n") == 21
