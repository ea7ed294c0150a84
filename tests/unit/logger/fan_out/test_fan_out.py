"""Events are sent on unchanged, to each target once, whatever the others do."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.support.event_server import CLOSE, ERROR, HANG, OK, EventServer
from tests.support.listening_receiver import ListeningReceiver, headers
from tests.support.raw_client import Wire
from tests.support.waiting import until

BODY = b'{"instances": [[1.0, 2.0]]}'


@asynccontextmanager
async def logger(*servers: EventServer, urls: Sequence[str] = ()) -> AsyncIterator[ListeningReceiver]:
    """A logger that sends events on to servers, and to other URLs."""
    post = ListeningReceiver(urls=[*(server.url for server in servers), *urls])
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    async with post.fan_out.running():
        yield post
    await post.receiver.close()


def message(lines: Sequence[bytes], body: bytes = BODY) -> bytes:
    """The bytes of a request with an event."""
    own = [b"POST /x HTTP/1.1", b"Host: driftgauge", b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(own) + b"\r\n\r\n" + body


def event_lines(more: Sequence[bytes] = (), kind: str = "request") -> list[bytes]:
    """The header lines of an event of KServe's agent."""
    return [f"{name}: {value}".encode() for name, value in headers(kind).items()] + list(more)


async def send(post: ListeningReceiver, *messages: bytes) -> list[bytes]:
    """Send messages one after the other; returns the status lines of the responses."""
    wire = await Wire.connect(int(post.url.rpartition(":")[2].strip("/")))
    lines = []
    for one in messages:
        wire.send(one)
        head = await wire.until(b"\r\n\r\n")
        lines.append(head.partition(b"\r\n")[0])
        length = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        await wire.exactly(length[0] if length else 0)
    await wire.close()
    return lines


def outcomes(post: ListeningReceiver, server: EventServer) -> dict[str, float]:
    """The events of a target by outcome: `sent`, or the reason of a loss."""
    return {
        sample.labels["reason"] or "sent": sample.value
        for family in post.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "driftgauge_forwarded_events_total"
        and sample.labels["target"] == server.shown
        and sample.value
    }


async def settled(post: ListeningReceiver, server: EventServer, number: int) -> dict[str, float]:
    """The outcomes of a target when so many events have one."""
    await until(lambda: sum(outcomes(post, server).values()) >= number)
    return outcomes(post, server)


def sent_lines(head: bytes) -> list[bytes]:
    """The lines of a head that belong to the event."""
    return [line for line in head.split(b"\r\n")[1:-2] if line.lower().startswith((b"ce-", b"content-type", b"trace"))]


def _by_name(lines: Sequence[bytes]) -> list[bytes]:
    """Header lines by name, repeated ones in their order, without the space after an empty value."""
    return sorted((line.rstrip(b" ") for line in lines), key=lambda line: line.partition(b":")[0])


async def test_binary_event_is_unchanged() -> None:
    """Headers keep spelling, empty values and raw bytes, repeated ones their order; the body keeps its bytes."""
    lines = event_lines(
        [
            b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            'Ce-Extension: {"X":["gr\u00fc\u00df \U0001f600 100%"]}'.encode(),
            b"ce-other: 1",
            b"ce-other: 2",
        ]
    )
    body = bytes(range(256)) * 3
    async with EventServer().listening() as server, logger(server) as post:
        assert [b"HTTP/1.1 200 OK"] == await send(post, message(lines, body))
        assert {"sent": 1} == await settled(post, server, 1)
    assert server.heads[0].startswith(b"POST /events?tenant=a HTTP/1.1\r\n")
    assert _by_name(lines) == _by_name(sent_lines(server.heads[0]))
    assert body == server.bodies[0]


async def test_nothing_is_added_that_belongs_to_an_event() -> None:
    """An event without content type and body gets none; credentials and cookies of the sender stay here."""
    lines = [line for line in event_lines() if not line.startswith(b"Content-Type")]
    private = [b"Authorization: Bearer sender-secret", b"Cookie: sender-secret", b"X-Api-Key: sender-secret"]
    async with EventServer().listening() as server, logger(server) as post:
        await send(post, message([*lines, *private], b""))
        assert {"sent": 1} == await settled(post, server, 1)
    head = server.heads[0].lower()
    assert b"content-type" not in head
    assert b"sender-secret" not in head
    assert b"\r\ncontent-length: 0\r\n" in head


@pytest.mark.parametrize(
    ("content_type", "body", "events"),
    [
        ("application/cloudevents+json", {"specversion": "1.0"}, 1),
        ("application/cloudevents+json; charset=utf-8", {"x": "y" * 10_000}, 1),
        ("application/cloudevents-batch+json", [{"id": "1"}, {"id": "2"}, 3], 3),
        ("application/cloudevents-batch+json", [{"id": "1" * 10_000}, {"id": "2"}], 2),
    ],
)
async def test_structured_and_batch_events_are_unchanged(content_type: str, body: object, events: int) -> None:
    """The body arrives byte for byte in one request; each event counts, also those that driftgauge cannot read."""
    text = json.dumps(body, indent=3).encode()
    async with EventServer().listening() as server, logger(server) as post:
        await send(post, message([b"content-type: " + content_type.encode()], text))
        assert {"sent": events} == await settled(post, server, events)
    assert [text] == server.bodies
    assert [b"content-type: " + content_type.encode()] == sent_lines(server.heads[0])


async def test_an_event_of_another_type_is_sent_on() -> None:
    """An event that driftgauge refuses with 400 is one for the others; what is no event at all is not sent on."""
    other = [line.replace(b"inference.request", b"feedback") for line in event_lines()]
    async with EventServer().listening() as server, logger(server) as post:
        statuses = await send(post, message(other), message([b"content-type: text/plain"]))
        assert [b"HTTP/1.1 400 Bad Request"] * 2 == statuses
        assert {"sent": 1} == await settled(post, server, 1)
        await post.fan_out.flush()
    assert 1 == len(server.heads)


async def test_large_body() -> None:
    """A body of more than a megabyte arrives byte for byte."""
    body = b"[" + b"1," * 900_000 + b"1]"
    async with EventServer().listening() as server, logger(server) as post:
        await send(post, message(event_lines(), body))
        assert {"sent": 1} == await settled(post, server, 1)
    assert [body] == server.bodies


async def test_connections_are_reused() -> None:
    """Events that come one after the other share a connection to the target."""
    async with EventServer().listening() as server, logger(server) as post:
        for number in range(1, 6):
            await send(post, message(event_lines()))
            await settled(post, server, number)
    assert 1 == server.connections


@pytest.mark.parametrize("fault", [ERROR, CLOSE, b"HTTP/1.1 429 Wait\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"])
async def test_sent_again(fault: bytes) -> None:
    """After errors of the server, closed connections and overload an event is sent again until it arrives."""
    async with EventServer(lambda number: OK if number == 3 else fault).listening() as server, logger(server) as post:
        await send(post, message(event_lines()))
        assert {"sent": 1} == await settled(post, server, 1)
    assert [BODY] * 4 == server.bodies


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 There\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_refused(response: bytes) -> None:
    """An event that the target refuses, or redirects, is lost after one attempt."""
    async with EventServer(lambda _: response).listening() as server, logger(server) as post:
        await send(post, message(event_lines()))
        assert {"refused": 1} == await settled(post, server, 1)
    assert 1 == len(server.heads)


async def test_down_for_a_while() -> None:
    """Events wait for a target that is down, and arrive when it listens."""
    server = EventServer()
    async with server.listening():
        pass
    async with logger(server) as post:
        assert [b"HTTP/1.1 200 OK"] * 3 == await send(post, *[message(event_lines())] * 3)
        assert {} == outcomes(post, server)
        async with server.listening():
            assert {"sent": 3} == await settled(post, server, 3)


async def test_targets_are_independent() -> None:
    """A target that hangs and one that is down delay neither the responses to the agent nor the other target."""
    hanging, down, good = EventServer(lambda _: HANG), EventServer(), EventServer()
    async with down.listening():
        pass
    async with hanging.listening(), good.listening(), logger(hanging, down, good) as post:
        assert [b"HTTP/1.1 200 OK"] * 50 == await send(post, *[message(event_lines())] * 50)
        assert {"sent": 50} == await settled(post, good, 50)
        assert {} == outcomes(post, hanging) == outcomes(post, down)
    assert {"shutdown": 50} == outcomes(post, hanging) == outcomes(post, down)


async def test_bounded() -> None:
    """Beyond the limit of a target its events are lost, and counted."""
    hanging = EventServer(lambda _: HANG)
    async with hanging.listening(), logger(hanging) as post:
        batch = json.dumps([{"id": str(number)} for number in range(400)]).encode()
        lines = [b"content-type: application/cloudevents-batch+json"]
        await send(post, *[message(lines, batch)] * 3)
        assert {"queue_full": 400} == await settled(post, hanging, 400)
        assert 800 == post.metrics.registry.get_sample_value(
            "driftgauge_forward_queue_events", {"target": hanging.shown}
        )


async def test_headers_that_cannot_be_sent() -> None:
    """An event with a header that is not UTF-8 is used here, and counted as lost for the targets."""
    async with EventServer().listening() as server, logger(server) as post:
        assert [b"HTTP/1.1 200 OK"] == await send(post, message(event_lines([b"ce-extension: \xff"])))
        assert {"headers": 1} == await settled(post, server, 1)


async def test_loop_ends() -> None:
    """A logger that sends events on to itself stops after some rounds, and counts that."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    await post.receiver.close()
    server = EventServer(port=port)
    looping = ListeningReceiver(urls=[server.url])
    await looping.receiver.start("127.0.0.1", port)
    looping.url = f"http://127.0.0.1:{port}/"
    async with looping.fan_out.running():
        await send(looping, message(event_lines()))
        assert {"sent": 4, "loop": 1} == await settled(looping, server, 5)
    await looping.receiver.close()


async def test_flush_within_the_limit() -> None:
    """At the end what can be sent is sent; what waits when the limit is over is counted."""
    hanging, good = EventServer(lambda _: HANG), EventServer()
    async with hanging.listening(), good.listening(), logger(hanging, good) as post:
        await send(post, *[message(event_lines())] * 20)
        flush = asyncio.create_task(post.fan_out.flush())
        await settled(post, good, 20)
        flush.cancel()
        await asyncio.gather(flush, return_exceptions=True)
        assert {"shutdown": 20} == outcomes(post, hanging)
        assert {"sent": 20} == outcomes(post, good)


async def test_no_secret_in_labels() -> None:
    """The label of a target has neither user, password nor query; targets that are then alike get a number."""
    async with EventServer().listening() as server:
        base = f"127.0.0.1:{server.port}/p"
        urls = [f"http://user:s3cret@{base}?token=s3cret", f"http://{base}?token=s4cret"]
        async with logger(urls=urls) as post:
            await send(post, message(event_lines()))
            await until(lambda: len(server.heads) == 2)
            found = {
                sample.labels["target"]
                for family in post.metrics.registry.collect()
                for sample in family.samples
                if "target" in sample.labels
            }
    assert {f"http://{base} (1)", f"http://{base} (2)"} == found
    assert any(b"\r\nAuthorization: Basic dXNlcjpzM2NyZXQ=\r\n" in head for head in server.heads)


async def test_the_sdk_reads_the_same_event() -> None:
    """The Python SDK reads from what arrives the same attributes and data as from what was sent."""
    lines = event_lines(["Ce-Extension: gr\u00fc\u00df%20Gott".encode(), b"Ce-Empty: "])
    async with EventServer().listening() as server, logger(server) as post:
        await send(post, message(lines))
        await settled(post, server, 1)
    events = [
        from_http(HTTPMessage(_fields(head), body), JSONFormat(), CloudEvent)
        for head, body in ((message(lines, b""), BODY), (server.heads[0], server.bodies[0]))
    ]
    before, after = ((event.get_attributes(), event.get_data()) for event in events)
    assert before == after


def _fields(head: bytes) -> dict[str, str]:
    """The headers of a head."""
    lines = [line.decode().partition(":") for line in head.split(b"\r\n")[1:] if line]
    return {name.lower(): value.strip() for name, _, value in lines}
