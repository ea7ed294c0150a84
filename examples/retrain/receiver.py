"""Takes CloudEvents and starts a command: `python -m examples.retrain.receiver --port PORT -- COMMAND ...`.

The command gets the data of the event as JSON on standard input. It is started

- by the types of `--start-on` alone: by default those that say that the model is wrong, and not by a drift of inputs,
  which is a reason to look first;
- once for each event, however often that is sent: driftgauge may send one again, with the same id;
- never while a command runs, and not within `--cooldown-seconds` after one: a retraining changes verdicts itself.

`GET /` returns what came, and what the newest command said. It listens on 127.0.0.1 and asks for no token; in a cluster
let it ask for that of `event_token_file`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

from examples.demo.serving import listen, stop_signals

STARTING = "io.driftgauge.performance.detected,io.driftgauge.concept.detected"
REMEMBERED = 1000
"""Events that are remembered, so that a repeated one is known; driftgauge tries one for three days at most."""

MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent.

    Args:
        id: The same each time that it is sent.
        type: Such as `io.driftgauge.concept.detected`.
        data: Its body.
        started: Whether the command was started for it.
    """

    id: str
    type: str
    data: dict[str, Any]
    started: bool


@dataclass(slots=True)
class Run:
    """One run of the command.

    Args:
        lines: What it has printed, the newest.
        exit_code: `None` while it runs.
    """

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    exit_code: int | None = None


class Receiver:
    """Remembers events, and starts the command.

    Args:
        command: What is started.
        starting: Types of events that start it.
        cooldown_seconds: Least time between the end of a run and the next one.
        group: Its task reads what the command prints, and ends it when the program is stopped.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        command: Sequence[str],
        starting: Sequence[str],
        cooldown_seconds: float,
        group: asyncio.TaskGroup,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._starting = starting
        self._cooldown_seconds = cooldown_seconds
        self._group = group
        self._clock = clock
        self._events: deque[Event] = deque(maxlen=REMEMBERED)
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    async def receive(self, request: web.Request) -> web.Response:
        """`POST /`: 202 once the event is taken, 400 if it is no event."""
        event_id, kind = (request.headers.get(f"Ce-{name}", "") for name in ("Id", "Type"))
        try:
            data = await request.json()
        except ValueError:
            data = None
        if not event_id or not kind or not isinstance(data, dict):
            raise web.HTTPBadRequest(text="this is no CloudEvent in binary mode with a JSON object\n")
        if event_id not in {event.id for event in self._events}:
            starts = self._may_start(kind)
            self._events.append(Event(event_id, kind, data, starts))
            if starts:
                self._run = Run()
                self._task = self._group.create_task(self._start(self._run, json.dumps(data).encode()))
        return web.Response(status=202)

    async def show(self, _: web.Request) -> web.Response:
        """`GET /`."""
        run = None if self._run is None else {"lines": list(self._run.lines), "exit_code": self._run.exit_code}
        return web.json_response({"events": [asdict(event) for event in self._events], "run": run})

    def stop(self) -> None:
        """End the command if it runs."""
        if self._task is not None:
            self._task.cancel()

    def _may_start(self, kind: str) -> bool:
        runs = self._run is not None and self._run.exit_code is None
        return kind in self._starting and not runs and self._clock() >= self._rests_until

    async def _start(self, run: Run, data: bytes) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("pipes were asked for")
        try:
            with contextlib.suppress(OSError, RuntimeError):  # the latter is uvloop's: the command has ended already
                process.stdin.write(data)
                process.stdin.close()
            async for line in process.stdout:
                run.lines.append(line.decode(errors="replace").rstrip())
            run.exit_code = await process.wait()
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGTERM)  # with the programs that it has started
                await process.wait()
        self._rests_until = self._clock() + self._cooldown_seconds


async def serve(port: int, command: Sequence[str], starting: Sequence[str], cooldown_seconds: float) -> None:
    """Take events on a port of 127.0.0.1 until SIGTERM or SIGINT."""
    stopped = stop_signals()
    async with asyncio.TaskGroup() as group:
        receiver = Receiver(command, starting, cooldown_seconds, group)
        app = web.Application()
        app.add_routes([web.post("/", receiver.receive), web.get("/", receiver.show)])
        await listen(app, port, stopped)
        receiver.stop()


def main() -> None:
    """Take events as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m examples.retrain.receiver", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1 that events are sent to")
    parser.add_argument("--start-on", default=STARTING, help="types that start the command (default: %(default)s)")
    parser.add_argument("--cooldown-seconds", type=float, default=3600, help="rest after a command (default: 3600)")
    parser.add_argument("command", nargs="+", help="what is started")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.port, chosen.command, chosen.start_on.split(","), chosen.cooldown_seconds))


if __name__ == "__main__":
    main()
