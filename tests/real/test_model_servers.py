"""The proxy in front of real model servers: the client gets the model's response, driftgauge gets the rows."""

import gzip
import json
from pathlib import Path

import pytest

from tests.support import wine
from tests.support.exchange import Message, Reply, send
from tests.support.processes import Driftgauge

pytestmark = [pytest.mark.real_server, pytest.mark.timeout(300)]

JSON = {"Content-Type": "application/json"}
BINARY_BODY, BINARY_HEADERS = wine.v2_binary(wine.ROWS[:3])
V1 = "/v1/models/wine:predict"
V2 = "/v2/models/wine/infer"

V1_ROWS = Message(V1, wine.v1(wine.ROWS[:3]), JSON)
V2_ROWS = Message(V2, wine.v2_json(wine.ROWS[:3]), JSON)
V2_RAW_ROWS = Message(V2, BINARY_BODY, BINARY_HEADERS)
V1_BROKEN = Message(V1, b'{"instances":', JSON)
V2_BROKEN = Message(V2, b'{"inputs":', JSON)
V1_UNKNOWN = Message("/v1/models/unknown:predict", wine.v1(wine.ROWS[:3]), JSON)
V2_UNKNOWN = Message("/v2/models/unknown/infer", wine.v2_json(wine.ROWS[:3]), JSON)
V2_ZIPPED_RESPONSE = Message(V2, wine.v2_json(wine.ROWS), {**JSON, "Accept-Encoding": "gzip"})
NOT_INFERENCE = [
    Message("/v2", method="GET"),
    Message("/v2/health/ready", method="GET"),
    Message("/v2/models/wine", method="GET"),
    Message("/nowhere?a=%2F&b", method="GET"),
    Message(V2, method="GET"),
    Message("/v2/models/wine", method="PUT"),  # no body: the response may come before it
]


def proxy(upstream_url: str, reference: Path) -> Driftgauge:
    """A proxy in front of a server, which tests often and needs only three rows."""
    return Driftgauge(
        "proxy",
        *("--upstream-url", upstream_url, "--reference", reference, "--inference-service", "wine"),
        *("--min-rows", "3", "--evaluation-interval-seconds", "0.5"),
    )


@pytest.mark.parametrize(
    ("message", "status"),
    [
        pytest.param(V1_ROWS, 200, id="v1"),
        pytest.param(V2_ROWS, 200, id="v2-json"),
        pytest.param(V2_RAW_ROWS, 200, id="v2-binary"),
        pytest.param(V1_BROKEN, 400, id="v1-broken"),
        pytest.param(V2_BROKEN, 422, id="v2-broken"),
        pytest.param(V1_UNKNOWN, 404, id="v1-unknown"),
        pytest.param(V2_UNKNOWN, 404, id="v2-unknown"),
    ],
)
def test_kserve_responds_through_the_proxy_as_it_does_directly(
    kserve_url: str, wine_reference: Path, message: Message, status: int
) -> None:
    """Status code, reason, headers with their order, and body are those of KServe's direct response."""
    with proxy(kserve_url, wine_reference) as sidecar:
        direct = send(kserve_url, message)
        through = send(sidecar.url, message)

    assert status == through.status
    assert direct.lasting() == through.lasting()


@pytest.mark.parametrize(
    ("message", "status"),
    [
        pytest.param(V2_ROWS, 200, id="v2-json"),
        pytest.param(V2_RAW_ROWS, 500, id="v2-binary-is-not-supported"),
        pytest.param(V2_BROKEN, 422, id="v2-broken"),
        pytest.param(V2_UNKNOWN, 404, id="v2-unknown"),
    ],
)
def test_mlserver_responds_through_the_proxy_as_it_does_directly(
    mlserver_url: str, wine_reference: Path, message: Message, status: int
) -> None:
    """Status code, reason, headers with their order, and body are those of MLServer's direct response."""
    with proxy(mlserver_url, wine_reference) as sidecar:
        direct = send(mlserver_url, message)
        through = send(sidecar.url, message)

    assert status == through.status
    assert direct.lasting() == through.lasting()


def test_paths_that_are_no_inference_pass_unchanged_and_are_not_counted(kserve_url: str, wine_reference: Path) -> None:
    """Health, metadata, unknown paths and other methods get the model server's response and are not counted."""
    with proxy(kserve_url, wine_reference) as sidecar:
        direct = [send(kserve_url, message).lasting() for message in NOT_INFERENCE]
        through = [send(sidecar.url, message).lasting() for message in NOT_INFERENCE]
        counted = sidecar.metrics().total("request_count")

    assert direct == through
    assert 0 == counted


def test_a_compressed_response_stays_compressed(mlserver_url: str, wine_reference: Path) -> None:
    """MLServer's gzip passes unchanged; only the time in gzip's own header may differ."""
    with proxy(mlserver_url, wine_reference) as sidecar:
        direct = send(mlserver_url, V2_ZIPPED_RESPONSE)
        through = send(sidecar.url, V2_ZIPPED_RESPONSE)

    assert "gzip" == through.header("Content-Encoding")
    assert without_time(direct) == without_time(through)
    assert len(wine.ROWS) == len(json.loads(gzip.decompress(through.body))["outputs"][0]["data"])


def test_rows_of_every_protocol_reach_the_ring_and_the_test(kserve_url: str, wine_reference: Path) -> None:
    """Three rows each by V1, V2 JSON and V2 binary are nine rows of three requests, and nine rows are tested."""
    with proxy(kserve_url, wine_reference) as sidecar:
        for message in (V1_ROWS, V2_ROWS, V2_RAW_ROWS):
            send(sidecar.url, message)
        samples = sidecar.wait_for(lambda now: 9 == now.total("driftgauge_window_rows"), "a verdict on nine rows")

    assert 3 == samples.total("request_count", inference_service="wine", model_name="wine", code="200")
    assert 9 == samples.total("request_sum", code="200")
    assert 3 == samples.total("request_latency_seconds_count", model_name="wine")
    assert 3 == samples.total("driftgauge_payloads_total", kind="request", outcome="accepted")
    assert 3 == samples.total("driftgauge_payloads_total", kind="response", outcome="accepted")
    assert len(wine.FEATURES) == len(samples.matching("driftgauge_feature_drift", test="ks"))
    assert 0 == samples.total("request_error_count")


def test_a_failed_response_does_not_affect_the_next_request(mlserver_url: str, wine_reference: Path) -> None:
    """MLServer's 500 for V2 binary, after which it closes the connection, is an error; the next request succeeds.

    Ten rounds, because it depends on timing whether the next request uses the connection that is being closed.
    """
    rounds = 10
    with proxy(mlserver_url, wine_reference) as sidecar:
        statuses = [send(sidecar.url, message).status for message in (V2_RAW_ROWS, V2_ROWS) * rounds]
        samples = sidecar.metrics()

    assert [500, 200] * rounds == statuses
    assert rounds == samples.total("request_count", code="500")
    assert rounds == samples.total("request_error_count", code="500")
    assert rounds == samples.total("request_error_count")


def without_time(response: Reply) -> Reply:
    """The response with bytes 4 to 7 of its gzip body (the time of compression, RFC 1952 section 2.3) set to 0."""
    body = response.body[:4] + bytes(4) + response.body[8:]
    return Reply(response.status, response.reason, response.lasting().headers, body)
