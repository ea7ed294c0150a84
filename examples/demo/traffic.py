"""Sends wines: as requests in three protocols, and as the events that KServe's agent sends to a logger.

Source: the V1 and V2 inference protocols with the binary tensor data extension (see `inference`); for
the events, KServe's pkg/logger/worker.go: CloudEvents 1.0 over HTTP in binary content mode.
"""

import itertools
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import numpy as np

from examples.demo.data import Rows
from examples.demo.errors import DemoError

NAMESPACE = "demo"
INFERENCE_SERVICE = "wine"

JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model server: path, headers and body of a POST."""

    path: str
    headers: Mapping[str, str]
    body: bytes


Encode = Callable[[Rows, Sequence[str]], Call]


def v1(rows: Rows, _: Sequence[str]) -> Call:
    """V1: rows by position."""
    return Call("/v1/models/wine:predict", JSON_TYPE, json.dumps({"instances": rows.tolist()}).encode())


def v2_json(rows: Rows, columns: Sequence[str]) -> Call:
    """V2: one tensor for each column, by name."""
    inputs = [
        {"name": name, "shape": [len(rows), 1], "datatype": "FP64", "data": column.tolist()}
        for name, column in zip(columns, rows.T, strict=True)
    ]
    return Call("/v2/models/wine/infer", JSON_TYPE, json.dumps({"inputs": inputs}).encode())


def v2_binary(rows: Rows, _: Sequence[str]) -> Call:
    """V2 with the binary tensor extension: one tensor of rows; the response is requested in binary too."""
    blob = np.ascontiguousarray(rows, dtype="<f8").tobytes()
    tensor = {
        "name": "wines",
        "shape": list(rows.shape),
        "datatype": "FP64",
        "parameters": {"binary_data_size": len(blob)},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return Call("/v2/models/wine/infer", headers, head + blob)


class Sender(Protocol):
    """Sends a call to the model so that driftgauge sees it."""

    async def send(self, call: Call, inference_id: str) -> None:
        """Send and wait for the response; raises `DemoError` unless its status code is 200."""


class Client:
    """A client of the model, or of the proxy in front of it.

    Args:
        session: The HTTP client.
        url: Address of the model or the proxy, without a path.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def send(self, call: Call, inference_id: str) -> None:
        """POST the call, with its id in the header that proxies and servers know."""
        headers = {**call.headers, "X-Request-Id": inference_id}
        await post(self._session, self._url + call.path, headers, call.body)


class Agent:
    """KServe's agent: sends the call to the model server, then the request and the response as events to a logger.

    Args:
        session: The HTTP client.
        model_url: The model server, without a path.
        logger_url: The InferenceService's `logger.url`.
    """

    def __init__(self, session: aiohttp.ClientSession, model_url: str, logger_url: str) -> None:
        self._session = session
        self._model_url = model_url
        self._logger_url = logger_url

    async def send(self, call: Call, inference_id: str) -> None:
        """POST the call to the model; then the request event, then the response event, both with the id."""
        requested = time.time_ns()
        content = await post(self._session, self._model_url + call.path, call.headers, call.body)
        responded = time.time_ns()
        content_type = call.headers["Content-Type"]
        await self._send_event(event_headers("request", inference_id, requested, content_type), call.body)
        await self._send_event(event_headers("response", inference_id, responded, content_type), content)

    async def _send_event(self, headers: Mapping[str, str], body: bytes) -> None:
        await post(self._session, self._logger_url, headers, body)


def event_headers(kind: str, event_id: str, happened_ns: int, content_type: str) -> dict[str, str]:
    """Headers of the agent's event, as KServe 0.18 sends them.

    Args:
        kind: `request` or `response`.
        event_id: The same for request and response.
        happened_ns: Time at which the body passed, in nanoseconds since the epoch.
        content_type: That of the request, also for the event of the response.
    """
    return {
        "User-Agent": "Go-http-client/1.1",
        "Ce-Component": "predictor",
        "Ce-Endpoint": "",
        "Ce-Id": event_id,
        "Ce-Inferenceservicename": INFERENCE_SERVICE,
        "Ce-Metadata": "{}",
        "Ce-Namespace": NAMESPACE,
        "Ce-Recordedtime": rfc3339_nano(time.time_ns()),
        "Ce-Source": "http://localhost:9081/",
        "Ce-Specversion": "1.0",
        "Ce-Time": rfc3339_nano(happened_ns),
        "Ce-Type": f"org.kubeflow.serving.inference.{kind}",
        "Content-Type": content_type,
        "Accept-Encoding": "gzip",
    }


def rfc3339_nano(time_ns: int) -> str:
    """A time in Go's RFC3339Nano: UTC, up to nine digits of a second, no trailing zeros."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"


async def post(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """POST, and return the body of the response; raises `DemoError` unless its status code is 200."""
    try:
        async with session.post(url, data=body, headers=headers) as response:
            content = await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise DemoError(f"POST {url} got no response: {error!r}") from error
    if response.status != 200:  # noqa: PLR2004 HTTP's OK
        start = content[:200].decode(errors="replace")
        raise DemoError(f"POST {url} got status code {response.status}, not 200: {start}")
    return content


class Traffic:
    """A stream of calls: V1, V2 JSON and V2 binary in turn.

    Args:
        sender: Sends the calls.
        columns: Names of the measurements.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, sender: Sender, columns: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._sender = sender
        self._columns = columns
        self._clock = clock
        self._encoders = itertools.cycle((v1, v2_json, v2_binary))
        self.calls = 0
        self.rows = 0
        self.newest_at = 0.0

    async def send(self, rows: Rows) -> str:
        """Send some wines in one call; `newest_at` becomes the time just before. Returns the id of the inference."""
        encode: Encode = next(self._encoders)
        self.newest_at = self._clock()
        inference_id = str(uuid.uuid4())
        await self._sender.send(encode(rows, self._columns), inference_id)
        self.calls += 1
        self.rows += len(rows)
        return inference_id
