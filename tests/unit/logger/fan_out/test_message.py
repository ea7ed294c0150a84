"""The memory of messages that wait is known, whatever headers a sender invents."""

import secrets
import tracemalloc

import pytest

from driftgauge.http1.head_parser import read_request
from driftgauge.logger.fan_out.message import Message, headers_to_send

MESSAGES = 100


def message(fields: int) -> Message:
    """A message with so many headers, all of them different from those of every other message."""
    lines = [b"ce-%s: %s" % (secrets.token_hex(4).encode(), secrets.token_hex(8).encode()) for _ in range(fields)]
    head = read_request(b"\r\n".join([b"POST / HTTP/1.1", b"Host: a", *lines]) + b"\r\n\r\n")
    return Message(headers_to_send(head), b"", 1, 0.0)


def bytes_beyond_size(fields: int, most: float) -> float:
    """How many bytes messages take beyond so many times their size."""
    tracemalloc.start()
    try:
        waiting = [message(fields) for _ in range(MESSAGES)]
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return used - most * sum(one.size_bytes for one in waiting)


@pytest.mark.parametrize(("fields", "most"), [(1, 1), (16, 4), (100, 1.5), (500, 1.5)])
def test_size(fields: int, most: float) -> None:
    """Many short headers take more memory in objects than in bytes."""
    bytes_beyond_size(fields, most)  # what is shared by all messages is full now

    # What other threads of the process allocate meanwhile counts too, so the least of some measurements is right.
    assert min(bytes_beyond_size(fields, most) for _ in range(5)) < 0
