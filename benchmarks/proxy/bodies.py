"""The requests that are sent: V1 and V2, small and large, each with a placeholder for an id."""

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

COLUMNS = 13
_ID = b"@" * 32
_SMALL_BYTES = 376


class Wire(NamedTuple):
    """One kind of request.

    Args:
        request: Its bytes.
        response: The kind of response that the model sends.
        body_bytes: Length of its body.
    """

    request: bytes
    response: str
    body_bytes: int


def rows(count: int, columns: int = COLUMNS) -> list[list[float]]:
    """Rows of features with three decimals."""
    values = np.random.default_rng(7).normal(10, 3, (count, columns))
    return np.round(values, 3).tolist()  # type: ignore[no-any-return]


def _wire(
    path: bytes, body: bytes, response: str, content_type: bytes = b"application/json", more: bytes = b""
) -> Wire:
    head = (
        b"POST %b HTTP/1.1\r\nHost: wine.cellar.example.com\r\nUser-Agent: python-requests/2.32.5\r\nAccept: */*\r\n"
        b"Content-Type: %b\r\nX-Request-Id: %b\r\n%bContent-Length: %d\r\n\r\n"
    )
    return Wire(head % (path, content_type, _ID, more, len(body)) + body, response, len(body))


def v1(count: int, at_least: int = 0, columns: int = COLUMNS) -> Wire:
    """Rows by position, padded with blanks to a least length."""
    body = json.dumps({"instances": rows(count, columns)}).encode()
    body = body[:-1] + b" " * max(0, at_least - len(body)) + body[-1:]
    return _wire(b"/v1/models/wine:predict", body, "v1")


def v2_binary(count: int) -> Wire:
    """One FP64 tensor as raw bytes after the JSON part."""
    data = np.array(rows(count)).astype("<f8").tobytes()
    tensor = {"name": "features", "shape": [count, COLUMNS], "datatype": "FP64"}
    part = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": len(data)}}]}).encode()
    more = b"Inference-Header-Content-Length: %d\r\n" % len(part)
    return _wire(b"/v2/models/wine/infer", part + data, "v2", b"application/octet-stream", more)


def wires() -> Mapping[str, Wire]:
    """Every kind of request, by its name."""
    return {
        "376 B": v1(1, _SMALL_BYTES),
        "40 KB JSON": v1(390),
        "1 MB JSON": v1(10_200),
        "40 KB V2 binary": v2_binary(385),
        "stream of 20 events": v1(1, _SMALL_BYTES)._replace(response="events"),
    }


def without_id(wire: Wire) -> Wire:
    """The same request with a constant id: every head is equal to the one before."""
    return wire._replace(request=wire.request.replace(_ID, b"7" * 32))
