"""Requests on OpenAI-compatible paths pass the proxy byte for byte, and are counted for the model in their body."""

import pytest

from tests.support.proxied import Proxied
from tests.support.raw_client import Wire, post
from tests.support.upstream import OK, RawUpstream, responding

CHAT = b'{"model":"llama","stream":true,"messages":[]}'
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'1b\r\ndata: {"choices":[{}]}    \n\r\n'


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/openai/v1/embeddings"])
async def test_it_is_counted_and_copied_nowhere(proxy: Proxied, upstream: RawUpstream, path: str) -> None:
    """Request and response are untouched and counted once, and are no payloads."""
    request = post(path, CHAT)

    assert OK == await proxy.ask(request)
    assert request == upstream.received

    await proxy.counted("200")

    assert 1 == proxy.total("request_count", model_name="llama", inference_service="wine", code="200")
    assert len(CHAT) == proxy.total("driftgauge_request_bytes_total", model_name="llama")
    assert 1 == proxy.total("request_latency_seconds_count", model_name="llama")
    assert 0 == proxy.total("driftgauge_payloads_total")
    assert [] == proxy.offered


async def test_errors_are_counted(proxy: Proxied, upstream: RawUpstream) -> None:
    """An error of the model server is counted with its code, for a known model under its name."""
    upstream.script = responding(OK.replace(b"200 OK", b"200 OK\r\nConnection: close"))
    await proxy.ask(post("/v1/completions", CHAT))
    await proxy.counted("200")
    upstream.script = responding(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}")
    await proxy.ask(post("/v1/completions", CHAT))
    await proxy.counted("503")

    assert 1 == proxy.total("request_error_count", model_name="llama", code="503")


async def test_a_stream_ends_with_its_last_byte(proxy: Proxied, upstream: RawUpstream) -> None:
    """Events reach the client as they come, and the latency ends with the last one."""
    shown: list[float] = []

    async def stream(wire: Wire) -> None:
        """Send an event, then another three seconds later."""
        await wire.message()
        wire.send(STREAM_HEAD + EVENT)
        await client.until(EVENT)
        shown.append(proxy.total("driftgauge_requests_in_flight", model_name="wine"))
        proxy.timer.now += 3
        wire.send(EVENT + b"0\r\n\r\n")

    upstream.script = stream
    client = await proxy.connect()
    client.send(post("/openai/v1/chat/completions", CHAT))
    await proxy.counted("200")

    assert [1] == shown
    assert 3 == proxy.total("request_latency_seconds_sum", model_name="llama")
    assert 2 * 27 == proxy.total("driftgauge_response_bytes_total", model_name="llama")
    assert 0 == proxy.total("driftgauge_requests_in_flight")


async def test_a_client_that_leaves_a_stream(proxy: Proxied, upstream: RawUpstream) -> None:
    """A client that leaves within a stream is counted as 499, and the model server's connection ends."""

    async def stream(wire: Wire) -> None:
        """Send an event, and wait until the proxy is gone."""
        await wire.message()
        wire.send(STREAM_HEAD + EVENT)
        await wire.gone()

    upstream.script = stream
    wire = await proxy.connect()
    wire.send(post("/v1/chat/completions", CHAT))
    await wire.head()
    await wire.drop()
    await proxy.counted("499")
    await upstream.open_is(0)

    assert 1 == proxy.total("request_error_count", code="499")
    assert 0 == proxy.total("driftgauge_payloads_total")
    assert 0 == proxy.total("driftgauge_requests_in_flight")


async def test_long_bodies_count_for_the_service(proxy: Proxied) -> None:
    """A body of more than 64 kB passes, and counts for the InferenceService."""
    await proxy.ask(post("/v1/chat/completions", CHAT.ljust(70_000)))
    await proxy.counted("200")

    assert 1 == proxy.total("request_count", model_name="wine", code="200")
    assert 70_000 == proxy.total("driftgauge_request_bytes_total", model_name="wine")
