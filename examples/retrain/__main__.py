"""The example's command: `python -m examples.retrain [--keep] [--port PORT]`.

Exit code 0 if drift was found and started a retraining, and the gate let its model take over, which was quiet then; 1
if a step did not happen; 2 if an option is wrong; 130 if it was interrupted before the end.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path
from typing import cast

from rich.console import Console

from examples.demo.children import Children
from examples.demo.errors import DemoError
from examples.demo.ports import FIRST
from examples.retrain.fleet import COUNT, LoopPorts, build
from examples.retrain.loop import Loop
from examples.retrain.loop_screen import LoopScreen

LIMIT_SECONDS = 300
"""Limit for the whole example, which takes less than half of it unless the machine is busy."""

HIGHEST_PORT = 65_535

INTERRUPTED = 130
"""The exit code that a shell reports for Ctrl-C: 128 plus the number of SIGINT."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.retrain", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep running with little traffic until Ctrl-C")
    text = "port of the page; the other programs listen on the next ports (default: %(default)s)"
    parser.add_argument("--port", type=first_port, default=FIRST, help=text)
    return parser.parse_args(arguments)


def first_port(text: str) -> int:
    """The first port, from the command line; raises `ArgumentTypeError` if it, or one after it, is no port."""
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT - COUNT + 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {HIGHEST_PORT - COUNT + 1}")
    return int(text)


async def run(options: argparse.Namespace, screen: LoopScreen) -> int:
    """Run the example and print what failed; returns the exit code."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, cast("asyncio.Task[int]", task).cancel)
    try:
        await perform(options, screen)
    except* DemoError as failed:
        for error in failed.exceptions:
            screen.trouble(str(error))
        return_code = 1
    except* TimeoutError:
        screen.trouble(f"The example took more than {LIMIT_SECONDS} s and was stopped.")
        return_code = 1
    else:
        return_code = 0
    return return_code


async def perform(options: argparse.Namespace, screen: LoopScreen) -> None:
    """Start everything, run all steps, and stop everything, also after an error."""
    with tempfile.TemporaryDirectory(prefix="driftgauge-loop-") as directory:
        async with (
            asyncio.timeout(LIMIT_SECONDS) as limit,
            asyncio.TaskGroup() as group,
            build(Children(Path(directory), group), LoopPorts(options.port)) as (fleet, stack),
        ):
            loop = Loop(fleet, stack, screen)
            await loop.perform()
            screen.hint(keep=options.keep)
            if options.keep:
                limit.reschedule(None)
                with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C is the normal end here
                    await loop.trickle()


def main() -> int:
    """Run the example with the options of the command line; returns the exit code."""
    options = parse(sys.argv[1:])
    screen = LoopScreen(Console())
    screen.opening()
    try:
        return asyncio.run(run(options, screen))
    except asyncio.CancelledError:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
