"""Long bodies of structured and batch events are parsed off the event loop, within limits, and counted once."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from aiohttp import ClientSession

from driftgauge.cloudevents.event import Event, RefusedEvent
from driftgauge.cloudevents.sdk import MAX_EVENTS
from driftgauge.errors import Reason
from driftgauge.logger.parse_queue import EVENTS_A_TURN, SHORT_BYTES, ParseQueue
from driftgauge.server.body_copy import MemoryBudget
from tests.support.listening_receiver import ListeningReceiver
from tests.support.models import WINE
from tests.support.waiting import until

BATCH = {"Content-Type": "application/cloudevents-batch+json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
FIELDS = {b"content-type": b"application/cloudevents-batch+json"}


def named_event(number: int = 0, **members: object) -> dict[str, Any]:
    """A structured event of the model WINE."""
    return {
        "specversion": "1.0",
        "id": f"b{number}",
        "type": "org.kubeflow.serving.inference.request",
        "source": "test",
        "inferenceservicename": WINE.inference_service,
        "namespace": WINE.namespace,
        "data": {"instances": [[number]]},
        **members,
    }


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


async def sent(post: ListeningReceiver, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """The status code and the body of the response."""
    async with ClientSession() as client, client.post(post.url, data=body, headers=headers) as response:
        return response.status, await response.read()


async def test_a_full_batch_is_accepted_in_order(post: ListeningReceiver) -> None:
    """All events of the largest batch are offered in order before the response."""
    body = json.dumps([named_event(number) for number in range(MAX_EVENTS)]).encode()

    assert (200, b"") == await sent(post, body, BATCH)
    assert [f"b{number}" for number in range(MAX_EVENTS)] == [payload.id for payload in post.payloads]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([named_event(number) for number in range(MAX_EVENTS + 1)]).encode(),
        b"[" + b",".join([b"{}"] * 2_000) + b"]",
        b"[" + b",".join([b"{}"] * 300_000) + b"]",
        b"[" + b",".join([b"[]"] * 300_000) + b"]",
    ],
)
async def test_a_batch_of_too_many_events_is_refused_as_one(post: ListeningReceiver, body: bytes) -> None:
    """A batch beyond the limit gets 413 and one sentence, is counted once, and the connection is kept."""
    status, text = await sent(post, body, BATCH)

    assert (413, [], 1) == (status, post.payloads, post.rejected("too_complex"))
    assert json.loads(text)["error"].endswith(".")
    assert (200, b"") == await sent(post, json.dumps([named_event()]).encode(), BATCH)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ("[]", 40_000),
        ("{}", 40_000),
        ("null", 70_000),
        ("NaN", 70_000),
        ('"' + r"\n" * 100 + '"', 700),
        ('{"a":[1,2]}', 20_000),
    ],
    ids=["lists", "objects", "null", "NaN", "escapes", "nested"],
)
async def test_structured_data_are_bounded(post: ListeningReceiver, data: str, number: int) -> None:
    """A structured event whose data have more values than a parser may take in one call gets 413."""
    body = json.dumps(named_event())[:-1] + f',"data":[{",".join([data] * number)}]}}'

    status, _ = await sent(post, body.encode(), STRUCTURED)

    assert (413, [], 1) == (status, post.payloads, post.rejected("too_complex"))


async def test_a_long_event_is_accepted(post: ListeningReceiver) -> None:
    """A structured event with 1 MB of text in its data is accepted, and its bytes are not counted afterwards."""
    free_bytes = post.budget_bytes
    data = {"instances": [["x" * 1_000_000]]}

    assert (200, b"") == await sent(post, json.dumps(named_event(data=data)).encode(), STRUCTURED)
    assert [data] == [json.loads(payload.body) for payload in post.payloads]
    assert free_bytes == post.budget_bytes


async def test_a_sender_that_leaves_loses_no_complete_event(post: ListeningReceiver) -> None:
    """A sender that leaves after a complete body loses no event of it."""
    body = json.dumps([named_event(number) for number in range(200)]).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/")))
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {BATCH['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    writer.close()
    await until(lambda: len(post.payloads) == 200)

    assert not post.rejected("incomplete")


class Recorded:
    """What a parse queue does with one body."""

    def __init__(self) -> None:
        self.turns: list[int] = []
        self.ended: list[RefusedEvent | Reason | None] = []

    def on_count(self, events: int, body: bytes) -> None:
        """Ignore what is sent on."""

    def on_events(self, events: Sequence[Event | RefusedEvent]) -> None:
        """Count the events of a turn."""
        self.turns.append(len(events))

    def on_parsed(self, refused: RefusedEvent | None) -> None:
        """Record the end."""
        self.ended.append(refused)

    def on_parse_failure(self, reason: Reason) -> None:
        """Record the loss."""
        self.ended.append(reason)


async def test_events_of_a_turn_are_bounded() -> None:
    """No turn of the event loop accepts more than `EVENTS_A_TURN` events."""
    queue, recorded = ParseQueue(MemoryBudget(10**6)), Recorded()
    body = json.dumps([named_event(number) for number in range(100)]).encode()

    assert queue.submit(FIELDS, body, recorded)
    await until(lambda: recorded.ended == [None])

    assert [EVENTS_A_TURN] * 3 + [100 - 3 * EVENTS_A_TURN] == recorded.turns
    await queue.close()


async def test_bodies_that_wait_are_bounded() -> None:
    """The queue refuses a body beyond its bytes or its number of bodies, and counts those that it gives up."""
    body = b"[" + b"{}," * SHORT_BYTES + b"{}]"
    budget = MemoryBudget(2 * len(body))
    queue, recorded = ParseQueue(budget), Recorded()

    assert [True, True, False] == [queue.submit(FIELDS, body, recorded) for _ in range(3)]
    await queue.close()

    assert [Reason.SHUTDOWN] * 2 == recorded.ended
    assert 2 * len(body) == budget.free_bytes

    queue = ParseQueue(MemoryBudget(10**9))
    accepted = [queue.submit(FIELDS, b"[]", recorded) for _ in range(100)]
    assert [True] * 64 + [False] * 36 == accepted
    await queue.close()
