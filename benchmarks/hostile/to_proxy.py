"""Messages for the proxy: bodies that cost more than their length suggests, and long ones that users send."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from benchmarks.hostile.datasets import body_of, names_of
from benchmarks.hostile.messages import LIMIT_BYTES, Data, Message, chunked, instances, post
from benchmarks.proxy.bodies import COLUMNS

_V1 = "/v1/models/wine:predict"
_V2 = "/v2/models/wine/infer"
_GZIP = {"Content-Encoding": "gzip"}


def messages() -> Iterator[tuple[str, Message]]:
    """Every message by its name."""
    yield from _usual()
    yield from _dense()
    yield from _compressed()
    yield from _names()
    yield from _invalid()


def _usual() -> Iterator[tuple[str, Message]]:
    """Long bodies that users send."""
    numbers = _v1(body_of(Data.NUMBERS))
    yield "4 MB of rows of numbers", numbers
    yield "4 MB of rows of numbers in chunks of one byte", numbers._replace(wire=chunked(numbers.wire, 1))
    yield "4 MB of rows of texts", _v1(body_of(Data.TEXTS))._replace(data=Data.TEXTS)
    yield "4 MB of rows by name", _v1(body_of(Data.WINES))._replace(data=Data.WINES)
    whole = np.arange(10**6, 10**6 + 40_000 * COLUMNS).tolist()
    shape = [40_000, COLUMNS]
    yield "4 MB of integers (V2)", _v2({"name": "x", "datatype": "INT64", "shape": shape, "data": whole})
    yield "838,000 texts of 1 byte (V2, binary)", _binary_texts(139_666)


def _dense() -> Iterator[tuple[str, Message]]:
    """Bodies of many small values."""
    yield "131,000 empty lists", _v1(instances(b"[]", 393_000))
    yield "4 MB of []", _v1(instances(b"[]"))
    yield '125,000 of {"a":1}', _v1(instances(b'{"a":1}', 1_000_000))
    yield '4 MB of {"a":1}', _v1(instances(b'{"a":1}'))
    yield "4 MB of texts of 1 character", _v1(instances(b'["a","b","c"]'))._replace(data=Data.TEXTS)
    yield "4 MB of rows by short names", _v1(instances(b'{"a":1,"b":2,"c":3}'))
    yield (
        r"4 MB of \u escapes",
        _v1(instances(b"[" + b",".join([b'"' + rb"\u00e9" * 20 + b'"'] * 6) + b"]"))._replace(data=Data.TEXTS),
    )
    yield "4 MB of NaN", _v1(instances(b"[" + b",".join([b"NaN"] * 13) + b"]"))


def _compressed() -> Iterator[tuple[str, Message]]:
    yield "gzip of 4 kB that holds 4 MB of []", _zipped(instances(b"[]"))
    yield "1,000 of these, pipelined", Message("proxy", _zipped(instances(b"[]")).wire * 1_000)
    yield "gzip of 0.1 MB that holds 100 MB of spaces", _zipped(b" " * 10**8)
    deflated = _v1(zlib.compress(b" " * 10**8), {"Content-Encoding": "deflate"})
    yield "deflate of 0.1 MB that holds 100 MB of spaces", deflated
    body = body_of(Data.NUMBERS)
    step = len(body) // 128 + 1
    members = b"".join(gzip.compress(body[start : start + step], 1) for start in range(0, len(body), step))
    yield "4 MB of numbers as a gzip of 128 members", _v1(members, _GZIP)


def _names() -> Iterator[tuple[str, Message]]:
    """Many tensors, columns or keys."""
    for count in (1_550, 16_000):
        yield f"a row of {count:,} distinct keys", _v1(_named(count))
    yield "gzip of one object with 400,000 distinct keys", _zipped(_named(400_000))
    for count in (2_000, 16_000):
        tensor = {"datatype": "FP64", "shape": [1], "data": [1]}
        yield f"{count:,} tensors of one number (V2)", _v2(*({"name": f"t{at}", **tensor} for at in range(count)))


def _invalid() -> Iterator[tuple[str, Message]]:
    yield "lists in lists, 1,000 deep", _v1(b'{"instances":' + b"[" * 1_000 + b"]" * 1_000 + b"}")
    half = LIMIT_BYTES // 2 - 20
    yield "lists in lists, 2,000,000 deep", _v1(b'{"instances":' + b"[" * half + b"]" * half + b"}")
    numbers = body_of(Data.NUMBERS)
    yield "4 MB of numbers with an error at the end", _v1(numbers[:-2] + b"}}")
    texts = body_of(Data.TEXTS)
    yield "4 MB of texts with an error at the end", _v1(texts[:-2] + b"}}")._replace(data=Data.TEXTS)


def _v1(body: bytes, headers: dict[str, str] | None = None) -> Message:
    return Message("proxy", post(_V1, body, headers))


def _v2(*tensors: Mapping[str, object]) -> Message:
    body = json.dumps({"inputs": tensors}, separators=(",", ":")).encode()
    return Message("proxy", post(_V2, body))


def _zipped(body: bytes) -> Message:
    return _v1(gzip.compress(body, 9), _GZIP)


def _named(count: int) -> bytes:
    return json.dumps({"instances": [{f"{at:x}": 1 for at in range(count)}]}, separators=(",", ":")).encode()


def _binary_texts(count: int) -> Message:
    """Rows of as many texts as the reference has columns."""
    columns = len(names_of(Data.TEXTS))
    data = b"\x01\x00\x00\x00a" * (count * columns)
    size = {"binary_data_size": len(data)}
    tensor = {"name": "x", "datatype": "BYTES", "shape": [count, columns], "parameters": size}
    part = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(part))}
    return Message("proxy", post(_V2, part + data, headers), Data.TEXTS)
