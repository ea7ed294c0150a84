"""A file that blocks whoever opens it, as on a network volume whose server is gone."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hung(path: Path) -> Iterator[None]:
    """Whoever opens `path` inside the `with` block blocks, while `stat` returns at once.

    A write lease of this process makes the kernel block every other open until the lease is released, or for
    `/proc/sys/fs/lease-break-time`, 45 s by default (fcntl(2), "Leases").
    """
    lease = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(lease, fcntl.F_SETSIG, signal.SIGURG)  # the request to release it; a process ignores this signal
        fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
    finally:
        os.close(lease)
