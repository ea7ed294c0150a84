"""The demo's command: `python -m examples.demo [--keep] [--redis] [--logger] [--port PORT]`.

Exit code 0 if red wines, and a batch of wines that are alike, were no drift, and white wines were; 1 if not, or if
anything failed; 2 if an option is wrong; 130 if it was interrupted before the end.
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
from examples.demo.play import Play
from examples.demo.ports import COUNT, FIRST, Ports
from examples.demo.show import Screen
from examples.demo.stage import Options, build

LIMIT_SECONDS = 115
"""Limit for the whole demo."""

HIGHEST_PORT = 65_535

INTERRUPTED = 130
"""The exit code that a shell reports for Ctrl-C: 128 plus the number of SIGINT."""


def parse(arguments: list[str]) -> Options:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep running with little traffic until Ctrl-C")
    parser.add_argument("--redis", action="store_true", help="keep the rows in a real Redis instead of memory")
    parser.add_argument("--logger", action="store_true", help="send CloudEvents to `driftgauge logger`, as KServe does")
    parser.add_argument(
        "--port",
        type=page_port,
        default=FIRST,
        help="port of the page and of /metrics; the other programs listen on the next ports (default: %(default)s)",
    )
    chosen = parser.parse_args(arguments)
    return Options(keep=chosen.keep, redis=chosen.redis, logger=chosen.logger, ports=Ports(chosen.port))


def page_port(text: str) -> int:
    """The port of the page, from the command line; raises `ArgumentTypeError` if it, or one after it, is no port."""
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT - COUNT + 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {HIGHEST_PORT - COUNT + 1}")
    return int(text)


async def run(options: Options, screen: Screen) -> int:
    """Run the demo and print what failed; returns the exit code."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, cast("asyncio.Task[int]", task).cancel)
    try:
        return await perform(options, screen)
    except* DemoError as failed:
        for error in failed.exceptions:
            screen.trouble(str(error))
    except* TimeoutError:
        screen.trouble(f"The demo took more than {LIMIT_SECONDS} s and was stopped.")
    return 1


async def perform(options: Options, screen: Screen) -> int:
    """Start everything, run the demo, and stop everything, also after an error; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="driftgauge-demo-") as directory:
        async with (
            asyncio.timeout(LIMIT_SECONDS) as limit,
            asyncio.TaskGroup() as group,
            build(options, Children(Path(directory), group)) as stage,
        ):
            screen.stage(stage)
            play = Play(stage, screen)
            if await play.perform():
                return 1
            screen.hint(stage, options)
            if options.keep:
                limit.reschedule(None)
                with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C is the normal end here
                    await play.trickle()
    return 0


def main() -> int:
    """Run the demo with the options of the command line; returns the exit code."""
    options = parse(sys.argv[1:])
    screen = Screen(Console())
    screen.opening(options)
    try:
        return asyncio.run(run(options, screen))
    except asyncio.CancelledError:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
