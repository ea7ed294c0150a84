"""Whole processes of both modes count the same OpenAI-compatible inferences alike."""

import http.client
import json

from tests.support.echo_model import EchoModel
from tests.support.listening_receiver import headers
from tests.support.processes import Driftgauge
from tests.support.scrape import Samples
from tests.support.traffic import ask

CHAT = json.dumps({"model": "llama", "messages": [{"role": "user", "content": "Hi"}]}).encode()
REPLY = json.dumps({"object": "chat.completion", "model": "llama", "choices": [{"message": {}}]}).encode()


def counts(samples: Samples) -> dict[str, float]:
    """What both modes can know of the model."""
    model = {"model_name": "llama", "inference_service": "wine", "component": "predictor"}
    names = ("request_count", "driftgauge_request_bytes_total", "driftgauge_response_bytes_total")
    counted = {name: samples.total(name, **model) for name in names}
    return {**counted, "payloads": samples.total("driftgauge_payloads_total")}


def test_both_modes_count_alike() -> None:
    """Three chats count for the model that their bodies name, and are no payloads, in either mode."""
    with (
        EchoModel(response=lambda _: REPLY) as model,
        Driftgauge("proxy", "--upstream-url", model.url, "--inference-service=wine") as proxy,
    ):
        codes = [ask(proxy.port, CHAT, "/openai/v1/chat/completions")[0] for _ in range(3)]
        passed = proxy.wait_for(lambda s: s.total("request_count", model_name="llama") == 3, "three requests")
    with Driftgauge("logger") as logger:
        _send(logger.port, "response", REPLY, "0")  # the name has its place from the first response on
        for number in range(3):
            _send(logger.port, "request", CHAT, f"{number + 1}")
        for number in range(2):
            _send(logger.port, "response", REPLY, f"{number + 1}")
        logged = logger.wait_for(lambda s: s.total("request_latency_seconds_count") == 2, "two pairs")

    assert [200] * 3 == codes
    assert counts(passed) == counts(logged)
    assert {
        "request_count": 3,
        "driftgauge_request_bytes_total": 3 * len(CHAT),
        "driftgauge_response_bytes_total": 3 * len(REPLY),
        "payloads": 0,
    } == counts(passed)


def _send(port: int, kind: str, body: bytes, id_: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/", body, headers(kind) | {"Ce-Id": id_})
    connection.getresponse().read()
    connection.close()
