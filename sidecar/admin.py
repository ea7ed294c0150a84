"""The operator's door, on a port of its own: in proxy mode every path of the data port belongs to the model."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from sidecar.metrics import Evaluation
from sidecar.payload import ModelKey

Ready = Callable[[], Awaitable[str | None]]
"""Tells why the process is not ready, or `None` if it is."""


class Admin:
    """Serves `/metrics`, `/healthz`, `/readyz` and `/drift`.

    Args:
        registry: What is scraped.
        ready: Asked by `/readyz`.
        evaluations: The newest evaluation of each model.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        ready: Ready,
        evaluations: Callable[[], dict[ModelKey, Evaluation]],
    ) -> None:
        self._ready = ready
        self._evaluations = evaluations
        app = web.Application()
        app.router.add_get("/metrics", make_aiohttp_handler(registry))
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/drift", self._drift)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _readyz(self, _: web.Request) -> web.Response:
        why = await self._ready()
        return web.Response(text="ready\n") if why is None else web.Response(status=503, text=why + "\n")

    async def _drift(self, _: web.Request) -> web.Response:
        models = [_as_json(model, evaluation) for model, evaluation in self._evaluations().items()]
        body = orjson.dumps({"models": models}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return web.Response(body=body, content_type="application/json")


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def _as_json(model: ModelKey, evaluation: Evaluation) -> dict[str, Any]:
    """One model's newest report; the model is named as in the labels of its series."""
    report = asdict(evaluation.report)
    for feature in report["features"]:
        # JSON knows no infinity: no threshold means that no D would alarm.
        feature["threshold"] = feature["threshold"] if math.isfinite(feature["threshold"]) else None
    return {
        "inference_service_namespace": model.namespace,
        "inference_service": model.inference_service,
        "component": model.component,
        "model_name": model.model_name,
        "evaluated_at": evaluation.time,
        "duration_seconds": evaluation.duration_seconds,
        "window_time": evaluation.window_time,
        **report,
    }
