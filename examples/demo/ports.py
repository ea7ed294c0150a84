"""The ports of the demo: always the same, so that the page has an address to remember, and checked before the start."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from examples.demo.errors import DemoError

FIRST = 9464
"""The port of the page and of `/metrics`, driftgauge's own default; the other programs listen on the next ports."""

COUNT = 5

_LISTENS = "0A"
"""The state of a listening socket in `/proc/net/tcp`."""

_COMMAND_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of all programs, on 127.0.0.1.

    Args:
        page: driftgauge's admin port: the page and `/metrics`.
    """

    page: int

    @property
    def data(self) -> int:
        """The data port of driftgauge, which receives the requests."""
        return self.page + 1

    @property
    def model(self) -> int:
        """The port of the model server."""
        return self.page + 2

    @property
    def redis(self) -> int:
        """The port of Redis, if there is one."""
        return self.page + 3

    @property
    def labels(self) -> int:
        """The port of driftgauge that receives labels."""
        return self.page + 4


def require_free(first: int, count: int, target: str) -> None:
    """Raise `DemoError`, which says who listens and which ports are free, if a port is taken.

    Args:
        first: The first port.
        count: How many there are, one after the other.
        target: The target of `make` that has the option `PORT`.
    """
    taken = next((port for port in range(first, first + count) if not _is_free(port)), None)
    if taken is not None:
        free = _free_first(first, count)
        raise DemoError(
            f"Port {taken} is taken by {holder(taken)}: stop it, or use the free ports from "
            f"{free} with `make {target} PORT={free}`."
        )


def holder(port: int) -> str:
    """The process that listens on a port, as far as this user may see it."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in sockets:
                process = descriptor.parents[1]
                words = process.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
                return f"process {process.name} ({' '.join(words).strip()[:_COMMAND_CHARACTERS]})"
        except OSError:  # it has just ended, or belongs to another user
            continue
    return "another program, possibly a demo that still runs"


def _free_first(taken: int, count: int) -> int:
    """The first of the nearest `count` free ports above `taken`."""
    firsts = range(taken + 10, 65_536 - count, 10)
    return next((first for first in firsts if all(map(_is_free, range(first, first + count)))), FIRST)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        for _, address, _, state, *_, inode in (line.split()[:10] for line in lines):
            if state == _LISTENS and int(address.rsplit(":", 1)[1], 16) == port:
                yield inode
