"""Programs that the demo starts, with real ones."""

import asyncio
import sys
from pathlib import Path

import pytest

from examples.demo.children import Child, Children
from examples.demo.errors import DemoError
from examples.demo.polling import until

WAITS = "import signal; print('up', flush=True); signal.pause()"


async def written(child: Child) -> str | None:
    """What a child has written, once it is something."""
    return child.output() or None


async def test_child_is_ended_with_its_block(tmp_path: Path) -> None:
    """It runs for the length of the block, SIGTERM ends it, and that is no error."""
    async with asyncio.TaskGroup() as group:
        async with Children(tmp_path, group).run("waiter", [sys.executable, "-c", WAITS]) as child:
            reported = await until(lambda: written(child), "a word of the waiter")

        assert "up\n" == reported
        async with asyncio.timeout(10):
            await child.watch()


async def errors_of(name: str, program: str, directory: Path, first_word: str | None) -> list[str]:
    """The sentences that end a group which runs this program: until its first word if one is due, else for ever."""
    try:
        async with (
            asyncio.TaskGroup() as group,
            Children(directory, group).run(name, [sys.executable, "-c", program]) as child,
        ):
            await (until(lambda: written(child), first_word) if first_word else asyncio.Event().wait())
    except* DemoError as caught:
        sentences = [str(error) for error in caught.exceptions]
    else:
        sentences = []
    return sentences


async def test_early_death_stops_the_rest(tmp_path: Path) -> None:
    """What the demo was doing is cancelled, and the error has the exit code and the last lines."""
    dies = "import sys; print('one'); sys.exit('the end')"

    sentences = await errors_of("mortal", dies, tmp_path, first_word=None)

    assert ["mortal ended with exit code 1, which it should not. Its last lines:\n  | one\n  | the end"] == sentences


async def test_death_by_signal_names_it(tmp_path: Path) -> None:
    """A program that was killed is told by the signal's name."""
    sentences = await errors_of("victim", "import os; os.kill(os.getpid(), 9)", tmp_path, first_word=None)

    assert ["victim ended with signal SIGKILL, which it should not. Its last lines:\n"] == sentences


async def test_bad_end_is_an_error_though_it_was_told_to_end(tmp_path: Path) -> None:
    """A child that answers SIGTERM with a failure is reported."""
    fails = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); print('up', flush=True);"

    sentences = await errors_of("sulker", fails + "signal.pause()", tmp_path, first_word="a word of the sulker")

    assert ["sulker ended with exit code 3, which it should not. Its last lines:\n  | up"] == sentences


async def test_options_in_the_environment_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that are options of driftgauge do not reach a child; others do."""
    monkeypatch.setenv("DRIFTGAUGE_ALPHA", "0.5")
    monkeypatch.setenv("OVERFLOW", "kept")
    reports = "import os; print(os.environ.get('DRIFTGAUGE_ALPHA'), os.environ['OVERFLOW'], flush=True);"
    command = [sys.executable, "-c", reports + WAITS]

    async with asyncio.TaskGroup() as group, Children(tmp_path, group).run("teller", command) as child:
        reported = await until(lambda: written(child), "a word of the teller")

    assert reported.startswith("None kept\n")
