"""The server of the admin port: in proxy mode every path of the data port is the model's, so it has its own port."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web
from prometheus_client import CollectorRegistry

from driftgauge.admin.admin_connections import KEEPALIVE_SECONDS, AdminConnections
from driftgauge.admin.process_status import LastScrape, StatusFacts, status_as_json
from driftgauge.concurrency.worker import Worker
from driftgauge.errors import StorageError
from driftgauge.inference.payload import PREDICTOR, ModelKey
from driftgauge.metrics.registry import render_scrape
from driftgauge.page.as_json import models_as_json
from driftgauge.page.model_index import Entry, render_index
from driftgauge.results.latest import LatestEvaluations, ModelEvaluations
from driftgauge.results.model_state import ModelState

Ready = Callable[[], Awaitable[str | None]]
"""Returns why the process is not ready, or `None` if it is."""

RenderPage = Callable[[ModelKey, str, str], Awaitable[str]]
"""Renders the page of a model, given its title and the link back to the list."""

Capture = Callable[[ModelKey], Awaitable[bytes | None]]
"""Returns the window of a model's requests as a file; `None` without rows."""

_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Admin:
    """Serves `/metrics`, `/healthz`, `/readyz`, `/status`, `/drift`, and pages for people at `/` and `/report`.

    Args:
        registry: The metrics.
        ready: Called by `/readyz`.
        latest: The newest evaluations, for `/drift` and the list of models.
        page: Renders the page of a model that has been evaluated.
        capture: Returns the file of `/window`; `None` if rows must not be handed out.
        status: Returns what `/status` says of the process beside its version and the newest scrape.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        ready: Ready,
        latest: LatestEvaluations,
        page: RenderPage,
        capture: Capture | None = None,
        status: StatusFacts = dict,
    ) -> None:
        self._registry = registry
        self._ready = ready
        self._latest = latest
        self._page = page
        self._capture = capture
        self._status_facts = status
        self._last_scrape = LastScrape()
        # One thread renders everything that takes long: the event loop is for inferences, and clients wait in line.
        self._worker = Worker("admin")
        self._connections = AdminConnections()
        app = web.Application(middlewares=[self._connections.follow])
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/status", self._status)
        app.router.add_get("/drift", self._drift)
        app.router.add_get("/", self._index)
        app.router.add_get("/report", self._report)
        app.router.add_get("/window", self._window)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=KEEPALIVE_SECONDS)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the admin server could not be set up")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._connections.make(server()), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
        self._worker.close()

    async def _metrics(self, request: web.Request) -> web.Response:
        self._last_scrape.record(request.remote, request.headers.get("User-Agent", ""))
        accept, coding = request.headers.get("Accept", ""), request.headers.get("Accept-Encoding", "")
        page = await self._worker.run(render_scrape, self._registry, accept, coding, request.query_string)
        return web.Response(headers=page.headers, body=page.body)

    async def _readyz(self, _: web.Request) -> web.Response:
        reason = await self._ready()
        return web.Response(text="ready\n") if reason is None else web.Response(status=503, text=reason + "\n")

    async def _status(self, _: web.Request) -> web.Response:
        body = status_as_json(await self._ready(), self._last_scrape, self._status_facts())
        return web.Response(body=body, content_type="application/json", headers=_NO_STORE)

    async def _drift(self, _: web.Request) -> web.Response:
        body = await self._worker.run(models_as_json, self._latest.by_model(), self._latest.states())
        return web.Response(body=body, content_type="application/json")

    async def _index(self, _: web.Request) -> web.Response:
        """Respond with the list of models; if there is only one, with its page."""
        models, states = self._latest.by_model(), self._latest.states()
        if len(models) == len(states) == 1:
            model = models[0].model
            return _html(await self._page(model, _title(model), ""))
        return _html(await self._worker.run(_render_models, models, states))

    async def _report(self, request: web.Request) -> web.Response:
        model = self._requested_model(request)
        return _html(await self._page(model, _title(model), "."))

    async def _window(self, request: web.Request) -> web.Response:
        if self._capture is None:
            return web.Response(status=403, text="rows are not served: set allow_capture to allow it\n")
        model = self._requested_model(request)
        try:
            content = await self._capture(model)
        except StorageError as error:
            return web.Response(status=503, text=f"{error}\n")
        if content is None:
            return web.Response(status=404, text=f"there are no rows of {_title(model)}\n")
        return web.Response(body=content, content_type="application/octet-stream", headers=_NO_STORE)

    def _requested_model(self, request: web.Request) -> ModelKey:
        """The model that the query names.

        Raises:
            HTTPNotFound: It has no evaluation: untrusted names must not start series or read other keys of the store.
        """
        query = request.query
        service = query.get("inference_service", "")
        if not service:
            raise web.HTTPNotFound(text="the query names no inference_service: `/` links to each model's page\n")
        model = ModelKey(
            query.get("namespace", ""), service, query.get("component", PREDICTOR), query.get("model_name", service)
        )
        if not any(model == one.model for one in self._latest.by_model()):
            raise web.HTTPNotFound(text=f"no evaluation of {_title(model)}: `/` lists the models that have one\n")
        return model


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=_NO_STORE)


def _title(model: ModelKey) -> str:
    """A model's name for people; the component and the model's own name are left out where they are the usual ones."""
    service = f"{model.namespace}/{model.inference_service}" if model.namespace else model.inference_service
    component = "" if model.component == PREDICTOR else f" {model.component}"
    return service + component + ("" if model.model_name == model.inference_service else f" {model.model_name}")


def _render_models(models: Sequence[ModelEvaluations], states: Mapping[ModelKey, ModelState]) -> str:
    """The list of the models with a state; those without an evaluation have no page."""
    evaluated = {one.model: _entry(one, states[one.model]) for one in models}
    others = [
        Entry(_title(model), "", None, None, None, one) for model, one in states.items() if model not in evaluated
    ]
    return render_index([*evaluated.values(), *others])


def _entry(evaluations: ModelEvaluations, state: ModelState) -> Entry:
    """A model's line in the list, with the link to its page."""
    model, inputs, predictions = evaluations
    query = {
        "namespace": model.namespace,
        "inference_service": model.inference_service,
        "component": model.component,
        "model_name": model.model_name,
    }
    return Entry(
        name=_title(model),
        link=f"report?{urlencode(query)}",
        inputs=None if inputs is None else inputs.report,
        predictions=None if predictions is None else predictions.report,
        time=max((one.time for one in (inputs, predictions) if one is not None), default=None),
        state=state,
    )
