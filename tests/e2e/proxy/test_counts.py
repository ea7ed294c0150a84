"""Inferences are counted and offered; all other requests are not."""

from dataclasses import replace

import pytest

from driftgauge.inference.payload import OVERFLOW, Kind, Payload
from tests.support.changed_payloads import fields_of
from tests.support.proxied import EPOCH_SECONDS, MODEL, SETTINGS, Proxied
from tests.support.raw_client import Wire, post
from tests.support.upstream import OK, RawUpstream, responding

INFER = "/v2/models/wine/infer"

INFERENCES = {
    "/v1/models/wine:predict": "wine",
    "/v1/models/wine:explain": "wine",
    "/v1/models/wine%3Apredict": "wine",
    "/v1/models/wine/versions/3:predict": "wine",
    "/v1/models/wine/labels/stable:predict": "wine",
    "/v1/models/red%2Fwine:predict?x=1": "red/wine",
    "/v2/models/wine/infer": "wine",
    "/v2/models/wine/versions/2/infer": "wine",
    "/v2/models/v%C3%A9lo/infer?": "vélo",
    "http://host:80/v2/models/wine/infer": "wine",
}

OTHERS = {
    "metadata": b"GET /v2/models/wine HTTP/1.1\r\nHost: m\r\n\r\n",
    "health": b"GET /v2/health/ready HTTP/1.1\r\nHost: m\r\n\r\n",
    "another method": b"GET /v2/models/wine/infer HTTP/1.1\r\nHost: m\r\n\r\n",
    "generate": post("/v2/models/wine/generate", b"{}"),
    "repository": post("/v2/repository/models/wine/load", b"{}"),
    "OpenAI's models": b"GET /openai/v1/models HTTP/1.1\r\nHost: m\r\n\r\n",
    "another OpenAI path": post("/openai/v1/files", b"{}"),
    "below an inference path": post("/v2/models/wine/infer/more", b"{}"),
    "classify": post("/v1/models/wine:classify", b"{}"),
    "kubelet": post(INFER, b"{}", "User-Agent: kube-probe/1.30"),
    "Knative": post(INFER, b"{}", "K-Network-Probe: queue"),
}


def _only(payloads: list[Payload], kind: Kind) -> Payload:
    (found,) = (payload for payload in payloads if payload.kind is kind)
    return found


@pytest.mark.parametrize(("target", "name"), INFERENCES.items())
async def test_inference_is_counted(proxy: Proxied, target: str, name: str) -> None:
    """A POST on an inference path is counted once, for the model named in the path."""
    await proxy.ask(post(target, b'{"x":1}'))
    await proxy.counted("200")

    assert 1 == proxy.total("request_count", model_name=name, code="200")
    assert 1 == proxy.total("request_latency_seconds_count", model_name=name)
    assert 1 == proxy.total("driftgauge_proxy_overhead_seconds_count", model_name=name)
    assert 7 == proxy.total("driftgauge_request_bytes_total", model_name=name)
    assert 2 == proxy.total("driftgauge_response_bytes_total", model_name=name)
    assert 0 == proxy.total("driftgauge_requests_in_flight")
    assert [name, name] == [payload.model.model_name for payload in proxy.offered]


@pytest.mark.parametrize("request_bytes", OTHERS.values(), ids=OTHERS)
async def test_the_rest_passes_uncounted(proxy: Proxied, upstream: RawUpstream, request_bytes: bytes) -> None:
    """A request that is not an inference reaches the model server and is neither counted nor copied."""
    assert OK == await proxy.ask(request_bytes)
    assert request_bytes == upstream.received

    await proxy.ask(post(INFER, b"{}"))
    await proxy.counted("200")

    assert 1 == proxy.total("request_count")
    assert 2 == len(proxy.offered)


async def test_both_halves_are_offered(proxy: Proxied, upstream: RawUpstream) -> None:
    """Request and response are offered with their bytes, one id, the status code, their times and JSON lengths."""
    response = b"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: 3\r\nContent-Length: 5\r\n\r\n{ }\x00\x01"
    upstream.script = responding(response)
    await proxy.ask(post(INFER, b"{}\xff", "Ce-Id: one", "X-Request-Id: two", "Inference-Header-Content-Length: 2"))
    await proxy.counted("200")

    expected = [
        Payload(Kind.REQUEST, "one", MODEL, b"{}\xff", 2, 200, EPOCH_SECONDS),
        Payload(Kind.RESPONSE, "one", MODEL, b"{ }\x00\x01", 3, 200, EPOCH_SECONDS),
    ]
    assert [*map(fields_of, expected)] == [*map(fields_of, proxy.offered)]


async def test_id_is_that_of_the_request(proxy: Proxied) -> None:
    """Without `Ce-Id` the id is `X-Request-Id`, up to a limit; without both, each request gets a new id."""
    await proxy.ask(post(INFER, b"{}", "X-Request-Id: " + "i" * 1000))
    await proxy.ask(post(INFER, b"{}"))
    await proxy.ask(post(INFER, b"{}"))
    await proxy.counted("200", 3)
    ids = [payload.id for payload in proxy.offered]

    assert ["i" * 256] * 2 == ids[:2]
    assert ids[2] == ids[3]
    assert ids[4] == ids[5]
    assert 3 == len(set(ids))


async def test_chunked_bodies_are_counted_without_framing(proxy: Proxied, upstream: RawUpstream) -> None:
    """Body bytes are counted and copied without the framing of chunks."""
    upstream.script = responding(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    head = f"POST {INFER} HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    await proxy.ask(head + b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")
    await proxy.counted("200")

    assert 4 == proxy.total("driftgauge_request_bytes_total")
    assert 3 == proxy.total("driftgauge_response_bytes_total")
    assert [b"abcd", b"abc"] == [payload.body for payload in proxy.offered]


@pytest.mark.parametrize("status", [201, 302, 400, 404, 500, 503])
async def test_only_200_is_a_response(proxy: Proxied, upstream: RawUpstream, status: int) -> None:
    """Another status code is counted and offered with the request; its body is not a payload."""
    upstream.script = responding(b"HTTP/1.1 %d Status\r\nContent-Length: 2\r\n\r\nno" % status)
    await proxy.ask(post(INFER, b"{}"))
    await proxy.counted(str(status))

    assert [(Kind.REQUEST, status)] == [(payload.kind, payload.status) for payload in proxy.offered]
    assert 0 == proxy.total("driftgauge_payloads_total")
    assert float(status >= 400) == proxy.total("request_error_count")


async def test_long_bodies_are_not_copied(proxy: Proxied, upstream: RawUpstream) -> None:
    """A body above the limit is forwarded and rejected as too large; the other half is offered."""
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n" + bytes(4097)
    upstream.script = responding(response)

    assert response == await proxy.ask(post(INFER, bytes(4096)))

    await proxy.counted("200")

    assert [4096] == [len(payload.body) for payload in proxy.offered]
    assert 1 == proxy.total("driftgauge_payloads_total", kind="response", outcome="rejected", reason="too_large")


async def test_copies_share_a_bound(upstream: RawUpstream) -> None:
    """When all copies together would exceed the limit, the copy is dropped and the request is forwarded."""
    async with Proxied(upstream.port, replace(SETTINGS, copy_bytes=200)) as proxy:
        assert OK == await proxy.ask(post(INFER, bytes(201)))
        assert OK == await proxy.ask(post(INFER, bytes(98)))
        await proxy.counted("200", 2)

        assert 1 == proxy.total("driftgauge_payloads_total", kind="request", outcome="dropped", reason="queue_full")
        assert [2, 98, 2] == [len(payload.body) for payload in proxy.offered]


async def test_unproven_names_make_no_series(proxy: Proxied, upstream: RawUpstream) -> None:
    """All names that the model server does not know are counted under the overflow key."""
    upstream.script = responding(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
    for number in range(10):
        await proxy.ask(post(f"/v2/models/guess-{number}/infer", b"{}"))
    await proxy.counted("404", 10)

    assert 10 == proxy.total("request_count", model_name=OVERFLOW.model_name, code="404")
    assert {OVERFLOW} == {payload.model for payload in proxy.offered}


async def test_names_are_capped(proxy: Proxied) -> None:
    """Models above the limit are counted under the overflow key."""
    for number in range(4):
        await proxy.ask(post(f"/v2/models/model-{number}/infer", b"{}"))
    await proxy.counted("200", 4)

    assert [1, 1, 0, 0] == [proxy.total("request_count", model_name=f"model-{number}") for number in range(4)]
    assert 2 == proxy.total("request_count", model_name=OVERFLOW.model_name)


async def test_in_flight_while_under_way(proxy: Proxied, upstream: RawUpstream) -> None:
    """A request is in flight from its head to the end of its response."""
    shown: list[float] = []

    async def read_gauge(wire: Wire) -> None:
        """Read the gauge, then respond."""
        await wire.message()
        shown.append(proxy.total("driftgauge_requests_in_flight", model_name="wine"))
        wire.send(OK)

    upstream.script = read_gauge
    await proxy.ask(post(INFER, b"{}"))
    await proxy.counted("200")

    assert [1] == shown
    assert 0 == proxy.total("driftgauge_requests_in_flight")


async def test_latency_and_overhead(proxy: Proxied, upstream: RawUpstream) -> None:
    """Latency includes the time that the model takes; the overhead of the proxy does not."""

    async def take_two_seconds(wire: Wire) -> None:
        """Respond two seconds later."""
        await wire.message()
        proxy.timer.now += 2
        wire.send(OK)

    upstream.script = take_two_seconds
    await proxy.ask(post(INFER, b"{}"))
    await proxy.counted("200")

    assert 2 == proxy.total("request_latency_seconds_sum")
    assert 0 == proxy.total("driftgauge_proxy_overhead_seconds_sum")


async def test_slow_client_is_latency_not_overhead(proxy: Proxied) -> None:
    """Latency begins with the first byte of the head; the time that a slow client takes is not overhead."""
    wire = await proxy.connect()
    request = post(INFER, b"{}")
    wire.send(request[:5])
    await proxy.ask(post("/", b""))
    proxy.timer.now += 3
    wire.send(request[5:])
    await wire.message()
    await proxy.counted("200")

    assert 3 == proxy.total("request_latency_seconds_sum")
    assert 0 == proxy.total("driftgauge_proxy_overhead_seconds_sum")
