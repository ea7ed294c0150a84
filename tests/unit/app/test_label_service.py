"""A process with a labels port, its parts made from options as a server makes them."""

from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession
from prometheus_client import generate_latest

from driftgauge.app.runtime import Runtime
from driftgauge.config.options import Config, LoggerConfig, ProxyConfig
from driftgauge.storage.labels import WaitingResponse
from driftgauge.storage.ring import id_digests
from tests.support.labelled import LAYOUT
from tests.support.models import WINE, labels
from tests.support.redis_server import RedisServer

QUERY = f"namespace={WINE.namespace}&inference_service={WINE.inference_service}"
OPTIONS: dict[str, Any] = {"labels_port": 9465, "labels_token": "good", "drain_timeout_seconds": 1}


def counted(runtime: Runtime, outcome: str) -> float | None:
    """How many labels of wine ended so."""
    return runtime.metrics.registry.get_sample_value("driftgauge_labels_total", labels(WINE) | {"outcome": outcome})


def made(options: dict[str, Any], *, is_proxy: bool) -> Runtime:
    """A proxy of the model of wine, or a logger that knows it."""
    config: Config = (ProxyConfig if is_proxy else LoggerConfig).model_validate(options)
    runtime = Runtime(config, "", WINE if is_proxy else None)
    if not is_proxy:
        runtime.metrics.model(runtime.models.admit(WINE))
    return runtime


@pytest.mark.parametrize("is_proxy", [True, False])
@pytest.mark.parametrize("has_redis", [True, False])
async def test_labels_meet_responses(redis_server: RedisServer, *, is_proxy: bool, has_redis: bool) -> None:
    """In both modes and with both stores a label is taken with a token alone, and counted when it has met."""
    runtime = made(OPTIONS | ({"redis_url": redis_server.url} if has_redis else {}), is_proxy=is_proxy)
    assert runtime.labels is not None
    assert runtime.stores.labels is not None
    assert 0 == counted(runtime, "matched")
    async with runtime.running(), ClientSession() as client:
        port = await runtime.labels.start("127.0.0.1", 0, None)
        response = WaitingResponse(tuple(id_digests(["4711"]).tolist()), runtime.clock(), np.ones((1, 1)))
        await runtime.stores.labels.put(WINE, LAYOUT, [response])
        url = f"http://127.0.0.1:{port}/labels?{QUERY}"
        for token, status in (("bad", 401), ("good", 202)):
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
            async with client.post(
                url, data=b"id,label\n4711,6\nof no inference of any test,6\n", headers=headers
            ) as reply:
                assert status == reply.status
        await runtime.labels.stop_listening()
    runtime.views.close()
    assert (1, 1) == (counted(runtime, "matched"), counted(runtime, "unknown"))
    refused = {"port": "labels"}
    assert 1 == runtime.metrics.registry.get_sample_value("driftgauge_unauthorized_requests_total", refused)


async def test_a_drain_takes_no_labels_and_logs_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    """From the drain on the port replies 503, what is queued is matched before the end, and one line has the others."""
    runtime = made(OPTIONS, is_proxy=True)
    assert runtime.labels is not None
    assert runtime.stores.labels is not None
    async with runtime.running(), ClientSession() as client:
        port = await runtime.labels.start("127.0.0.1", 0, None)
        response = WaitingResponse(tuple(id_digests(["4711"]).tolist()), runtime.clock(), np.ones((1, 1)))
        await runtime.stores.labels.put(WINE, LAYOUT, [response])
        url, headers = f"http://127.0.0.1:{port}/labels?{QUERY}", {"Authorization": "Bearer good"}
        body = [{"id": "4711", "label": 6}, {"id": "secret-1", "label": 6}, {"id": "secret-2", "label": 6}]
        async with client.post(url, json=body, headers=headers) as reply:
            assert 202 == reply.status
        runtime.labels.begin_drain()
        async with client.post(url, json=body, headers=headers) as reply:
            assert (503, "5") == (reply.status, reply.headers["Retry-After"])
            assert "The process ends" in (await reply.json())["error"]
        await runtime.labels.matcher.advance()
        assert 1 == counted(runtime, "matched")  # while the admin port still serves
        await runtime.labels.stop_listening()
    runtime.views.close()
    assert (1, 2) == (counted(runtime, "matched"), counted(runtime, "unknown"))
    line = "2 labels were lost at the end (0 dropped, 2 whose responses had not come): post them again"
    assert [line] == [one for one in caplog.messages if "lost at the end" in one]
    assert "secret" not in caplog.text


def test_without_the_port_there_is_nothing() -> None:
    """A process without a labels port keeps no responses, and has no series of labels."""
    runtime = made({}, is_proxy=False)
    assert (None, None) == (runtime.labels, runtime.stores.labels)
    page = generate_latest(runtime.metrics.registry).decode()
    assert "driftgauge_label" not in page
    assert 'port="labels"' not in page
    runtime.views.close()
