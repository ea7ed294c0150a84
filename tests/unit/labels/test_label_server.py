"""What the labels port replies, and what it takes."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiohttp import ClientConnectionError, ClientSession

from driftgauge.inference.payload import Kind
from driftgauge.labels.label_results import MatcherLimits
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.ring import Block, StreamKey, id_digests
from tests.support.clock import ManualClock
from tests.support.labelled import CATEGORY, EARLY_SECONDS, NUMBER, Labelled
from tests.support.labels_port import CSV, MAX_BODY_BYTES, LabelsPort
from tests.support.models import IRIS, WINE
from tests.support.raw_client import Wire

BODY = b"id,label\n4711,6\n4712,5\n"


async def test_labels_are_taken_and_matched(port: LabelsPort, client: ClientSession) -> None:
    """A body of CSV is accepted, and its labels meet the responses that wait."""
    await port.labelled.respond("4711")
    await port.labelled.respond("4712")
    assert (202, {"accepted": 2, "rejected": {"malformed": 0}}) == await port.post(client, BODY)
    await port.labelled.matcher.advance()
    assert {"matched": 2} == port.labelled.outcomes()


async def test_malformed_labels_are_counted_and_named(port: LabelsPort, client: ClientSession) -> None:
    """The others of the body are taken; each malformed one is counted, and the first few get a sentence."""
    status, reply = await port.post(client, BODY + b"1\n" * 7)
    assert (202, 2, {"malformed": 7}) == (status, reply["accepted"], reply["rejected"])
    assert "Line 4: it has 1 cells, and the header 2." == reply["sentences"][0]
    assert 5 == len(reply["sentences"])
    assert {"malformed": 7} == port.labelled.outcomes()


TWO_OUTPUTS = LabelLayout(("quality", "price"), (NUMBER, NUMBER), ("quality", "price"), (NUMBER, NUMBER))


async def test_a_label_names_its_output_where_there_are_several(port: LabelsPort, client: ClientSession) -> None:
    """One that does not is malformed, and the sentence has the names; it never goes to the first output."""
    await port.labelled.respond("4711", layout=TWO_OUTPUTS)
    body = b'[{"id": "4711", "label": 6}, {"id": "4711", "label": 9.5, "output": "price"}]'
    status, reply = await port.post(client, body, "application/json")
    alone, refused = await port.post(client, BODY)
    await port.labelled.matcher.advance()

    assert (202, 1, {"malformed": 1}) == (status, reply["accepted"], reply["rejected"])
    assert ["1 label names no output, and the model has `quality`, `price`: name one of them as `output`."] == reply[
        "sentences"
    ]
    assert (400, 0) == (alone, refused["accepted"])
    assert {"matched": 1, "malformed": 3} == port.labelled.outcomes()


async def test_a_label_of_an_output_that_the_model_lacks(port: LabelsPort, client: ClientSession) -> None:
    """It is malformed at once, and the sentence has the name and those of the model; the others are taken."""
    await port.labelled.respond("4711", layout=TWO_OUTPUTS)
    body = b'[{"id": "4711", "label": {"grade": 6, "price": 9.5}}]'
    status, reply = await port.post(client, body, "application/json")

    assert (202, 1, {"malformed": 1}) == (status, reply["accepted"], reply["rejected"])
    assert ["1 label is of the output `grade`, which the model lacks: it has `quality`, `price`."] == reply["sentences"]


async def test_a_label_of_text_where_the_output_is_a_number(port: LabelsPort, client: ClientSession) -> None:
    """It is malformed at once, with a sentence; where the labels of the output are text, it is taken."""
    await port.labelled.respond("4711")
    status, reply = await port.post(client, b"id,label\n4711,6\n4712,good\n4713,1e200\n")
    assert (202, 1, {"malformed": 2}) == (status, reply["accepted"], reply["rejected"])
    assert ["2 labels are no number up to 1e100, and the output `quality` is a number."] == reply["sentences"]

    port.labelled.clock.now += 10
    await port.labelled.respond("4714", layout=LabelLayout(("quality",), (CATEGORY,), ("quality",), (CATEGORY,)))
    assert (202, {"accepted": 1, "rejected": {"malformed": 0}}) == await port.post(client, b"id,label\n4714,good\n")


async def test_a_label_of_any_output_before_the_first_response(port: LabelsPort, client: ClientSession) -> None:
    """As long as no response of a model has come its outputs are unknown, and a label of any is taken."""
    status, reply = await port.post(client, b'[{"id": "4711", "label": 6, "output": "grade"}]', "application/json")
    assert (202, 1, {"malformed": 0}) == (status, reply["accepted"], reply["rejected"])


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/labels", 405), ("POST", "/label", 404)])
async def test_another_method_or_path(
    port: LabelsPort, client: ClientSession, method: str, path: str, status: int
) -> None:
    """The reply is JSON, and says how labels are posted."""
    url = port.url.partition("/labels")[0] + path
    async with client.request(method, url) as response:
        assert status == response.status
        assert "Labels are posted" in (await response.json())["error"]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_compressed(port: LabelsPort, client: ClientSession, pack: object) -> None:
    """A body may be compressed by gzip or deflate."""
    assert callable(pack)
    coding = "gzip" if pack is gzip.compress else "deflate"
    status, reply = await port.post(client, pack(BODY), CSV, {"Content-Encoding": coding})
    assert (202, 2) == (status, reply["accepted"])


@pytest.mark.parametrize(
    ("body", "kind", "status", "part"),
    [
        (b"", (CSV, ""), 400, "it lacks id, label"),
        (b"order;grade\n1;6\n", (CSV, ""), 400, "it lacks id, label; it is 'order;grade'."),
        (b"id,label1,62,5", (CSV, ""), 400, "The body is one line: curl keeps the ends of lines with --data-binary."),
        (b"id,label\n1\n", (CSV, ""), 400, ""),
        (BODY, ("application/x-www-form-urlencoded", ""), 415, "The content type of labels must be text/csv"),
        (BODY, (CSV, "br"), 415, "The content coding 'br' is unknown"),
        (b"\x1f\x8b\x08", (CSV, ""), 400, "The gzip body is truncated"),
        (b"x" * (MAX_BODY_BYTES + 1), (CSV, ""), 413, "larger than 100000 bytes"),
        (gzip.compress(b"x" * (MAX_BODY_BYTES + 1)), (CSV, "gzip"), 413, "larger than 100000 bytes when unpacked"),
        (b"id,label\n" + b"1,1\n" * 20_001, (CSV, ""), 413, "more than 20000 labels"),
    ],
)
async def test_refused_bodies(
    port: LabelsPort, client: ClientSession, body: bytes, kind: tuple[str, str], status: int, part: str
) -> None:
    """A body of which nothing can be used is refused with its status code and a sentence, and nothing is taken."""
    content_type, coding = kind
    found, reply = await port.post(client, body, content_type, {"Content-Encoding": coding} if coding else None)
    assert status == found
    assert part in json.dumps(reply)
    assert 0 == port.labelled.matcher.waiting


async def test_a_chunked_body_is_bounded_too(port: LabelsPort, client: ClientSession) -> None:
    """The limit counts for a body whose length is not stated."""

    async def pieces() -> AsyncIterator[bytes]:
        """More than the limit, in pieces."""
        for _ in range(20):
            yield b"x" * 10_000

    try:
        async with client.post(port.url, data=pieces(), headers={"Content-Type": CSV}) as response:
            assert 413 == response.status
    except ClientConnectionError:
        pass  # the port closes while the rest is sent
    for _ in range(5):  # what was read of them is given back
        assert 202 == (await port.post(client, BODY.ljust(MAX_BODY_BYTES, b"\n")))[0]


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ("namespace=prod", 400, "names no inference_service"),
        ("inference_service=wine&row=1", 400, "unknown parameter 'row'"),
        (f"inference_service={'x' * 254}", 400, "inference_service has more than 253 characters"),
        ("namespace=prod&inference_service=other", 404, "No model of prod/other/predictor is known"),
        ("inference_service=other", 404, "The query has no namespace."),
        ("inference_service=wine", 404, f"There is `wine` in the namespace `{WINE.namespace}`."),
        (
            f"namespace={WINE.namespace}&inference_service=wine&model_name=red",
            404,
            f"There is `wine` in the namespace `{WINE.namespace}` with the model_name `{WINE.model_name}`.",
        ),
        (f"namespace={WINE.namespace}&inference_service={WINE.inference_service}&revision=v9", 404, "revision v9"),
    ],
)
async def test_refused_names(port: LabelsPort, client: ClientSession, query: str, status: int, part: str) -> None:
    """Names that are missing, unknown or too long are refused with a sentence, and start no series."""
    url = port.url.partition("?")[0] + "?" + query
    async with client.post(url, data=BODY, headers={"Content-Type": CSV}) as response:
        assert status == response.status
        assert part in (await response.json())["error"]
    assert 0 == port.labelled.counted()


@pytest.mark.parametrize(
    ("own", "hint"),
    [
        ((), "There is one in another namespace. The query has no namespace."),
        ((WINE.namespace,), f"There is `wine` in the namespace `{WINE.namespace}`."),
    ],
)
async def test_names_of_other_namespaces(client: ClientSession, own: tuple[str, ...], hint: str) -> None:
    """Without a token a 404 names models of the proxy's own namespace alone."""
    port = LabelsPort(namespaces=own)
    await port.open()
    async with client.post(f"{port.url.partition('?')[0]}?inference_service=wine", data=BODY) as response:
        assert 404 == response.status
        assert (await response.json())["error"].endswith(hint)
    await port.close()


async def test_a_model_of_another_process(port: LabelsPort, client: ClientSession) -> None:
    """A model that has rows in the store is known, at the latest ten seconds after its first ones."""
    url = f"{port.url.partition('?')[0]}?namespace={IRIS.namespace}&inference_service={IRIS.inference_service}"
    headers = {"Content-Type": CSV}
    async with client.post(url, data=BODY, headers=headers) as response:
        assert 404 == response.status
    one = np.ones(1)
    block = Block("schema", np.ones((1, 1)), one.astype(np.int64), one, id_digests(["1"]))
    await port.labelled.ring.append(StreamKey(IRIS, Kind.RESPONSE), block)
    async with client.post(url, data=BODY, headers=headers) as response:
        assert 404 == response.status
    port.labelled.clock.now += 10
    async with client.post(url, data=BODY, headers=headers) as response:
        assert 202 == response.status
    assert [WINE, IRIS] == list(port.models)


async def test_labels_of_a_new_revision_that_another_process_serves(port: LabelsPort, client: ClientSession) -> None:
    """They wait from the first one on, and are matched ten seconds after its first rows, not those after a minute."""
    canary, one = WINE._replace(revision="v2"), np.ones(1)
    block = Block("schema", np.ones((1, 1)), one.astype(np.int64), one, id_digests(["1"]))
    await port.labelled.respond("stable-1")
    await port.labelled.ring.append(StreamKey(WINE, Kind.RESPONSE), block)
    assert 202 == (await port.post(client, b"id,label\nstable-1,1\n"))[0]
    await port.labelled.matcher.advance()

    await port.labelled.ring.append(StreamKey(canary, Kind.RESPONSE), block)
    await port.labelled.respond("v2-1", model=canary)
    assert 202 == (await port.post(client, b"id,label\nv2-1,1\n"))[0]
    await port.labelled.matcher.advance()
    assert ({"matched": 1}, {}) == (port.labelled.outcomes(WINE), port.labelled.outcomes(canary))
    for _ in range(4):
        port.labelled.clock.now += 5
        assert 202 == (await port.post(client, b"id,label\nv2-2,1\n"))[0]
        await port.labelled.matcher.advance()
    assert {"matched": 1} == port.labelled.outcomes(canary)


async def test_labels_are_counted_for_a_model_that_has_inferences(port: LabelsPort, client: ClientSession) -> None:
    """A configured model without any gets no series from labels of another name in the same InferenceService."""
    served, one = WINE._replace(model_name="served"), np.ones(1)
    block = Block("schema", np.ones((1, 1)), one.astype(np.int64), one, id_digests(["1"]))
    await port.labelled.ring.append(StreamKey(served, Kind.RESPONSE), block)
    await port.labelled.respond("4711", model=served)
    assert 202 == (await port.post(client, BODY + b"1\n"))[0]
    await port.labelled.matcher.advance()
    port.labelled.clock.now += EARLY_SECONDS
    await port.labelled.matcher.advance()
    assert {"matched": 1, "unknown": 1, "malformed": 1} == port.labelled.outcomes(served)
    assert {} == port.labelled.rows(WINE)


async def test_a_full_queue(client: ClientSession) -> None:
    """When the queue is full nothing of a body is taken or counted, and the sender is asked to come back."""
    port = LabelsPort(Labelled(limits=MatcherLimits(EARLY_SECONDS, queue_labels=3)))
    await port.open()
    assert 202 == (await port.post(client, BODY))[0]
    async with client.post(port.url, data=BODY + b"1\n", headers={"Content-Type": CSV}) as response:
        assert (503, "5") == (response.status, response.headers["Retry-After"])
        error = (await response.json())["error"]
        assert "2 are queued, and with the 2 of the body they would be more than 3. Nothing of the body" in error
    assert ({}, 2) == (port.labelled.outcomes(), port.labelled.matcher.waiting)
    await port.close()


async def test_tokens(client: ClientSession) -> None:
    """Without a valid token nothing is read, whatever the path."""
    port = LabelsPort(authorize=lambda given: given == "Bearer good")
    await port.open()
    status, reply = await port.post(client, BODY)
    assert (401, "labels need a valid token") == (status, reply["error"])
    assert 202 == (await port.post(client, BODY, headers={"Authorization": "Bearer good"}))[0]
    await port.close()


async def test_events(port: LabelsPort, client: ClientSession) -> None:
    """The events of a batch are each taken, refused or unknown."""
    attributes = {"specversion": "1.0", "id": "4711", "source": "shop", "type": "io.driftgauge.label"}
    batch = [
        attributes | {"data": {"label": 6}},
        attributes | {"data": {"label": 6}, "inferenceservicename": "other"},
        attributes | {"type": "com.example.other"},
        attributes | {"data": {"row": 6}},
    ]
    status, reply = await port.post(client, json.dumps(batch).encode(), "application/cloudevents-batch+json")
    assert (202, 1, {"malformed": 2, "unknown_model": 1}) == (status, reply["accepted"], reply["rejected"])
    await port.labelled.respond("4711")
    await port.labelled.matcher.advance()
    assert {"matched": 1, "malformed": 2, "unknown": 1} == port.labelled.outcomes()
    body = json.dumps(batch[2]).encode()
    assert 415 == (await port.post(client, body, "application/cloudevents+json"))[0]
    assert 404 == (await port.post(client, json.dumps(batch[1]).encode(), "application/cloudevents+json"))[0]


async def test_compressed_bodies_that_come_together_are_unpacked_one_by_one(client: ClientSession) -> None:
    """Twenty bodies of 4 KB that unpack to 4 MB each hold fewer than five of them at once, and all are taken."""
    plain_bytes = 4_000_000
    body = gzip.compress(b"id,label\n4711,6\n".ljust(plain_bytes))
    port = LabelsPort(max_body_bytes=plain_bytes)
    await port.open()
    await port.post(client, BODY)  # imports what it needs
    tracemalloc.start()
    replies = await asyncio.gather(*(port.post(client, body, CSV, {"Content-Encoding": "gzip"}) for _ in range(20)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await port.close()
    assert 20 * [(202, {"malformed": 1})] == [(status, reply["rejected"]) for status, reply in replies]
    assert peak_bytes < 5 * plain_bytes


class _CountingClock(ManualClock):
    """Counts how often it is read: once, or twice, in each search for the models of a target."""

    reads = 0

    def __call__(self) -> float:
        """The time."""
        self.reads += 1
        return super().__call__()


async def test_a_target_of_many_events_is_looked_up_once(client: ClientSession) -> None:
    """Two hundred events of a model that is unknown, and as many of a known one, cost one search each."""
    labelled = Labelled()
    labelled.clock = clock = _CountingClock()
    port = LabelsPort(labelled)
    await port.open()
    attributes = {
        "specversion": "1.0",
        "id": "1",
        "source": "shop",
        "type": "io.driftgauge.label",
        "data": {"label": 6},
    }
    batch = 200 * [attributes, attributes | {"inferenceservicename": "other"}]
    status, reply = await port.post(client, json.dumps(batch).encode(), "application/cloudevents-batch+json")
    await port.close()
    assert (202, 200, 200) == (status, reply["accepted"], reply["rejected"]["unknown_model"])
    assert clock.reads <= 2 * 3  # the query's target is looked up before the body is read


async def test_a_body_that_ends_early(port: LabelsPort, client: ClientSession) -> None:
    """A client that leaves within its body costs nothing: what was read of it is given back."""
    address, _, target = port.url.removeprefix("http://").partition("/")
    head = f"POST /{target} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {MAX_BODY_BYTES}\r\n\r\n"
    for _ in range(5):
        wire = await Wire.connect(int(address.partition(":")[2]))
        wire.send(head.encode() + b"x" * (MAX_BODY_BYTES - 1))
        await wire.flush()
        await wire.close()
    assert 202 == (await port.post(client, BODY.ljust(MAX_BODY_BYTES, b"\n")))[0]
    assert 2 == port.labelled.matcher.waiting


async def test_the_log_quotes_no_value(
    port: LabelsPort, client: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Lines on malformed labels and refused bodies name the model and the rule, no id, label or header."""
    await port.post(client, b"id,label,row\nsecret-id,secret-label,secret-row\n")
    await port.post(client, BODY, "text/secret-type")
    await port.post(client, BODY, CSV, {"Content-Encoding": "secret-coding"})
    body = json.dumps({"specversion": "1.0", "id": "secret-event", "source": "secret", "type": "secret.type"})
    await port.post(client, body.encode(), "application/cloudevents+json")
    assert "labels were malformed: Line 2: its row is no whole number" in caplog.text
    assert f"labels were refused with 415 (Unsupported Media Type): for {WINE.namespace}/wine" in caplog.text
    assert "secret" not in caplog.text
