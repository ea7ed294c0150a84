"""The admin port limits the number of its connections, and the time for a request head."""

from collections.abc import Iterator

import pytest
from aiohttp import web

from driftgauge.server.control_connections import (
    HEAD_SECONDS,
    KEEPALIVE_SECONDS,
    MAX_CONNECTIONS,
    REQUEST_SECONDS,
    ControlConnection,
    ControlConnections,
)
from tests.support.recording_transport import ManualLoop, RecordingTransport


class Port:
    """An admin port without a network, which responds to every request with 200."""

    def __init__(self) -> None:
        self.loop = ManualLoop()
        self.connections = ControlConnections()
        app = web.Application(middlewares=[self.connections.follow])
        app.router.add_get("/", self._respond)
        self.runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=KEEPALIVE_SECONDS)
        self.transports: list[RecordingTransport] = []
        self.loop.run_until_complete(self.runner.setup())

    async def _respond(self, _: web.Request) -> web.Response:
        return web.Response(text="here")

    def connect(self) -> tuple[ControlConnection, RecordingTransport]:
        """A new connection."""
        transport = RecordingTransport()
        self.transports.append(transport)

        async def call() -> ControlConnection:
            """Open it with a running loop."""
            assert self.runner.server is not None
            connection = self.connections.make(self.runner.server())
            connection.connection_made(transport)
            return connection

        return self.loop.run_until_complete(call()), transport

    def send(self, connection: ControlConnection, data: bytes) -> None:
        """Bytes arrive."""

        async def call() -> None:
            """Deliver them with a running loop."""
            connection.data_received(data)

        self.loop.run_until_complete(call())
        self.loop.advance(0)

    def lose(self, connection: ControlConnection) -> None:
        """A connection is gone."""

        async def call() -> None:
            """Report it with a running loop."""
            connection.connection_lost(None)

        self.loop.run_until_complete(call())

    def close(self) -> None:
        """End everything."""
        self.loop.run_until_complete(self.runner.cleanup())
        for transport in self.transports:
            transport.release()
        self.loop.close()


@pytest.fixture
def port() -> Iterator[Port]:
    """A port, closed at the end."""
    port = Port()
    yield port
    port.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost"], ids=["nothing", "part of a head"])
def test_a_head_that_does_not_come_in_time_ends_the_connection(port: Port, sent: bytes) -> None:
    """A client that has not sent its first head within the limit is disconnected."""
    connection, transport = port.connect()
    if sent:
        port.send(connection, sent)
    port.loop.advance(HEAD_SECONDS - 1)

    assert not transport.is_closed

    port.loop.advance(2)

    assert transport.is_closed


def test_a_connection_that_had_a_request_is_kept(port: Port) -> None:
    """After a request the connection stays open for the next one beyond the limit for a head."""
    connection, transport = port.connect()
    port.send(connection, b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")
    port.loop.advance(HEAD_SECONDS + 1)

    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not transport.is_closed


ENDLESS = b"GET / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_response_that_is_not_read_ends_the_connection(port: Port) -> None:
    """A client that does not read its response is disconnected after a while, and its place is free."""
    connection, transport = port.connect()
    connection.pause_writing()
    port.send(connection, b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")
    port.loop.advance(REQUEST_SECONDS - 1)

    assert not transport.is_closed

    port.loop.advance(2)

    assert transport.is_closed

    port.lose(connection)


def test_a_body_without_end_ends_the_connection(port: Port) -> None:
    """A client that sends a body without end is disconnected after a while, however much it sends."""
    connection, transport = port.connect()
    port.send(connection, ENDLESS)
    for _ in range(3):
        port.loop.advance(REQUEST_SECONDS / 3)
        if not transport.is_closed:
            port.send(connection, b"3\r\nabc\r\n")
    port.loop.advance(1)

    assert transport.is_closed


def test_each_request_has_its_own_time(port: Port) -> None:
    """A connection that carries one request after another is kept longer than the limit of one."""
    connection, transport = port.connect()
    for _ in range(4):
        port.send(connection, b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")
        port.loop.advance(KEEPALIVE_SECONDS - 1)

    assert 4 == transport.written.count(b"HTTP/1.1 200 OK")
    assert not transport.is_closed


def test_the_oldest_waiting_connection_is_closed_for_a_new_one(port: Port) -> None:
    """Beyond the limit the oldest connection without a request is closed, so that a new client is always served."""
    old = [port.connect()[1] for _ in range(MAX_CONNECTIONS)]
    connection, transport = port.connect()
    port.send(connection, b"GET / HTTP/1.1\r\nHost: m\r\n\r\n")

    assert [True] + [False] * (MAX_CONNECTIONS - 1) == [one.is_closed for one in old]
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_connection_is_refused_if_all_others_are_busy(port: Port) -> None:
    """A connection whose request is being handled is not closed for a new one."""
    busy = [port.connect() for _ in range(MAX_CONNECTIONS)]
    for connection, _ in busy:
        connection.begin()
    _, transport = port.connect()

    assert transport.is_closed
    assert not any(one.is_closed for _, one in busy)
