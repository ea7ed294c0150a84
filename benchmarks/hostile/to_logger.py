"""Messages for the logger: CloudEvents that cost more than their length suggests."""

import base64
import gzip
import json
from collections.abc import Iterator

from benchmarks.hostile.datasets import body_of
from benchmarks.hostile.messages import LIMIT_BYTES, Data, Message, chunked, instances, post, repeated
from benchmarks.logger.suite import event

_BATCH = {"Content-Type": "application/cloudevents-batch+json"}
_STRUCTURED = {"Content-Type": "application/cloudevents+json"}
_FIELDS = {
    "specversion": "1.0",
    "id": "@" * 32,
    "source": "s",
    "type": "org.kubeflow.serving.inference.request",
    "inferenceservicename": "wine",
    "namespace": "cellar",
}


def messages() -> Iterator[tuple[str, Message]]:
    """Every message by its name."""
    yield "batch of empty events, 1 MB", _message(post("/", repeated(b"{}", 1_000_000), _BATCH))
    yield "batch of empty events, 4 MB", _message(post("/", repeated(b"{}"), _BATCH))
    yield "structured event with 3.9 MB of []", _message(_structured(b'"data":' + repeated(b"[]", 3_900_000)))
    for size, name in ((4_000_000, "4 MB of []"), (100_000_000, "100 MB of []")):
        packed = base64.b64encode(gzip.compress(instances(b"[]", size)))
        yield (
            f"structured event, base64 of a gzip that holds {name}",
            _message(_structured(b'"data_base64":"' + packed + b'"')),
        )
    numbers = _usual(body_of(Data.NUMBERS))
    yield "event of 4 MB of numbers in one piece", _message(numbers)
    yield "event of 4 MB of numbers in chunks of one byte", _message(chunked(numbers, 1))
    yield "event of 4 MB of rows of texts", _message(_usual(body_of(Data.TEXTS)))._replace(data=Data.TEXTS)
    yield "event of 16 MB", _message(_usual(b'{"instances":[' + b" " * (4 * LIMIT_BYTES - 2_000) + b"]}"))
    yield "50,000 pipelined GETs", _message(b"GET / HTTP/1.1\r\nHost: m\r\n\r\n" * 50_000)


def _message(wire: bytes) -> Message:
    return Message("logger", wire)


def _structured(data: bytes) -> bytes:
    return post("/", json.dumps(_FIELDS).encode()[:-1] + b"," + data + b"}", _STRUCTURED)


def _usual(body: bytes) -> bytes:
    """An event as KServe's agent sends it."""
    return event("request", body)
