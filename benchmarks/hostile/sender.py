"""Sends one message, and says what became of it: the status code, and the outcomes that `/metrics` counts."""

import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from itertools import count

from benchmarks.children import Program
from benchmarks.environment import scrape
from tests.support.scrape import Samples

_QUIET_SECONDS = 0.5
"""A message has all its responses when nothing came back for this time after the first of them."""

_COUNTED_SECONDS = 2.0
"""Payloads are batched for half a second before they are counted."""

_LOOKS = 30
_LOOKS_WITHOUT_PAYLOAD = 4
_LONGEST_SECONDS = 40.0
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3})")


_ids = count(1)


def send(port: int, wire: bytes) -> bytes:
    """Send all of it, with a new id in the place of 32 @; returns the beginning of what comes back."""
    wire = wire.replace(b"@" * 32, b"%032d" % next(_ids), 1)
    received: list[bytes] = []
    with socket.create_connection(("127.0.0.1", port), timeout=_LONGEST_SECONDS) as client:
        reader = threading.Thread(target=_drain, args=(client.dup(), received))
        reader.start()
        with suppress(OSError):  # refused before its end
            client.sendall(wire)
        reader.join(_LONGEST_SECONDS)
    return b"".join(received[:1])


def outcome(program: Program, wire: bytes) -> str:
    """Send a message while no other client sends: `200, accepted` or `413, too_complex`."""
    before = _wait_for_counts(program, Counter())
    found = _STATUS.search(send(program.port, wire))
    counted = _wait_for_counts(program, before) - before
    status = "no response" if found is None else found[1].decode()
    return ", ".join([status, *(name if number == 1 else f"{number:,} {name}" for name, number in counted.items())])


def _wait_for_counts(program: Program, before: Counter[str]) -> Counter[str]:
    """Wait until the counts of payloads have changed, and then stopped growing; some messages are no payloads."""
    counted = _payloads(scrape(program))
    for look in range(_LOOKS):
        time.sleep(_COUNTED_SECONDS)
        counted, last = _payloads(scrape(program)), counted
        if counted == last and (counted != before or look >= _LOOKS_WITHOUT_PAYLOAD):
            break
    return counted


def _drain(client: socket.socket, received: list[bytes]) -> None:
    client.settimeout(_LONGEST_SECONDS)  # of this object only, not of the one that sends
    with client, suppress(OSError):
        while data := client.recv(1 << 16):
            received.append(data)
            client.settimeout(_QUIET_SECONDS)


def _payloads(samples: Samples) -> Counter[str]:
    counted = Counter[str]()
    for sample in samples.matching("driftgauge_payloads_total", kind="request"):
        name = sample.labels["outcome"]
        counted[name if name == "accepted" else sample.labels["reason"]] += int(sample.value)
    return counted
