"""The demo starts, watches and stops programs; tested with real ones."""

import asyncio
import sys
from pathlib import Path

import pytest

from examples.demo.children import Child, Children
from examples.demo.errors import DemoError
from examples.demo.polling import until

WAITS = "import signal; print('up', flush=True); signal.pause()"


async def written(child: Child) -> str | None:
    """The output of a child, or `None` while it is empty."""
    return child.output() or None


async def test_child_is_ended_with_its_block(tmp_path: Path) -> None:
    """A child runs during the block, and its end by SIGTERM is not an error."""
    async with asyncio.TaskGroup() as group:
        async with Children(tmp_path, group).run("waiter", [sys.executable, "-c", WAITS]) as child:
            output = await until(lambda: written(child), "output of the waiter")

        assert "up\n" == output
        async with asyncio.timeout(10):
            await child.watch()


async def errors_of(name: str, program: str, directory: Path, awaited: str | None) -> list[str]:
    """The errors of a group that runs this program until it has written something, or without end."""
    try:
        async with (
            asyncio.TaskGroup() as group,
            Children(directory, group).run(name, [sys.executable, "-c", program]) as child,
        ):
            await (until(lambda: written(child), awaited) if awaited else asyncio.Event().wait())
    except* DemoError as caught:
        sentences = [str(error) for error in caught.exceptions]
    else:
        sentences = []
    return sentences


async def test_early_death_stops_the_rest(tmp_path: Path) -> None:
    """If a program ends early, the demo is cancelled with an error that has the exit code and the last lines."""
    dies = "import sys; print('one'); sys.exit('the end')"

    sentences = await errors_of("mortal", dies, tmp_path, awaited=None)

    assert ["mortal ended unexpectedly with exit code 1. Its last lines:\n  | one\n  | the end"] == sentences


async def test_death_by_signal_names_it(tmp_path: Path) -> None:
    """The error for a killed program has the name of the signal."""
    sentences = await errors_of("victim", "import os; os.kill(os.getpid(), 9)", tmp_path, awaited=None)

    assert ["victim ended unexpectedly with signal SIGKILL. Its last lines:\n"] == sentences


async def test_failure_after_sigterm_is_an_error(tmp_path: Path) -> None:
    """A child that exits with a failure after SIGTERM is an error."""
    fails = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); print('up', flush=True);"

    sentences = await errors_of("stubborn", fails + "signal.pause()", tmp_path, awaited="output of the stubborn")

    assert ["stubborn ended unexpectedly with exit code 3. Its last lines:\n  | up"] == sentences


async def test_options_in_the_environment_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child does not get variables that are options of driftgauge, but gets all others."""
    monkeypatch.setenv("DRIFTGAUGE_ALPHA", "0.5")
    monkeypatch.setenv("UNRELATED", "kept")
    prints = "import os; print(os.environ.get('DRIFTGAUGE_ALPHA'), os.environ['UNRELATED'], flush=True);"
    command = [sys.executable, "-c", prints + WAITS]

    async with asyncio.TaskGroup() as group, Children(tmp_path, group).run("printer", command) as child:
        output = await until(lambda: written(child), "output of the printer")

    assert output.startswith("None kept\n")
