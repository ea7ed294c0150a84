"""The logger's port on the wire: events that are sent ahead, expect 100 Continue, stall, or are too many."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from driftgauge.inference.payload import OVERFLOW
from driftgauge.server.timeouts import Timeouts
from tests.support.listening_receiver import LIMIT, ListeningReceiver, headers
from tests.support.models import WINE
from tests.support.waiting import until


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


class Sender:
    """A sender that writes exact bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: str) -> None:
        """Write the data."""
        self._writer.write(data.encode())
        await self._writer.drain()

    async def heads(self, number: int) -> list[str]:
        """The heads of the next responses, which have no body."""
        async with asyncio.timeout(10):
            return [(await self._reader.readuntil(b"\r\n\r\n")).decode() for _ in range(number)]

    async def rest(self) -> str:
        """The bytes until the other side closes."""
        async with asyncio.timeout(10):
            return (await self._reader.read()).decode()

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
async def sender(post: ListeningReceiver) -> AsyncIterator[Sender]:
    """A sender that is connected to the receiver."""
    found = Sender(*await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/"))))
    yield found
    await found.close()


def wire(more: str, body: str = "", method: str = "POST", **changed: str) -> str:
    """A request as it is on the wire."""
    reported = {**headers(), **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in reported.items())
    return f"{method} / HTTP/1.1\r\nHost: x\r\n{lines}{more}\r\n{body}"


OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_events_that_are_sent_ahead_get_responses_in_order(post: ListeningReceiver, sender: Sender) -> None:
    """Events that are pipelined on one connection get their responses in order."""
    await sender.send("".join(wire("Content-Length: 2\r\n", "{}", Ce_Id=f"a{number}") for number in range(3)))

    assert [OK] * 3 == await sender.heads(3)
    assert ["a0", "a1", "a2"] == [payload.id for payload in post.payloads]


async def test_a_sender_that_expects_100_continue_gets_it(post: ListeningReceiver, sender: Sender) -> None:
    """A sender that expects 100 Continue gets it before its body, and 200 after it."""
    await sender.send(wire("Expect: 100-continue\r\nContent-Length: 2\r\n"))
    assert ["HTTP/1.1 100 Continue\r\n\r\n"] == await sender.heads(1)

    await sender.send("{}")
    assert [OK] == await sender.heads(1)
    assert [b"{}"] == [payload.body for payload in post.payloads]


async def test_other_methods_are_refused(post: ListeningReceiver, sender: Sender) -> None:
    """An event that is not sent by POST gets 405."""
    await sender.send(wire("Content-Length: 2\r\n", "{}", method="PUT"))

    assert (await sender.rest()).startswith("HTTP/1.1 405 Method Not Allowed\r\n")
    assert [] == post.payloads


async def test_a_head_request_gets_no_body(post: ListeningReceiver, sender: Sender) -> None:
    """A HEAD gets the response to a GET without its body."""
    await sender.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    found = await sender.rest()

    assert found.startswith("HTTP/1.1 200 OK\r\n")
    assert found.endswith("\r\n\r\n")
    assert [] == post.payloads


async def test_bodies_that_come_at_once_have_a_bound_together(post: ListeningReceiver, sender: Sender) -> None:
    """A body beyond the common limit of all bodies gets 503, which the agent logs, and is counted."""
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
    """A malformed chunk gets 400, ends the connection, and is counted as incomplete."""
    await sender.send(wire("Transfer-Encoding: chunked\r\n", "zz\r\n"))

    assert (await sender.rest()).startswith("HTTP/1.1 400 Bad Request\r\n")
    assert post.rejected("incomplete") == 1


async def test_a_body_that_stalls_is_given_up_and_counted() -> None:
    """A body that is too slow for the receiver's timeouts gets 408 and is counted as incomplete."""
    post = ListeningReceiver(Timeouts(body=0.05, body_bytes=10))
    port = await post.receiver.start("127.0.0.1", 0)
    sender = Sender(*await asyncio.open_connection("127.0.0.1", port))
    await sender.send(wire("Content-Length: 20\r\n", "{"))

    assert (await sender.rest()).startswith("HTTP/1.1 408 Request Timeout\r\n")
    assert post.rejected("incomplete") == 1
    await sender.close()
    await post.receiver.close()


async def test_an_internal_error_loses_one_event(post: ListeningReceiver, sender: Sender) -> None:
    """An internal error loses one event, which counts for its model; the next one of the connection is offered."""
    post.is_new = None
    await sender.send(wire("Content-Length: 2\r\n", "{}"))
    assert [OK] == await sender.heads(1)
    lost = post.value("driftgauge_payloads_total", WINE, kind="request", outcome="dropped", reason="internal")
    assert lost == 1

    post.is_new = True
    await sender.send(wire("Content-Length: 2\r\n", "{}"))
    assert [OK] == await sender.heads(1)
    assert [b"{}"] == [payload.body for payload in post.payloads]
