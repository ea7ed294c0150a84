"""The demo's senders, with a small HTTP server that records what it receives."""

import itertools
from collections.abc import AsyncIterator

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from examples.demo import traffic
from examples.demo.errors import DemoError

ROWS = np.ones((3, 2))
CALL = traffic.Call("/v2/models/wine/infer", {"Content-Type": "application/octet-stream"}, b"request")


class Listener:
    """Responds to every POST, and records path, headers and body."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200

    async def receive(self, request: web.Request) -> web.Response:
        """Record one request."""
        self.received.append((request.path, dict(request.headers), await request.read()))
        return web.Response(body=b"response", status=self.status)


@pytest.fixture
def listener() -> Listener:
    """The requests that the server received."""
    return Listener()


@pytest.fixture
async def url(listener: Listener) -> AsyncIterator[str]:
    """The server's address."""
    app = web.Application()
    app.router.add_post("/{path:.*}", listener.receive)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as one:
        yield one


async def test_agent_calls_the_model_then_sends_two_events(
    session: aiohttp.ClientSession, url: str, listener: Listener
) -> None:
    """The agent sends the call to the model, then two events with one id and the bytes of request and response."""
    await traffic.Agent(session, url, f"{url}/events").send(CALL, "4711")

    paths, headers, bodies = zip(*listener.received, strict=True)
    assert ("/v2/models/wine/infer", "/events", "/events") == paths
    assert (b"request", b"request", b"response") == bodies
    assert headers[1]["Ce-Id"] == headers[2]["Ce-Id"]
    assert "org.kubeflow.serving.inference.request" == headers[1]["Ce-Type"]
    assert "org.kubeflow.serving.inference.response" == headers[2]["Ce-Type"]
    assert headers[1]["Ce-Time"] < headers[2]["Ce-Time"]


async def test_events_carry_the_agents_headers(session: aiohttp.ClientSession, url: str, listener: Listener) -> None:
    """The attributes are those of KServe's agent; the content type of a response event is the request's."""
    await traffic.Agent(session, url, f"{url}/events").send(CALL, "4711")

    sent = {
        name: value
        for name, value in listener.received[2][1].items()
        if name not in {"Ce-Id", "Ce-Time", "Ce-Recordedtime", "Host"}
    }
    assert {
        "User-Agent": "Go-http-client/1.1",
        "Content-Length": "8",
        "Ce-Component": "predictor",
        "Ce-Endpoint": "",
        "Ce-Inferenceservicename": "wine",
        "Ce-Metadata": "{}",
        "Ce-Namespace": "demo",
        "Ce-Source": "http://localhost:9081/",
        "Ce-Specversion": "1.0",
        "Ce-Type": "org.kubeflow.serving.inference.response",
        "Content-Type": "application/octet-stream",
        "Accept-Encoding": "gzip",
        "Accept": "*/*",
    } == sent


async def test_failed_response_is_an_error(session: aiohttp.ClientSession, url: str, listener: Listener) -> None:
    """A status code other than 200 stops the demo with an error."""
    listener.status = 503

    with pytest.raises(DemoError, match=r"/v2/models/wine/infer got status code 503, not 200: response"):
        await traffic.Client(session, url).send(CALL, "4711")


async def test_no_response_is_an_error(session: aiohttp.ClientSession, url: str) -> None:
    """A refused connection stops the demo with an error."""
    refused = url.rpartition(":")[0] + ":1"

    with pytest.raises(DemoError, match="got no response"):
        await traffic.Client(session, refused).send(CALL, "4711")


async def test_traffic_takes_the_protocols_in_turn(
    session: aiohttp.ClientSession, url: str, listener: Listener
) -> None:
    """Three calls use three protocols, and calls and rows are counted."""
    clock = itertools.count(100)
    stream = traffic.Traffic(traffic.Client(session, url), ("a", "b"), clock=lambda: next(clock))
    for _ in range(3):
        await stream.send(ROWS)

    kinds = [(path, headers["Content-Type"]) for path, headers, _ in listener.received]
    assert [
        ("/v1/models/wine:predict", "application/json"),
        ("/v2/models/wine/infer", "application/json"),
        ("/v2/models/wine/infer", "application/octet-stream"),
    ] == kinds
    assert (3, 9, 102) == (stream.calls, stream.rows, stream.newest_at)


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_000_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000_704_821_900, "2023-11-14T22:13:20.7048219Z"),
        (1_700_000_000_000_000_001, "2023-11-14T22:13:20.000000001Z"),
        (1_700_000_000_500_000_000, "2023-11-14T22:13:20.5Z"),
    ],
)
def test_times_are_gos(time_ns: int, text: str) -> None:
    """Times have up to nine digits and no trailing zeros, as in Go. Source: layout `RFC3339Nano` of https://pkg.go.dev/time#pkg-constants."""
    assert text == traffic.rfc3339_nano(time_ns)
