"""The relay passes bytes, and does to them what a broken network does; tested with a real Redis."""

import socket
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from tests.chaos.relay import Mode, Relay
from tests.support.redis_server import RedisServer


@pytest.fixture
def relay(redis_server: RedisServer) -> Iterator[Relay]:
    """A relay before the common server."""
    with Relay(redis_server.port) as relay:
        yield relay


@pytest.fixture
def client(relay: Relay) -> Iterator[Redis]:
    """A client that reaches the server through the relay, waits for half a second, and repeats nothing."""
    with Redis(port=relay.port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)) as client:
        yield client


def test_bytes_pass(client: Redis) -> None:
    """Replies of any size come through."""
    assert b"x" * 200_000 == client.echo("x" * 200_000)


def test_connections_are_reset(relay: Relay) -> None:
    """An idle connection ends with a reset, and a new one works."""
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as idle:
        assert b"+PONG\r\n" == ping(idle)
        assert 1 == relay.reset_all()
        with pytest.raises(ConnectionResetError):
            idle.recv(1)
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as new:
        assert b"+PONG\r\n" == ping(new)


def ping(connection: socket.socket) -> bytes:
    """The reply to a PING."""
    connection.sendall(b"PING\r\n")
    return connection.recv(100)


@pytest.mark.parametrize("mode", [Mode.BLACKHOLE, Mode.TRICKLE])
def test_replies_do_not_come(relay: Relay, client: Redis, mode: Mode) -> None:
    """A reply does not come in time while the network is that bad, and does when it is good again."""
    client.ping()
    relay.set_mode(mode)

    with pytest.raises(RedisTimeoutError):
        client.echo("a long reply")
    relay.set_mode(Mode.PASS)
    assert client.ping()


def test_replies_are_garbage(relay: Relay, client: Redis) -> None:
    """The client cannot read a reply."""
    client.ping()
    relay.set_mode(Mode.GARBAGE)

    with pytest.raises((RedisError, OSError, ValueError, IndexError)):
        client.echo("a reply" * 100)
