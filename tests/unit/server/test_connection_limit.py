"""A data port serves a limited number of connections, and refuses, counts and logs the others."""

import logging

import pytest

from driftgauge.server.connection_limit import ConnectionLimit
from tests.support.listening_receiver import ListeningReceiver
from tests.support.raw_client import Wire

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
NAME = "driftgauge_refused_connections_total"


def test_refused_connections_are_counted_and_logged_at_a_limited_rate(caplog: pytest.LogCaptureFixture) -> None:
    """Every connection beyond the limit is counted; the log has one line in ten seconds, with the number since then."""
    now, refused = [0.0], [0]

    def count() -> None:
        """Count it."""
        refused[0] += 1

    limit = ConnectionLimit(2, count, lambda: now[0])
    with caplog.at_level(logging.WARNING):
        assert [True, True, False, False, False] == [limit.admits(others) for others in (0, 1, 2, 2, 3)]
        now[0] = 10.0

        assert not limit.admits(2)

    assert 4 == refused[0]
    assert ["(0 refused since the last line)", "(2 refused since the last line)"] == [
        message[message.index("(") :] for message in caplog.messages
    ]


async def test_a_connection_beyond_the_limit_gets_503_and_is_closed() -> None:
    """The connections within the limit are served on; when one of them ends, another one is accepted."""
    listening = ListeningReceiver(max_connections=2)
    port = await listening.receiver.start("127.0.0.1", 0)
    first, second = await Wire.connect(port), await Wire.connect(port)
    for wire in (first, second):
        wire.send(GET)

        assert (await wire.message()).startswith(b"HTTP/1.1 200 ")

    third = await Wire.connect(port)

    assert (await third.rest()).startswith(b"HTTP/1.1 503 ")
    assert 1 == listening.metrics.registry.get_sample_value(NAME)

    second.send(GET)

    assert (await second.message()).startswith(b"HTTP/1.1 200 ")

    first.send(GET.replace(b"Host", b"Connection: close\r\nHost"))

    assert b"200" in await first.rest()

    await first.close()
    fourth = await Wire.connect(port)
    fourth.send(GET)

    assert (await fourth.message()).startswith(b"HTTP/1.1 200 ")

    for wire in (second, third, fourth):
        await wire.close()
    await listening.receiver.close()
