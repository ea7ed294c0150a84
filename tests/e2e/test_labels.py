"""Labels meet the responses of whole processes: in a proxy alone, and through the port of a logger."""

import http.client
import json
import signal

import pytest

from tests.support.echo_model import EchoModel
from tests.support.ports import free_port
from tests.support.processes import Driftgauge
from tests.support.redis_server import RedisServer
from tests.support.scrape import Samples
from tests.support.traffic import PATH, body_of
from tests.support.waiting import wait_until

V1 = b'{"predictions": [6, 5]}'
V2 = b'{"id": "%s", "outputs": [{"name": "quality", "datatype": "INT64", "shape": [2], "data": [6, 5]}]}'
NAMES = ("--inference-service=wine", "--namespace=prod")
FAST = ("--flush-interval-seconds=0.02", "--drain-delay-seconds=0")


def infer(port: int, inference: str) -> None:
    """Send one inference of two rows with an id."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", PATH, body_of([[1.0], [2.0]]), {"X-Request-Id": inference})
    response = connection.getresponse()
    assert response.read()
    assert 200 == response.status
    connection.close()


def post(port: int, body: bytes, kind: str = "text/csv", service: str = "wine") -> tuple[int, dict[str, object]]:
    """Post labels."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    url = f"/labels?namespace=prod&inference_service={service}"
    connection.request("POST", url, body, {"Content-Type": kind})
    response = connection.getresponse()
    reply = json.loads(response.read())
    connection.close()
    return response.status, reply


def labels(samples: Samples, outcome: str) -> float:
    """How many labels ended so."""
    return samples.total("driftgauge_labels_total", outcome=outcome, inference_service="wine")


def test_a_proxy_alone() -> None:
    """Labels of requests with an id are matched, a label that comes early too, and a repeated one is a duplicate."""
    port = free_port()
    flags = (*NAMES, *FAST, "--labels-port", str(port))
    with (
        EchoModel(response=lambda _: V1) as model,
        Driftgauge("proxy", "--upstream-url", model.url, *flags) as proxy,
    ):
        for number in range(10):
            infer(proxy.port, f"order-{number}")
        proxy.wait_for(lambda s: s.total("driftgauge_payloads_total", kind="response") == 10, "ten responses")
        lines = "".join(f"order-{number},{row},6\n" for number in range(10) for row in (0, 1))
        assert (202, {"accepted": 20, "rejected": {"malformed": 0}}) == post(port, b"id,row,label\n" + lines.encode())
        proxy.wait_for(lambda s: labels(s, "matched") == 20, "twenty matches")
        assert 202 == post(port, b"id,row,label\norder-1,0,6\norder-1,7,6\nlater,0,5\n")[0]
        proxy.wait_for(lambda s: labels(s, "duplicate") == labels(s, "malformed") == 1, "a duplicate")
        infer(proxy.port, "later")
        found = proxy.wait_for(lambda s: labels(s, "matched") == 21, "the early label's match")
        assert 404 == post(port, b"id,label\n1,2\n", service="other")[0]
        assert 21 == found.total("driftgauge_label_delay_seconds_count")
        assert 21 == found.total("driftgauge_outcomes_total", state="labelled")


def test_a_proxy_that_ends() -> None:
    """From SIGTERM on labels get 503, the scrape still shows what became of those before, and the log has the rest."""
    port = free_port()
    flags = (*NAMES, "--flush-interval-seconds=0.02", "--drain-delay-seconds=60", "--labels-port", str(port))
    with (
        EchoModel(response=lambda _: V1) as model,
        Driftgauge("proxy", "--upstream-url", model.url, *flags) as proxy,
    ):
        infer(proxy.port, "order-1")
        proxy.wait_for(lambda s: s.total("driftgauge_payloads_total", kind="response") == 1, "a response")
        assert 202 == post(port, b"id,label\norder-1,6\nnever,6\n")[0]
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: "draining: unready" in proxy.stderr, "the drain")
        assert 503 == post(port, b"id,label\norder-1,6\n")[0]
        proxy.wait_for(lambda s: labels(s, "matched") == 1, "the match, in a scrape of the drain")
        assert 0 == proxy.terminate()  # a second signal ends the delay
        assert "1 labels were lost at the end (0 dropped, 1 whose responses had not come)" in proxy.stderr


@pytest.mark.long
def test_a_proxy_through_a_logger(redis_server: RedisServer) -> None:
    """With Redis the logger's port takes the labels of a proxy's model, by either id of an inference."""
    proxy_port, logger_port = free_port(), free_port()
    redis = ("--redis-url", redis_server.url)
    with (
        EchoModel(response=lambda _: V2 % b"reply-7") as model,
        Driftgauge("logger", *redis, *FAST, "--labels-port", str(logger_port)) as logger,
        Driftgauge(
            "proxy", "--upstream-url", model.url, *NAMES, *redis, *FAST, "--labels-port", str(proxy_port)
        ) as proxy,
    ):
        infer(proxy.port, "order-7")
        proxy.wait_for(lambda s: s.total("driftgauge_payloads_total", kind="response") == 1, "a response")
        body = json.dumps([{"id": "order-7", "label": 6}, {"id": "reply-7", "row": 1, "label": {"quality": 5}}])
        taken = {"accepted": 2, "rejected": {"malformed": 0}}
        assert (202, taken) == post(logger_port, body.encode(), "application/json")
        logger.wait_for(lambda s: labels(s, "matched") == 2, "two matches")
        tensor = {"name": "quality", "datatype": "INT64", "shape": [2], "data": [6, 5]}
        batch = json.dumps({"id": "order-7", "outputs": [tensor]}).encode()
        assert 202 == post(proxy_port, batch, "application/json")[0]
        proxy.wait_for(lambda s: labels(s, "duplicate") == 2, "two duplicates at the proxy's own port")
