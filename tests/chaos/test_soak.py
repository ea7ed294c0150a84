"""The soak judges growth by thirds, and measures real processes."""

import os
import sys
from pathlib import Path

import pytest

from tests.chaos.soak import Size, growth, judge, probe_variables, size_of, tasks_of
from tests.support.processes import Child
from tests.support.waiting import wait_until


def test_warm_up_is_not_judged() -> None:
    """The first fifth may grow as it likes; the rest is cut into thirds."""
    grown = growth("logger 0", "MB", [1, 2, 3, *[10] * 4, *[11] * 4, *[12] * 4], allowed=1)

    assert (10, 11, 12) == grown.thirds
    assert grown.is_flat


def test_last_third_above_the_middle_one_is_growth() -> None:
    """More than what is allowed is growth."""
    grown = growth("logger 0", "MB", [*[1] * 6, *[10] * 8, *[11] * 8, *[12] * 8], allowed=0.9)

    assert not grown.is_flat


@pytest.mark.parametrize(
    ("last", "growing"),
    [
        (Size(104, 20, 12), ["MB"]),
        (Size(100, 26, 12), ["descriptors"]),
        (Size(100, 20, 18), ["threads"]),
        (Size(102, 22, 14), []),
        (Size(100, 20, 12, 60), ["tasks"]),
    ],
)
def test_each_figure_is_judged(last: Size, growing: list[str]) -> None:
    """Memory may grow by 3 percent; descriptors, threads and tasks by three."""
    sizes = [*[Size(100, 20, 12)] * 22, *[last] * 8]

    assert growing == [one.unit for one in judge("logger 0", sizes) if not one.is_flat]


def test_size_includes_child_processes() -> None:
    """The memory of a child process counts for its parent."""
    alone = size_of(os.getpid()).megabytes
    hungry = "import signal; block = bytearray(b'x' * 50_000_000); print('up', flush=True); signal.pause()"

    with Child([sys.executable, "-c", hungry]) as child:
        wait_until(lambda: "up" in child.stderr, "the memory of the child")

        assert size_of(os.getpid()).megabytes > alone + 40


def test_a_process_says_how_many_tasks_it_has(tmp_path: Path) -> None:
    """A signal makes it write the number; the program itself need not know of it."""
    tasks = "await asyncio.gather(*(asyncio.sleep(60) for _ in range(6)))"
    program = f"import asyncio\nasync def main():\n print('up', flush=True)\n {tasks}\nasyncio.run(main())"

    with Child([sys.executable, "-c", program], env=probe_variables(tmp_path)) as child:
        wait_until(lambda: "up" in child.stderr, "the first task")
        wait_until(lambda: tasks_of(child.pid, tmp_path) == 7, "all tasks")
