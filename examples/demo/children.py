"""Programs that the demo starts: each is watched while it runs, and stopped when the demo ends."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from examples.demo import data
from examples.demo.errors import DemoError

START_SECONDS = 40
"""Limit for the start of a program, also on a slow disk."""

STOP_SECONDS = 10
"""Time between SIGTERM and SIGKILL; driftgauge has nothing to drain here and needs far less."""

ENDED_WELL = {0, -signal.SIGTERM}
"""Exit codes after SIGTERM; a negative one is the number of a signal that the program does not catch."""

TAIL_LINES = 15


class Child:
    """One running program.

    Args:
        name: Its name in messages.
        process: The process.
        log: The file with its output, both streams.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self._name = name
        self._process = process
        self._log = log
        self._stopping = False
        self._is_killed = False

    def output(self) -> str:
        """Everything that it has written."""
        return self._log.read_text(errors="replace")

    async def watch(self) -> None:
        """Wait until it ends; raises `DemoError` with its last lines, unless it was killed or exited well."""
        code = await self._process.wait()
        if self._is_killed:
            return
        if not self._stopping or code not in ENDED_WELL:
            tail = "\n".join(f"  | {line}" for line in self.output().splitlines()[-TAIL_LINES:])
            raise DemoError(f"{self._name} ended unexpectedly with {_describe(code)}. Its last lines:\n{tail}")

    async def kill(self) -> None:
        """Send SIGKILL, which is no failure of the demo, and wait until it has ended."""
        self._is_killed = True
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL if that takes too long or the wait is cancelled."""
        self._stopping = True
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        except asyncio.CancelledError:
            self._process.kill()
            raise


class Children:
    """Starts programs.

    Args:
        directory: For their output, and for other files that are needed while they run.
        group: Its tasks watch them: if one ends early, the group fails.
    """

    def __init__(self, directory: Path, group: asyncio.TaskGroup) -> None:
        self.directory = directory
        self._group = group

    @asynccontextmanager
    async def run(self, name: str, command: Sequence[str]) -> AsyncIterator[Child]:
        """Run a program for the duration of a `with` block.

        It has its own session, so that Ctrl-C reaches only the demo, which then stops its children in order.
        """
        log = self.directory / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                cwd=data.ROOT,
                env=_environment(),
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._group.create_task(child.watch())
        try:
            yield child
        finally:
            await child.stop()

    async def once(self, command: Sequence[str]) -> tuple[int, str]:
        """Run a program to its end; returns its exit code, and what it has written to both streams."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=data.ROOT,
            env=_environment(),
            start_new_session=True,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output.decode(errors="replace")


def _environment() -> dict[str, str]:
    """The demo's environment without driftgauge's variables, which would change the options that no flag sets."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("DRIFTGAUGE_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
