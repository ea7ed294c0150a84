"""The requests that are sent: V1 and V2, small and large, each with placeholders for ids."""

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

COLUMNS = 13
_ID = b"@" * 32


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
        b"Content-Type: %b\r\nX-Request-Id: %b\r\nTraceparent: 00-%b-00f067aa0ba902b7-01\r\n%b"
        b"Content-Length: %d\r\n\r\n"
    )
    return Wire(head % (path, content_type, _ID, _ID, more, len(body)) + body, response, len(body))


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


def _precise(count: int, seed: int) -> list[list[float]]:
    """Rows of features with all their digits, as pandas and numpy write them."""
    return np.random.default_rng(seed).normal(10, 3, (count, COLUMNS)).tolist()  # type: ignore[no-any-return]


def _v2_json(inputs: list[dict[str, object]]) -> Wire:
    body = json.dumps({"id": _ID.decode(), "inputs": inputs}).encode()
    return _wire(b"/v2/models/wine/infer", body, "v2")


def small_wires(seed: int = 7) -> Mapping[str, Wire]:
    """The small requests, by name: each has an id and a trace of its own, and features with all their digits.

    Args:
        seed: Requests of different seeds have different rows.
    """
    one, many = _precise(1, seed)[0], _precise(32, seed)
    tensors: list[dict[str, object]] = [
        {"name": f"f{at}", "shape": [1, 1], "datatype": "FP64", "data": [value]} for at, value in enumerate(one)
    ]
    by_name = [{f"f{at}": round(value, 12) for at, value in enumerate(one)}]
    return {
        "V1, 1 row": _wire(b"/v1/models/wine:predict", json.dumps({"instances": [one]}).encode(), "v1"),
        "V2 JSON, 1 row": _v2_json([{"name": "features", "shape": [1, COLUMNS], "datatype": "FP64", "data": one}]),
        "V2, one tensor a column": _v2_json(tensors),
        "V1, 1 row by name": _wire(b"/v1/models/wine:predict", json.dumps({"instances": by_name}).encode(), "v1"),
        "V1, 32 rows": _wire(b"/v1/models/wine:predict", json.dumps({"instances": many}).encode(), "v1 of 32 rows"),
    }


def long_wires() -> Mapping[str, Wire]:
    """The long requests, and one whose response is a stream, by name."""
    return {
        "40 KB JSON": v1(390),
        "1 MB JSON": v1(10_200),
        "40 KB V2 binary": v2_binary(385),
        "stream of 20 events": v1(1)._replace(response="events"),
    }


def wires() -> Mapping[str, Wire]:
    """Every kind of request, by its name."""
    return {**small_wires(), **long_wires()}
