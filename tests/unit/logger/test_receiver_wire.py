"""The logger's port on the wire: events that are sent ahead, expect 100 Continue, stall, or are too many."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from driftgauge.inference.models import OVERFLOW
from driftgauge.server.timeouts import Timeouts
from tests.support.listening_receiver import LIMIT, ListeningReceiver, headers
from tests.support.waiting import until


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """Open on a port that the system chose."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


class Sender:
    """A sender that writes bytes of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: str) -> None:
        """Write it."""
        self._writer.write(data.encode())
        await self._writer.drain()

    async def heads(self, number: int) -> list[str]:
        """The next response, which has no body."""
        async with asyncio.timeout(10):
            return [(await self._reader.readuntil(b"\r\n\r\n")).decode() for _ in range(number)]

    async def rest(self) -> str:
        """What comes until the other side closes."""
        async with asyncio.timeout(10):
            return (await self._reader.read()).decode()

    async def close(self) -> None:
        """Leave."""
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
async def sender(post: ListeningReceiver) -> AsyncIterator[Sender]:
    """Connected to the receiver."""
    found = Sender(*await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/"))))
    yield found
    await found.close()


def wire(more: str, body: str = "", method: str = "POST", **changed: str) -> str:
    """A request as it stands on the wire."""
    reported = {**headers(), **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in reported.items())
    return f"{method} / HTTP/1.1\r\nHost: x\r\n{lines}{more}\r\n{body}"


OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_events_that_are_sent_ahead_get_responses_in_order(post: ListeningReceiver, sender: Sender) -> None:
    """On one connection, though the sender did not wait for a response."""
    await sender.send("".join(wire("Content-Length: 2\r\n", "{}", Ce_Id=f"a{number}") for number in range(3)))

    assert [OK] * 3 == await sender.heads(3)
    assert ["a0", "a1", "a2"] == [payload.id for payload in post.payloads]


async def test_a_sender_that_expects_100_continue_gets_it(post: ListeningReceiver, sender: Sender) -> None:
    """It would wait for ever."""
    await sender.send(wire("Expect: 100-continue\r\nContent-Length: 2\r\n"))
    assert ["HTTP/1.1 100 Continue\r\n\r\n"] == await sender.heads(1)

    await sender.send("{}")
    assert [OK] == await sender.heads(1)
    assert [b"{}"] == [payload.body for payload in post.payloads]


async def test_other_methods_are_refused(post: ListeningReceiver, sender: Sender) -> None:
    """An event is sent by POST."""
    await sender.send(wire("Content-Length: 2\r\n", "{}", method="PUT"))

    assert (await sender.rest()).startswith("HTTP/1.1 405 Method Not Allowed\r\n")
    assert [] == post.payloads


async def test_a_head_request_gets_no_body(post: ListeningReceiver, sender: Sender) -> None:
    """As a GET, but for the body."""
    await sender.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    found = await sender.rest()

    assert found.startswith("HTTP/1.1 200 OK\r\n")
    assert found.endswith("\r\n\r\n")
    assert [] == post.payloads


async def test_bodies_that_come_at_once_have_a_bound_together(post: ListeningReceiver, sender: Sender) -> None:
    """The one too many gets 503, which the agent logs, and is counted."""
    others = [await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/"))) for _ in range(2)]
    for _, writer in others:
        writer.write(f"{wire(f'Content-Length: {LIMIT}' + chr(13) + chr(10))}{' ' * (LIMIT - 1)}".encode())
        await writer.drain()
    await until(lambda: post.budget_bytes < 10)
    await sender.send(wire("Content-Length: 10\r\n", "x" * 10))

    assert (await sender.rest()).startswith("HTTP/1.1 503 Service Unavailable\r\n")
    full = post.value("driftgauge_payloads_total", OVERFLOW, kind="request", outcome="dropped", reason="queue_full")
    assert full == 1
    for _, writer in others:
        writer.close()
        await writer.wait_closed()


async def test_a_broken_chunk_ends_the_connection_and_is_counted(post: ListeningReceiver, sender: Sender) -> None:
    """What stands behind it cannot be read."""
    await sender.send(wire("Transfer-Encoding: chunked\r\n", "zz\r\n"))

    assert (await sender.rest()).startswith("HTTP/1.1 400 Bad Request\r\n")
    assert post.rejected("incomplete") == 1


async def test_a_body_that_stalls_is_given_up_and_counted() -> None:
    """Within the receiver's time limits."""
    post = ListeningReceiver(Timeouts(body=0.05, body_bytes=10))
    port = await post.receiver.start("127.0.0.1", 0)
    sender = Sender(*await asyncio.open_connection("127.0.0.1", port))
    await sender.send(wire("Content-Length: 20\r\n", "{"))

    assert (await sender.rest()).startswith("HTTP/1.1 408 Request Timeout\r\n")
    assert post.rejected("incomplete") == 1
    await sender.close()
    await post.receiver.close()


async def test_an_event_that_makes_trouble_costs_itself_alone(post: ListeningReceiver, sender: Sender) -> None:
    """A fault of ours is counted, and the next event on the same connection is taken."""
    post.is_new = None
    await sender.send(wire("Content-Length: 2\r\n", "{}"))
    assert [OK] == await sender.heads(1)
    lost = post.value("driftgauge_payloads_total", OVERFLOW, kind="request", outcome="dropped", reason="internal")
    assert lost == 1

    post.is_new = True
    await sender.send(wire("Content-Length: 2\r\n", "{}"))
    assert [OK] == await sender.heads(1)
    assert [b"{}"] == [payload.body for payload in post.payloads]
