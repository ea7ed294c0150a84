"""The proxy before real model servers: the caller sees the model's own answer, the sidecar sees the rows."""

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
V1_UNKNOWN = Message("/v1/models/stranger:predict", wine.v1(wine.ROWS[:3]), JSON)
V2_UNKNOWN = Message("/v2/models/stranger/infer", wine.v2_json(wine.ROWS[:3]), JSON)
V2_ZIPPED_RESPONSE = Message(V2, wine.v2_json(wine.ROWS), {**JSON, "Accept-Encoding": "gzip"})
NOT_INFERENCE = [
    Message("/v2", method="GET"),
    Message("/v2/health/ready", method="GET"),
    Message("/v2/models/wine", method="GET"),
    Message("/nowhere?a=%2F&b", method="GET"),
    Message(V2, method="GET"),
    Message("/v2/models/wine", b"{}", JSON, method="PUT"),
]


def proxy(upstream_url: str, reference: Path) -> Driftgauge:
    """A proxy before that server; three rows are enough for it, and it tests them often."""
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
        pytest.param(V1_UNKNOWN, 404, id="v1-stranger"),
        pytest.param(V2_UNKNOWN, 404, id="v2-stranger"),
    ],
)
def test_kserve_answers_through_the_proxy_as_it_answers_itself(
    kserve_url: str, wine_reference: Path, message: Message, status: int
) -> None:
    """Status, reason, headers in their order, and body are those of the KServe server's direct answer."""
    with proxy(kserve_url, wine_reference) as sidecar:
        direct = send(kserve_url, message)
        through = send(sidecar.url, message)

    assert status == through.status
    assert direct.lasting() == through.lasting()


@pytest.mark.parametrize(
    ("message", "status"),
    [
        pytest.param(V2_ROWS, 200, id="v2-json"),
        pytest.param(V2_RAW_ROWS, 500, id="v2-binary-is-not-spoken"),
        pytest.param(V2_BROKEN, 422, id="v2-broken"),
        pytest.param(V2_UNKNOWN, 404, id="v2-stranger"),
    ],
)
def test_mlserver_answers_through_the_proxy_as_it_answers_itself(
    mlserver_url: str, wine_reference: Path, message: Message, status: int
) -> None:
    """Status, reason, headers in their order, and body are those of MLServer's direct answer."""
    with proxy(mlserver_url, wine_reference) as sidecar:
        direct = send(mlserver_url, message)
        through = send(sidecar.url, message)

    assert status == through.status
    assert direct.lasting() == through.lasting()


def test_paths_that_are_no_inference_pass_untouched_and_uncounted(kserve_url: str, wine_reference: Path) -> None:
    """Health, metadata, unknown paths and other methods get the model server's answer and make no request."""
    with proxy(kserve_url, wine_reference) as sidecar:
        direct = [send(kserve_url, message).lasting() for message in NOT_INFERENCE]
        through = [send(sidecar.url, message).lasting() for message in NOT_INFERENCE]
        counted = sidecar.metrics().total("request_count")

    assert direct == through
    assert 0 == counted


def test_a_compressed_answer_stays_compressed(mlserver_url: str, wine_reference: Path) -> None:
    """MLServer's gzip passes as it is; only the stamp of the second in gzip's own header may differ."""
    with proxy(mlserver_url, wine_reference) as sidecar:
        direct = send(mlserver_url, V2_ZIPPED_RESPONSE)
        through = send(sidecar.url, V2_ZIPPED_RESPONSE)

    assert "gzip" == through.header("Content-Encoding")
    assert without_stamp(direct) == without_stamp(through)
    assert len(wine.ROWS) == len(json.loads(gzip.decompress(through.body))["outputs"][0]["data"])


def test_rows_of_every_protocol_reach_the_ring_and_the_test(kserve_url: str, wine_reference: Path) -> None:
    """Three rows each by V1, V2 JSON and V2 binary are nine rows of three requests, and a verdict on nine."""
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


def test_a_failing_answer_costs_no_request_that_follows(mlserver_url: str, wine_reference: Path) -> None:
    """MLServer's 500 to V2 binary, after which it closes without a word, is an error; the next request is none.

    Ten rounds, since whether the next request meets the closing connection is a matter of luck.
    """
    rounds = 10
    with proxy(mlserver_url, wine_reference) as sidecar:
        statuses = [send(sidecar.url, message).status for message in (V2_RAW_ROWS, V2_ROWS) * rounds]
        samples = sidecar.metrics()

    assert [500, 200] * rounds == statuses
    assert rounds == samples.total("request_count", code="500")
    assert rounds == samples.total("request_error_count", code="500")
    assert rounds == samples.total("request_error_count")


def without_stamp(response: Reply) -> Reply:
    """The answer with bytes 4 to 7 of its gzip body (the time of compression, RFC 1952 section 2.3) set to 0."""
    body = response.body[:4] + bytes(4) + response.body[8:]
    return Reply(response.status, response.reason, response.lasting().headers, body)
