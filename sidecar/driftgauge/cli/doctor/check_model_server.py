"""Whether the model server can be reached, which protocol it speaks, and whether it is ready."""

import asyncio
import time
from http import HTTPStatus
from typing import Any, Final

from driftgauge.cli.doctor.finding import Finding, fail, ok, warn
from driftgauge.cli.doctor.http_get import Reply, http_get
from driftgauge.config.options import ProxyConfig

_CHECK: Final = "model server"
_SECONDS: Final = 3.0
"""Time for one response."""

_PATHS: Final = ("/v2", "/v1/models", "/openai/v1/models", "/v2/health/ready")


async def check_model_server(config: ProxyConfig) -> list[Finding]:
    """Ask the model server on the paths that differ between the protocols.

    Source:
        Open Inference Protocol, `inference_rest.md` (`/v2`, `/v2/health/ready`); KServe's V1 protocol (`/v1/models`);
        OpenAI's API (`/v1/models` is an object with `"object": "list"`).
    """
    url = config.upstream_url
    begun = time.monotonic()
    replies = dict(zip(_PATHS, await asyncio.gather(*(http_get(url + path, _SECONDS) for path in _PATHS)), strict=True))
    seconds = time.monotonic() - begun
    if all(isinstance(reply, str) for reply in replies.values()):
        advice = "start the model server there, or set upstream_url"
        return [fail(_CHECK, f"{url} gives no response in HTTP ({replies['/v2']}): {advice}")]
    responses = {path: reply for path, reply in replies.items() if isinstance(reply, Reply)}
    if any(reply.status == HTTPStatus.LOOP_DETECTED for reply in responses.values()):
        return [fail(_CHECK, f"{url} is driftgauge itself: set upstream_url to the port of the model server")]
    protocols = _protocols(responses)
    if not protocols:
        text = f"{url} responds, but not on the paths of V1, V2 or OpenAI: requests to other paths are passed on only"
        return [warn(_CHECK, text)]
    found = [ok(_CHECK, f"{url} speaks {' and '.join(protocols)}, and responds within {seconds * 1000:.0f} ms")]
    return [*found, await _check_ready(config, responses)]


def _protocols(responses: dict[str, Reply]) -> list[str]:
    """The protocols that the responses show."""
    protocols = []
    v1, v2 = _object(responses.get("/v1/models")), _object(responses.get("/v2"))
    if isinstance(v1.get("models"), list):
        protocols.append("V1")
    if "name" in v2 or "extensions" in v2:
        name = " ".join(str(v2[key]) for key in ("name", "version") if v2.get(key))
        protocols.append(f"V2 ({name[:80]})" if name else "V2")
    elif (health := responses.get("/v2/health/ready")) is not None and health.status != HTTPStatus.NOT_FOUND:
        protocols.append("V2")
    if "list" in {v1.get("object"), _object(responses.get("/openai/v1/models")).get("object")}:
        protocols.append("OpenAI")
    return protocols


async def _check_ready(config: ProxyConfig, responses: dict[str, Reply]) -> Finding:
    """Ask whether the server, or the model of the InferenceService's name, is ready."""
    health = responses.get("/v2/health/ready")
    if health is not None and health.status != HTTPStatus.NOT_FOUND:
        return _ready_of("GET /v2/health/ready", health.status, is_ready=health.status == HTTPStatus.OK)
    path = f"/v1/models/{config.inference_service}"
    model = await http_get(config.upstream_url + path, _SECONDS)
    if not isinstance(model, Reply) or model.status == HTTPStatus.NOT_FOUND:
        return warn("model ready", "not known, since the model server has no path for it")
    is_ready = model.status == HTTPStatus.OK and str(_object(model).get("ready", True)).lower() == "true"
    return _ready_of(f"GET {path}", model.status, is_ready=is_ready)


def _ready_of(request: str, status: int, *, is_ready: bool) -> Finding:
    if is_ready:
        return ok("model ready", f"{request} says so")
    return fail(
        "model ready", f"{request} has status {status}: wait until the model is loaded, or see its server's log"
    )


def _object(reply: Reply | None) -> dict[str, Any]:
    """The JSON object of a successful response; an empty one without."""
    content = reply.json() if reply is not None and reply.status == HTTPStatus.OK else None
    return content if isinstance(content, dict) else {}
