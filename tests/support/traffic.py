"""Inference requests as a client sends them, and the responses that the echoing model must send."""

import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.support.echo_model import response_to

PATH = "/v1/models/wine:predict"


def body_of(rows: Sequence[Sequence[float]]) -> bytes:
    """The body of a V1 request with rows."""
    return json.dumps({"instances": rows}).encode()


def ask(port: int, body: bytes, path: str = PATH) -> tuple[int, bytes]:
    """POST; returns status code and body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wrong_responses(port: int, bodies: Sequence[bytes], workers: int = 8) -> list[tuple[int, bytes]]:
    """Send all bodies; returns the responses that are not, byte for byte, those of the model."""
    with ThreadPoolExecutor(workers) as pool:
        responses = list(pool.map(lambda body: ask(port, body), bodies))
    return [response for body, response in zip(bodies, responses, strict=True) if response != (200, response_to(body))]
