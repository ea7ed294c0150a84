"""The logger's port accepts the events of KServe's agents, and refuses what untrusted senders must not send."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from driftgauge.inference.payload import OVERFLOW, Kind, ModelKey
from driftgauge.logger.receiver import passed_at
from tests.support.listening_receiver import LIMIT, NOW, ListeningReceiver, headers
from tests.support.models import IRIS, WINE
from tests.support.raw_client import Wire
from tests.support.waiting import until


@pytest.fixture
async def post() -> AsyncIterator[ListeningReceiver]:
    """A receiver that listens on a port chosen by the system."""
    post = ListeningReceiver()
    port = await post.receiver.start("127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{port}/"
    yield post
    await post.receiver.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """A client that adds no headers of its own."""
    async with ClientSession(skip_auto_headers=("Content-Type",), max_field_size=2**20) as session:
        yield session


async def test_an_event_of_the_agent_gets_200_and_is_offered(post: ListeningReceiver, client: ClientSession) -> None:
    """An event gets exactly 200 and no body: any other response is an error in the agent's log."""
    async with client.post(post.url, data=b'{"instances":[[1]]}', headers=headers()) as response:
        assert (200, b"") == (response.status, await response.read())
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
    assert [(WINE, "a1", Kind.REQUEST, payload.time, True)] == post.observed
    assert post.value("request_count", code="") == 1


async def test_any_path_is_accepted(post: ListeningReceiver, client: ClientSession) -> None:
    """Any path and query is accepted, since `logger.url` may contain a token."""
    async with client.post(f"{post.url}a/b%2Fc?token=x", data=b"{}", headers=headers()) as response:
        assert response.status == 200
    assert len(post.payloads) == 1


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "http://other/path", 200),
        ("GET", "http://user:secret@other/", 400),
        ("GET", "https://other/", 400),
        ("GET", "/path#fragment", 400),
        ("GET", "*", 400),
        ("OPTIONS", "*", 405),
    ],
)
async def test_targets(post: ListeningReceiver, method: str, target: str, status: int) -> None:
    """A URL of http is taken as its path; other forms of a target are refused with 400."""
    wire = await Wire.connect(int(post.url.split(":")[2].rstrip("/")))
    wire.send(f"{method} {target} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n".encode())

    assert (await wire.rest()).startswith(f"HTTP/1.1 {status} ".encode())
    await wire.close()


async def test_a_response_is_no_request(post: ListeningReceiver, client: ClientSession) -> None:
    """The event of a response is offered as a response; its bytes are counted, but no request is."""
    async with client.post(post.url, data=b'{"predictions":[1]}', headers=headers("response")):
        pass

    assert [Kind.RESPONSE] == [payload.kind for payload in post.payloads]
    assert post.value("request_count", code="") == 0
    assert post.value("driftgauge_response_bytes_total") == 19


async def test_a_time_of_sending_is_not_the_true_time(post: ListeningReceiver, client: ClientSession) -> None:
    """Without `recordedtime` an observation is marked as not having the true time."""
    old = headers()
    del old["Ce-Recordedtime"]
    async with client.post(post.url, data=b"{}", headers=old):
        pass

    assert [False] == [observation.true_time for observation in post.observations]


async def test_an_event_without_a_time_is_stamped_here(post: ListeningReceiver, client: ClientSession) -> None:
    """An event without the optional `time` gets the time of the receiver."""
    timeless = headers()
    del timeless["Ce-Time"]
    async with client.post(post.url, data=b"{}", headers=timeless):
        pass

    assert [NOW] == [payload.time for payload in post.payloads]
    assert [None] == [observation.event_time for observation in post.observations]


async def test_a_redelivery_is_counted_and_not_offered(post: ListeningReceiver, client: ClientSession) -> None:
    """A redelivered event is counted as a duplicate and not offered again."""
    post.is_new = False
    async with client.post(post.url, data=b"{}", headers=headers()) as response:
        assert response.status == 200

    assert [] == post.payloads
    assert post.rejected("duplicate", WINE) == 1
    assert post.value("request_count", code="") == 0


async def test_an_event_without_a_body_is_no_inference(post: ListeningReceiver, client: ClientSession) -> None:
    """Events without a body, such as logged health checks, are rejected as empty and are not requests."""
    bare = headers()
    del bare["Content-Type"]
    async with client.post(post.url, headers=bare) as response:
        assert response.status == 200

    assert [] == post.payloads
    assert post.rejected("empty") == 1
    assert post.value("request_count", OVERFLOW, code="") == 0


async def test_the_event_names_the_model(post: ListeningReceiver, client: ClientSession) -> None:
    """One receiver serves many InferenceServices and takes the model from each event."""
    async with client.post(post.url, data=b"{}", headers=headers(model=IRIS)):
        pass
    async with client.post(post.url, data=b"{}", headers=headers()):
        pass

    assert [IRIS, WINE] == [payload.model for payload in post.payloads]


async def test_large_bodies_and_large_headers_are_taken(post: ListeningReceiver, client: ClientSession) -> None:
    """Bodies and headers beyond aiohttp's defaults of 1 MiB and 8,190 bytes are accepted."""
    metadata = json.dumps({"Cookie": ["x" * 65_536]})
    body = b'{"instances":[[1]]}'.ljust(LIMIT)
    async with client.post(
        post.url, data=io.BytesIO(body), headers=headers(more={"Ce-Metadata": metadata})
    ) as response:
        assert response.status == 200

    assert [body] == [payload.body for payload in post.payloads]


async def test_a_body_beyond_the_limit_gets_413_and_is_counted(post: ListeningReceiver, client: ClientSession) -> None:
    """A body beyond the limit gets 413 and is counted, and the next event is accepted."""
    for _ in range(2):
        async with client.post(post.url, data=io.BytesIO(b" " * (LIMIT + 1)), headers=headers()) as response:
            assert response.status == 413
        async with client.post(post.url, data=b"{}", headers=headers()) as response:
            assert response.status == 200

    assert (1, 1) == (post.rejected("too_large", OVERFLOW), post.rejected("too_large", WINE))
    assert len(post.payloads) == 2


@pytest.mark.parametrize("missing", ["Ce-Id", "Ce-Type", "Ce-Source", "Ce-Specversion"])
async def test_an_event_without_a_required_attribute_gets_400(
    post: ListeningReceiver, client: ClientSession, missing: str
) -> None:
    """An event without a required attribute gets 400 and an error that names the attribute."""
    broken = headers()
    del broken[missing]
    async with client.post(post.url, data=b"{}", headers=broken) as response:
        assert response.status == 400
        assert missing.removeprefix("Ce-").lower() in (await response.json())["error"]

    assert [] == post.payloads
    assert post.rejected("malformed") == 1


async def test_an_event_of_no_inference_service_gets_400(post: ListeningReceiver, client: ClientSession) -> None:
    """An event without the name of an InferenceService gets 400 and is counted as malformed."""
    async with client.post(post.url, data=b"{}", headers=headers(more={"Ce-Inferenceservicename": ""})) as response:
        assert response.status == 400

    assert post.rejected("malformed") == 1


async def test_one_bad_event_of_a_batch_loses_nothing_else(post: ListeningReceiver, client: ClientSession) -> None:
    """Of a batch, the valid events are offered, the invalid one is counted, and the response is 200."""
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
    async with client.post(post.url, data=json.dumps(batch), headers=kind) as response:
        assert response.status == 200

    assert ["b1", "b2"] == [payload.id for payload in post.payloads]
    assert [b'{"instances":[[1]]}'] * 2 == [payload.body for payload in post.payloads]
    assert post.rejected("malformed") == 1


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "no-such-coding"])
async def test_a_content_encoding_is_ignored(post: ListeningReceiver, client: ClientSession, coding: str) -> None:
    """The body is offered unchanged, whatever `Content-Encoding` says."""
    body = gzip.compress(b"{}", mtime=0)
    async with client.post(post.url, data=body, headers=headers(more={"Content-Encoding": coding})) as response:
        assert response.status == 200

    assert [body] == [payload.body for payload in post.payloads]


async def test_a_sender_that_leaves_within_its_event_is_counted(post: ListeningReceiver) -> None:
    """An event that ends early is counted as incomplete and not offered."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
    _, writer = await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/")))
    writer.write(f"POST / HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: 10\r\n\r\n{{}}".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await until(lambda: post.rejected("incomplete") == 1)

    assert [] == post.payloads


async def test_events_without_a_body_do_not_count_as_models(post: ListeningReceiver, client: ClientSession) -> None:
    """Events without a body do not count towards the limit of models."""
    for number in range(12):
        model = ModelKey("garden", f"m{number}", "predictor", f"m{number}")
        async with client.post(post.url, data=b"", headers=headers(model=model)):
            pass
    async with client.post(post.url, data=b"{}", headers=headers()):
        pass

    assert [WINE] == [payload.model for payload in post.payloads]


async def test_a_time_in_the_future_is_the_present(post: ListeningReceiver, client: ClientSession) -> None:
    """A time in the future is replaced by the present, so that a wrong clock cannot make an event the newest."""
    async with client.post(post.url, data=b"{}", headers=headers(more={"Ce-Time": "2999-01-01T00:00:00Z"})):
        pass

    assert [NOW] == [payload.time for payload in post.payloads]


async def test_draining_closes_the_connections_of_senders(post: ListeningReceiver, client: ClientSession) -> None:
    """While draining, a response has `Connection: close`, so that no event is sent on a closing connection."""
    post.receiver.begin_drain()
    async with client.post(post.url, data=b"{}", headers=headers()) as response:
        assert (200, "close") == (response.status, response.headers["Connection"])


async def test_a_get_gets_200(post: ListeningReceiver, client: ClientSession) -> None:
    """A GET, as of probes and people, gets 200."""
    async with client.get(post.url) as response:
        assert response.status == 200


async def test_models_beyond_the_cap_are_not_paired(post: ListeningReceiver, client: ClientSession) -> None:
    """Models beyond the limit share the overflow key, so their ids are not observed for pairing."""
    for number in range(12):
        model = ModelKey("garden", f"m{number}", "predictor", f"m{number}")
        async with client.post(post.url, data=b"{}", headers=headers(model=model)) as response:
            assert response.status == 200

    assert 10 == len(post.observations)
    assert [OVERFLOW, OVERFLOW] == [payload.model for payload in post.payloads[10:]]


async def test_trailers_of_one_event_are_no_headers_of_the_next(post: ListeningReceiver) -> None:
    """Trailers of one event do not become headers of the next event on the connection."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
    start = f"POST / HTTP/1.1\r\nHost: x\r\n{lines}"
    chunked = f"{start}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\nCe-Namespace: elsewhere\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(post.url.split(":")[2].strip("/")))
    writer.write((chunked + f"{start}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}").encode())
    responses = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert 2 == responses.count(b"HTTP/1.1 200")
    assert [WINE, WINE] == [payload.model for payload in post.payloads]


@pytest.mark.parametrize(
    ("event_time", "time"),
    [
        (None, NOW),
        (NOW, NOW),
        (NOW - 86_400, NOW - 86_400),
        (NOW - 86_401, NOW),
        (NOW + 1, NOW),
        (-62_135_596_800.0, NOW),
    ],
)
def test_the_time_of_a_row_is_that_of_the_event_within_a_day(event_time: float | None, time: float) -> None:
    """An older time, or one in the future, is that of a wrong clock or of a replay: the time of arrival counts."""
    assert time == passed_at(event_time, NOW)
