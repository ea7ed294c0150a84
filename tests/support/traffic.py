"""Inference requests as a client sends them, with the answer that the echoing model must give."""

import http.client
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.support.echo_model import response_to

PATH = "/v1/models/wine:predict"


def body_of(rows: Sequence[Sequence[float]]) -> bytes:
    """A V1 request of rows."""
    return json.dumps({"instances": rows}).encode()


def ask(port: int, body: bytes, path: str = PATH) -> tuple[int, bytes]:
    """Status and body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wrong_responses(port: int, bodies: Sequence[bytes], workers: int = 8) -> list[tuple[int, bytes]]:
    """Send all bodies; the answers that are not, byte for byte, what the model says."""
    with ThreadPoolExecutor(workers) as pool:
        responses = list(pool.map(lambda body: ask(port, body), bodies))
    return [response for body, response in zip(bodies, responses, strict=True) if response != (200, response_to(body))]
