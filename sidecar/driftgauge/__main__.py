"""Entry point of `python -m driftgauge` and of the command `driftgauge`."""

import contextlib
import logging
import os
import sys
from typing import NoReturn

from driftgauge.cli.main import run
from driftgauge.cli.standard_streams import flush_output, prepare_streams
from driftgauge.config.load import MODES


def main() -> None:
    """Run the command line and exit with its code."""
    prepare_streams()
    code = run(sys.argv[1:])
    if sys.argv[1] in MODES:
        _exit_now(code)
    sys.exit(flush_output(code))


def _exit_now(code: int) -> NoReturn:
    """Exit without waiting for threads, after a server has closed everything that it opened.

    `sys.exit` joins every thread of an executor. A thread that reads a reference from a volume that hangs would keep
    the process alive until the kubelet kills it.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # its reader has gone
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
