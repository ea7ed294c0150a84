"""Messages that cost a monitor more than their length suggests, each with the way in which it is sent."""

import gzip
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.logger.suite import event
from benchmarks.proxy.bodies import rows, v1

MEGABYTE = 1_000_000


class Message(NamedTuple):
    """What another client sends.

    Args:
        mode: `proxy` or `logger`.
        wire: All its bytes.
        pieces: In how many writes, at most; 1 leaves the cutting to the kernel.
    """

    mode: str
    wire: bytes
    pieces: int = 1


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A request with a Content-Length."""
    lines = {"Host": "m", "Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def chunked(wire: bytes, size: int) -> bytes:
    """The same request in chunks of some bytes."""
    head, _, body = wire.partition(b"\r\n\r\n")
    kept = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length"))
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece)
        for piece in (body[start : start + size] for start in range(0, len(body), size))
    )
    return kept + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def messages() -> Mapping[str, Message]:
    """Every case by its name."""
    return dict([*_to_the_logger(), *_to_the_proxy()])


def _to_the_logger() -> Iterator[tuple[str, Message]]:
    batch = {"Content-Type": "application/cloudevents-batch+json"}
    structured = {"Content-Type": "application/cloudevents+json"}
    fields = {"specversion": "1.0", "id": "1", "source": "s", "type": "org.kubeflow.serving.inference.request"}
    named = {**fields, "inferenceservicename": "wine", "namespace": "default"}
    yield "batch of empty events, 1 MB", Message("logger", post("/", _list(b"{}", MEGABYTE), batch))
    yield "batch of empty events, 4 MB", Message("logger", post("/", _list(b"{}", 4 * MEGABYTE), batch))
    deep = json.dumps(named).encode()[:-1] + b',"data":' + _list(b"[]", 3_900_000) + b"}"
    yield "structured event with 3.9 MB of []", Message("logger", post("/", deep, structured))
    usual = event("request", v1(1, 4 * MEGABYTE).request.partition(b"\r\n\r\n")[2]).replace(b"@" * 32, b"1" * 32)
    yield "event of 4 MB in one piece", Message("logger", usual)
    yield "event of 4 MB in chunks of one byte", Message("logger", chunked(usual, 1))
    yield "50,000 pipelined GETs", Message("logger", b"GET / HTTP/1.1\r\nHost: m\r\n\r\n" * 50_000)


def _to_the_proxy() -> Iterator[tuple[str, Message]]:
    path = "/v1/models/wine:predict"
    nested = b'{"instances":' + _list(b"[]", 4 * MEGABYTE) + b"}"
    yield (
        "gzip of 4 kB that holds 4 MB of []",
        Message("proxy", post(path, gzip.compress(nested), {"Content-Encoding": "gzip"})),
    )
    yield "4 MB of []", Message("proxy", post(path, nested))
    numbers = json.dumps({"instances": rows(42_000)}).encode()
    yield "4 MB of numbers", Message("proxy", post(path, numbers))
    texts = json.dumps({"instances": [["red", "white", "rosé"]] * 160_000}).encode()
    yield "4 MB of rows of texts", Message("proxy", post(path, texts[: 4 * MEGABYTE]))
    named = json.dumps({"instances": [{f"f{number}": 1.5 for number in range(13)}] * 28_000}).encode()
    yield "4 MB of rows by name", Message("proxy", post(path, named))
    yield "4 MB in chunks of one byte", Message("proxy", chunked(post(path, numbers[: 4 * MEGABYTE]), 1))
    tensors = [{"name": f"t{number}", "datatype": "FP64", "shape": [1], "data": [1]} for number in range(2_200)]
    yield "2,200 tensors", Message("proxy", post("/v2/models/wine/infer", json.dumps({"inputs": tensors}).encode()))
    keys = {f"k{number}": 1 for number in range(2_200)}
    yield "a row of 2,200 names", Message("proxy", post(path, json.dumps({"instances": [keys]}).encode()))
    whole = np.arange(500_000).tolist()
    ints = {"inputs": [{"name": "x", "datatype": "INT64", "shape": [500_000], "data": whole}]}
    yield "4 MB of integers", Message("proxy", post("/v2/models/wine/infer", json.dumps(ints).encode()))


def _list(item: bytes, size: int) -> bytes:
    return b"[" + b",".join([item] * (size // (len(item) + 1))) + b"]"
