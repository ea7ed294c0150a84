"""TCP ports of the loopback address that stay free until a program of a test listens on them."""

import errno
import random
import socket
from collections import deque
from collections.abc import Iterable

_BUS_OFFSET = 10_000  # the nodes of a cluster talk on the port so far above
_BELOW_SYSTEM = range(11_000, 32_000)
_KEPT = 256  # more than the programs of one test ask for

_reserved: deque[socket.socket] = deque()


def free_port() -> int:
    """A port that nothing listens on, and that the system gives to no connection and no other caller meanwhile.

    A bound socket that does not listen keeps it: connections to it are refused, and a program that sets `SO_REUSEADDR`,
    as servers do, can listen on it (socket(7)). The newest 256 are kept, until this process ends.
    """
    return _reserve(0)


def free_port_of_cluster() -> int:
    """As `free_port`, for a node of a Redis Cluster, whose bus port is free too.

    Both lie below the ports that the system gives to connections.
    """
    while True:
        port = random.choice(_BELOW_SYSTEM[:-_BUS_OFFSET])  # noqa: S311 - no secret
        if _reserve_all([port, port + _BUS_OFFSET]):
            return port


def free_ports_in_a_row(count: int) -> int:
    """As `free_port`, the first of so many ports, one after the other, below those that the system gives out."""
    while True:
        first = random.choice(_BELOW_SYSTEM[:-count])  # noqa: S311 - no secret
        if _reserve_all(range(first, first + count)):
            return first


def _reserve_all(ports: Iterable[int]) -> bool:
    """Reserve ports; returns False if one is in use."""
    try:
        for port in ports:
            _reserve(port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _reserve(port: int) -> int:
    kept = socket.socket()
    try:
        kept.bind(("127.0.0.1", port))
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError:
        kept.close()
        raise
    _reserved.append(kept)
    while len(_reserved) > _KEPT:
        _reserved.popleft().close()
    found: int = kept.getsockname()[1]
    return found
