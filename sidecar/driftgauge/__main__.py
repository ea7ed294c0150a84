"""`python -m driftgauge`, and the command `driftgauge`."""

import contextlib
import logging
import os
import sys
from typing import NoReturn

from driftgauge.cli.main import run
from driftgauge.config.load import MODES


def main() -> None:
    """Run the command line and exit with its code."""
    code = run(sys.argv[1:])
    if sys.argv[1] in MODES:
        _end(code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    """End a process that has served and closed what it had open.

    The interpreter would join every thread of an executor first, also one that reads a reference on a volume that
    hangs, and would wait for it until the kubelet kills the process.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
