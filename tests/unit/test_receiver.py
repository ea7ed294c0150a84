"""Door 2: what KServe's agents send, and what strangers send."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from sidecar.clients.patience import Patience
from sidecar.metrics import Metrics
from sidecar.models import OTHER, KnownModels
from sidecar.payload import Kind, ModelKey, Payload, Sighting
from sidecar.receiver import Receiver
from tests.support.models import IRIS, WINE, labels
from tests.support.waiting import until

LIMIT = 2 * 2**20
NOW = 1_800_000_000.0
"""After the time of the events below."""


def headers(kind: str = "request", model: ModelKey = WINE, more: dict[str, str] | None = None) -> dict[str, str]:
    """The headers of an event as KServe's agent 0.18 and later writes them."""
    return {
        "Ce-Specversion": "1.0",
        "Ce-Id": "a1",
        "Ce-Type": f"org.kubeflow.serving.inference.{kind}",
        "Ce-Source": "http://localhost:9081/",
        "Ce-Time": "2026-11-23T04:50:06.703447869Z",
        "Ce-Recordedtime": "2026-11-23T04:50:06.703448179Z",
        "Ce-Inferenceservicename": model.inference_service,
        "Ce-Namespace": model.namespace,
        "Ce-Component": model.component,
        "Ce-Endpoint": "",
        "Ce-Metadata": "{}",
        "Content-Type": "application/json",
        **(more or {}),
    }


class Post:
    """A receiver that listens, and what it has handed on."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.payloads: list[Payload] = []
        self.sightings: list[Sighting] = []
        self.metrics = Metrics("", 90)
        self.is_new: bool | None = True
        self.receiver = Receiver(
            self.payloads.append,
            self._pair,
            self.metrics,
            KnownModels(10),
            LIMIT,
            2 * LIMIT,
            clock=lambda: NOW,
            patience=patience or Patience(),
        )
        self.url = ""

    def _pair(self, sighting: Sighting) -> bool:
        self.sightings.append(sighting)
        if self.is_new is None:
            raise RuntimeError("the pairing breaks")
        return self.is_new

    @property
    def room_bytes(self) -> int:
        """How much the bodies that come may still have."""
        return self.receiver.room.free_bytes

    def value(self, name: str, model: ModelKey = WINE, **more: str) -> float | None:
        """One sample of a model."""
        return self.metrics.registry.get_sample_value(name, labels(model, **more))

    def rejected(self, reason: str, model: ModelKey = OTHER, kind: str = "request") -> float | None:
        """How many payloads of a model were rejected for a reason."""
        return self.value("driftgauge_payloads_total", model, kind=kind, outcome="rejected", reason=reason)


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    """Open on a port that the system chose."""
    post = Post()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """A client that adds nothing of its own."""
    async with ClientSession(skip_auto_headers=("Content-Type",), max_field_size=2**20) as session:
        yield session


async def test_an_event_of_the_agent_is_answered_200_and_handed_on(post: Post, client: ClientSession) -> None:
    """Exactly 200 and nothing in the body: any other answer is an error in the agent's log."""
    async with client.post(post.url, data=b'{"instances":[[1]]}', headers=headers()) as answer:
        assert (200, b"") == (answer.status, await answer.read())
    (payload,) = post.payloads

    assert (Kind.REQUEST, "a1", WINE, b'{"instances":[[1]]}', None, None) == (
        payload.kind,
        payload.id,
        payload.model,
        payload.body,
        payload.json_length,
        payload.status,
    )
    assert payload.time == pytest.approx(1_795_409_406.703447869)
    assert [Sighting(WINE, "a1", Kind.REQUEST, payload.time, true_time=True)] == post.sightings
    assert post.value("request_count", code="") == 1


async def test_any_path_will_do(post: Post, client: ClientSession) -> None:
    """`logger.url` is used as it is, and a token may stand in it."""
    async with client.post(f"{post.url}a/b%2Fc?token=x", data=b"{}", headers=headers()) as answer:
        assert answer.status == 200
    assert len(post.payloads) == 1


async def test_a_response_is_no_request(post: Post, client: ClientSession) -> None:
    """Its bytes are counted, and it is handed on as a response."""
    async with client.post(post.url, data=b'{"predictions":[1]}', headers=headers("response")):
        pass

    assert [Kind.RESPONSE] == [payload.kind for payload in post.payloads]
    assert post.value("request_count", code="") == 0
    assert post.value("driftgauge_response_bytes_total") == 19


async def test_an_old_agents_time_is_not_the_true_one(post: Post, client: ClientSession) -> None:
    """Without `recordedtime` the time is that of sending."""
    old = headers()
    del old["Ce-Recordedtime"]
    async with client.post(post.url, data=b"{}", headers=old):
        pass

    assert [False] == [sighting.true_time for sighting in post.sightings]


async def test_an_event_without_a_time_is_stamped_here(post: Post, client: ClientSession) -> None:
    """CloudEvents leave `time` optional."""
    timeless = headers()
    del timeless["Ce-Time"]
    async with client.post(post.url, data=b"{}", headers=timeless):
        pass

    assert [NOW] == [payload.time for payload in post.payloads]
    assert [None] == [sighting.event_time for sighting in post.sightings]


async def test_a_redelivery_is_counted_as_such_and_not_handed_on(post: Post, client: ClientSession) -> None:
    """Its rows are in the ring already."""
    post.is_new = False
    async with client.post(post.url, data=b"{}", headers=headers()) as answer:
        assert answer.status == 200

    assert [] == post.payloads
    assert post.rejected("duplicate", WINE) == 1
    assert post.value("request_count", code="") == 0


async def test_an_event_without_a_body_is_no_inference(post: Post, client: ClientSession) -> None:
    """The agent logs health checks and other GETs; they pair, but tell no latency and are no requests."""
    bare = headers()
    del bare["Content-Type"]
    async with client.post(post.url, headers=bare) as answer:
        assert answer.status == 200

    assert [] == post.payloads
    assert post.rejected("empty") == 1
    assert post.value("request_count", OTHER, code="") == 0


async def test_models_are_told_apart_by_what_the_event_says(post: Post, client: ClientSession) -> None:
    """One logger serves many InferenceServices."""
    async with client.post(post.url, data=b"{}", headers=headers(model=IRIS)):
        pass
    async with client.post(post.url, data=b"{}", headers=headers()):
        pass

    assert [IRIS, WINE] == [payload.model for payload in post.payloads]


async def test_large_bodies_and_large_headers_are_taken(post: Post, client: ClientSession) -> None:
    """Beyond aiohttp's own 1 MiB and 8,190 bytes."""
    metadata = json.dumps({"Cookie": ["x" * 65_536]})
    body = b'{"instances":[[1]]}'.ljust(LIMIT)
    async with client.post(post.url, data=io.BytesIO(body), headers=headers(more={"Ce-Metadata": metadata})) as answer:
        assert answer.status == 200

    assert [body] == [payload.body for payload in post.payloads]


async def test_a_body_beyond_the_limit_is_answered_413_and_counted(post: Post, client: ClientSession) -> None:
    """And the next event is taken."""
    async with client.post(post.url, data=io.BytesIO(b" " * (LIMIT + 1)), headers=headers()) as answer:
        assert answer.status == 413
    async with client.post(post.url, data=b"{}", headers=headers()) as answer:
        assert answer.status == 200

    assert post.rejected("too_large") == 1
    assert len(post.payloads) == 1


@pytest.mark.parametrize("missing", ["Ce-Id", "Ce-Type", "Ce-Source", "Ce-Specversion"])
async def test_an_event_without_a_required_attribute_is_answered_400(
    post: Post, client: ClientSession, missing: str
) -> None:
    """The sentence names the attribute."""
    broken = headers()
    del broken[missing]
    async with client.post(post.url, data=b"{}", headers=broken) as answer:
        assert answer.status == 400
        assert missing.removeprefix("Ce-").lower() in (await answer.json())["error"]

    assert [] == post.payloads
    assert post.rejected("malformed") == 1


async def test_an_event_of_no_inference_service_is_answered_400(post: Post, client: ClientSession) -> None:
    """It could not be counted anywhere."""
    async with client.post(post.url, data=b"{}", headers=headers(more={"Ce-Inferenceservicename": ""})) as answer:
        assert answer.status == 400

    assert post.rejected("malformed") == 1


async def test_one_bad_event_of_a_batch_loses_nothing_else(post: Post, client: ClientSession) -> None:
    """The good ones are handed on, the bad one is counted, the answer is 200."""
    good = {
        "specversion": "1.0",
        "id": "b1",
        "type": "org.kubeflow.serving.inference.request",
        "source": "test",
        "inferenceservicename": "wine",
        "namespace": "cellar",
        "data": {"instances": [[1]]},
    }
    batch = [good, {"specversion": "1.0"}, {**good, "id": "b2"}]
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    async with client.post(post.url, data=json.dumps(batch), headers=kind) as answer:
        assert answer.status == 200

    assert ["b1", "b2"] == [payload.id for payload in post.payloads]
    assert [b'{"instances":[[1]]}'] * 2 == [payload.body for payload in post.payloads]
    assert post.rejected("malformed") == 1


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "no-such-coding"])
async def test_a_content_encoding_is_neither_trusted_nor_undone(post: Post, client: ClientSession, coding: str) -> None:
    """The body is handed on as it came; what it is, is seen from its bytes."""
    body = gzip.compress(b"{}")
    async with client.post(post.url, data=body, headers=headers(more={"Content-Encoding": coding})) as answer:
        assert answer.status == 200

    assert [body] == [payload.body for payload in post.payloads]


async def test_a_sender_that_leaves_within_its_event_is_counted(post: Post) -> None:
    """And is no fault of ours in the log."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
    _, writer = await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/")))
    writer.write(f"POST / HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: 10\r\n\r\n{{}}".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await until(lambda: post.rejected("incomplete") == 1)

    assert [] == post.payloads


async def test_events_without_a_body_take_no_place_of_a_model(post: Post, client: ClientSession) -> None:
    """Health checks of anything could use up all of them."""
    for number in range(12):
        model = ModelKey("garden", f"m{number}", "predictor", f"m{number}")
        async with client.post(post.url, data=b"", headers=headers(model=model)):
            pass
    async with client.post(post.url, data=b"{}", headers=headers()):
        pass

    assert [WINE] == [payload.model for payload in post.payloads]


async def test_a_time_in_the_future_is_the_present(post: Post, client: ClientSession) -> None:
    """Else one event of a wrong clock would look like the newest for ever."""
    async with client.post(post.url, data=b"{}", headers=headers(more={"Ce-Time": "2999-01-01T00:00:00Z"})):
        pass

    assert [NOW] == [payload.time for payload in post.payloads]


async def test_senders_are_asked_to_leave_once_the_end_is_announced(post: Post, client: ClientSession) -> None:
    """A connection that is used again would be closed on them in the midst of an event."""
    post.receiver.announce()
    async with client.post(post.url, data=b"{}", headers=headers()) as answer:
        assert (200, "close") == (answer.status, answer.headers["Connection"])


async def test_a_get_is_answered_200(post: Post, client: ClientSession) -> None:
    """Probes and people look at the port."""
    async with client.get(post.url) as answer:
        assert answer.status == 200


async def test_models_beyond_the_cap_are_not_paired(post: Post, client: ClientSession) -> None:
    """They share one key, and their ids have nothing to do with each other."""
    for number in range(12):
        model = ModelKey("garden", f"m{number}", "predictor", f"m{number}")
        async with client.post(post.url, data=b"{}", headers=headers(model=model)) as answer:
            assert answer.status == 200

    assert 10 == len(post.sightings)
    assert [OTHER, OTHER] == [payload.model for payload in post.payloads[10:]]


async def test_trailers_of_one_event_are_no_headers_of_the_next(post: Post) -> None:
    """A gateway may carry events of many senders over one connection."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
    start = f"POST / HTTP/1.1\r\nHost: x\r\n{lines}"
    chunked = f"{start}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\nCe-Namespace: elsewhere\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/")))
    writer.write((chunked + f"{start}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}").encode())
    answers = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert 2 == answers.count(b"HTTP/1.1 200")
    assert [WINE, WINE] == [payload.model for payload in post.payloads]


class Sender:
    """A sender that writes bytes of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: str) -> None:
        """Write it."""
        self._writer.write(data.encode())
        await self._writer.drain()

    async def heads(self, number: int) -> list[str]:
        """The next answers without a body."""
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
async def sender(post: Post) -> AsyncIterator[Sender]:
    """Connected to the receiver."""
    found = Sender(*await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/"))))
    yield found
    await found.close()


def wire(more: str, body: str = "", method: str = "POST", **changed: str) -> str:
    """A request as it stands on the wire."""
    told = {**headers(), **{name.replace("_", "-"): value for name, value in changed.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} / HTTP/1.1\r\nHost: x\r\n{lines}{more}\r\n{body}"


OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_events_that_are_sent_ahead_are_answered_in_order(post: Post, sender: Sender) -> None:
    """On one connection, though the sender did not wait for an answer."""
    await sender.send("".join(wire("Content-Length: 2\r\n", "{}", Ce_Id=f"a{number}") for number in range(3)))

    assert [OK] * 3 == await sender.heads(3)
    assert ["a0", "a1", "a2"] == [payload.id for payload in post.payloads]


async def test_a_sender_that_asks_before_it_sends_is_told_to_go_on(post: Post, sender: Sender) -> None:
    """It would wait for ever."""
    await sender.send(wire("Expect: 100-continue\r\nContent-Length: 2\r\n"))
    assert ["HTTP/1.1 100 Continue\r\n\r\n"] == await sender.heads(1)

    await sender.send("{}")
    assert [OK] == await sender.heads(1)
    assert [b"{}"] == [payload.body for payload in post.payloads]


async def test_other_methods_are_refused(post: Post, sender: Sender) -> None:
    """An event is sent by POST."""
    await sender.send(wire("Content-Length: 2\r\n", "{}", method="PUT"))

    assert (await sender.rest()).startswith("HTTP/1.1 405 Method Not Allowed\r\n")
    assert [] == post.payloads


async def test_a_head_is_answered_without_a_body(post: Post, sender: Sender) -> None:
    """As a GET, but for the body."""
    await sender.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    found = await sender.rest()

    assert found.startswith("HTTP/1.1 200 OK\r\n")
    assert found.endswith("\r\n\r\n")
    assert [] == post.payloads


async def test_bodies_that_come_at_once_have_a_bound_together(post: Post, sender: Sender) -> None:
    """The one too many is answered 503, which stands in the agent's log, and is counted."""
    others = [await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/"))) for _ in range(2)]
    for _, writer in others:
        writer.write(f"{wire(f'Content-Length: {LIMIT}' + chr(13) + chr(10))}{' ' * (LIMIT - 1)}".encode())
        await writer.drain()
    await until(lambda: post.room_bytes < 10)
    await sender.send(wire("Content-Length: 10\r\n", "x" * 10))

    assert (await sender.rest()).startswith("HTTP/1.1 503 Service Unavailable\r\n")
    full = post.value("driftgauge_payloads_total", OTHER, kind="request", outcome="dropped", reason="queue_full")
    assert full == 1
    for _, writer in others:
        writer.close()
        await writer.wait_closed()


async def test_a_broken_chunk_ends_the_connection_and_is_counted(post: Post, sender: Sender) -> None:
    """What stands behind it cannot be read."""
    await sender.send(wire("Transfer-Encoding: chunked\r\n", "zz\r\n"))

    assert (await sender.rest()).startswith("HTTP/1.1 400 Bad Request\r\n")
    assert post.rejected("incomplete") == 1


async def test_a_body_that_stalls_is_given_up_and_counted() -> None:
    """Within the patience that the receiver has."""
    post = Post(Patience(body=0.05, body_bytes=10))
    port = await post.receiver.start("127.0.0.1", 0)
    sender = Sender(*await asyncio.open_connection("127.0.0.1", port))
    await sender.send(wire("Content-Length: 20\r\n", "{"))

    assert (await sender.rest()).startswith("HTTP/1.1 408 Request Timeout\r\n")
    assert post.rejected("incomplete") == 1
    await sender.close()
    await post.receiver.close()


async def test_an_event_that_makes_trouble_costs_itself_alone(post: Post, sender: Sender) -> None:
    """A fault of ours is counted, and the next event on the same connection is taken."""
    post.is_new = None
    await sender.send(wire("Content-Length: 2\r\n", "{}"))
    assert [OK] == await sender.heads(1)
    lost = post.value("driftgauge_payloads_total", OTHER, kind="request", outcome="dropped", reason="internal")
    assert lost == 1

    post.is_new = True
    await sender.send(wire("Content-Length: 2\r\n", "{}"))
    assert [OK] == await sender.heads(1)
    assert [b"{}"] == [payload.body for payload in post.payloads]
