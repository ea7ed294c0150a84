"""The model server as the doctor finds it: its protocol and whether it is ready."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from driftgauge.cli.doctor.check_model_server import check_model_server
from driftgauge.cli.doctor.finding import Finding, Level
from driftgauge.config.load import load
from driftgauge.config.options import ProxyConfig
from tests.support.ports import free_port

Responses = Mapping[str, object]
"""The JSON of each path, or the status code of an error."""

METADATA = {"name": "mlserver", "version": "1.5.0", "extensions": []}


@asynccontextmanager
async def server(responses: Responses, default: int = 404) -> AsyncIterator[str]:
    """A server with these responses; yields its URL."""

    async def respond(request: web.Request) -> web.Response:
        """Respond by the path."""
        found = responses.get(request.path, default)
        return web.Response(status=found) if isinstance(found, int) else web.json_response(found)

    app = web.Application()
    app.router.add_get("/{path:.*}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def check(url: str) -> list[Finding]:
    """What the doctor finds at a URL."""
    config = load("proxy", {"upstream_url": url, "inference_service": "wine"})
    assert isinstance(config, ProxyConfig)
    return await check_model_server(config)


@pytest.mark.parametrize(
    ("responses", "protocols"),
    [
        ({"/v2": METADATA, "/v2/health/ready": 200}, "V2 (mlserver 1.5.0)"),
        ({"/v1/models": {"models": ["wine"]}, "/v1/models/wine": {"name": "wine", "ready": "True"}}, "V1"),
        ({"/v2": METADATA, "/v1/models": {"models": []}, "/v2/health/ready": {"ready": True}}, "V1 and V2 (mlserver"),
        ({"/openai/v1/models": {"object": "list"}, "/v2/health/ready": 200}, "V2 and OpenAI"),
    ],
)
async def test_the_protocol_is_named(responses: Responses, protocols: str) -> None:
    """By the paths that differ between the protocols; a server that is ready is ok."""
    async with server(responses) as url:
        found = await check(url)

    assert {Level.OK} == {finding.level for finding in found}
    assert f"{url} speaks {protocols}" in found[0].sentence


async def test_a_server_without_a_path_for_it_may_be_ready_or_not() -> None:
    """What is not known is no ok."""
    async with server({"/v1/models": {"object": "list", "data": []}}) as url:
        speaks, ready = await check(url)

    assert (Level.OK, True) == (speaks.level, f"{url} speaks OpenAI" in speaks.sentence)
    assert (Level.WARN, True) == (ready.level, ready.sentence.startswith("not known"))


@pytest.mark.parametrize(
    "responses",
    [
        {"/v2": METADATA, "/v2/health/ready": 503},
        {"/v1/models": {"models": ["wine"]}, "/v1/models/wine": {"name": "wine", "ready": False}},
        {"/v1/models": {"models": ["wine"]}, "/v1/models/wine": 503},
    ],
)
async def test_a_model_that_is_not_ready_is_a_failure(responses: Responses) -> None:
    """The server responds, the model does not yet."""
    async with server(responses) as url:
        found = await check(url)

    assert [Level.OK, Level.FAIL] == [finding.level for finding in found]
    assert "wait until the model is loaded" in found[1].sentence


async def test_a_server_of_another_kind_is_a_warning() -> None:
    """It responds, but nothing that driftgauge reads can come from it."""
    async with server({}) as url:
        found = await check(url)

    assert [Level.WARN] == [finding.level for finding in found]


async def test_driftgauge_in_front_of_itself_is_a_failure() -> None:
    """508 is what the proxy responds to a request that it has forwarded."""
    async with server({}, default=508) as url:
        found = await check(url)

    assert [Level.FAIL] == [finding.level for finding in found]
    assert "is driftgauge itself" in found[0].sentence


async def test_nothing_at_the_url_is_a_failure() -> None:
    """The sentence has the system's reason and the option."""
    url = f"http://127.0.0.1:{free_port()}"
    found = await check(url)

    sentence = (
        f"{url} gives no response in HTTP (Connection refused): start the model server there, or set upstream_url"
    )
    assert [sentence] == [finding.sentence for finding in found]
