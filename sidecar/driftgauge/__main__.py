"""Entry point of `python -m driftgauge` and of the command `driftgauge`."""

import contextlib
import logging
import os
import sys
from typing import NoReturn

# Before numpy is imported, which starts as many threads as the node has cores. They would share the work of small
# products of matrices, and spin while they wait for more: the first look at 1,000 features took 1.6 times the CPU time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

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
