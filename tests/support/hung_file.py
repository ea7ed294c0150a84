"""A file that hangs who opens it, as one on a volume whose server is gone."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hung(path: Path) -> Iterator[None]:
    """Whoever opens `path` inside the `with` block waits, while `stat` answers at once.

    A write lease of this process makes the kernel hold up every other open until the lease is given back, or for
    `/proc/sys/fs/lease-break-time`, 45 s unless the machine is told otherwise (fcntl(2), "Leases").
    """
    lease = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(lease, fcntl.F_SETSIG, signal.SIGURG)  # the plea to give it back; a process ignores this one
        fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
    finally:
        os.close(lease)
