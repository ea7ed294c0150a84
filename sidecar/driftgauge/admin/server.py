"""The server of the admin port: in proxy mode every path of the data port is the model's, so it has its own port."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

from aiohttp import web
from prometheus_client import CollectorRegistry

from driftgauge.admin.admin_connections import KEEPALIVE_SECONDS, AdminConnections
from driftgauge.admin.html_responses import HtmlResponses
from driftgauge.admin.model_lists import (
    matching_models,
    model_title,
    named_model,
    render_choice,
    render_models,
    which_of,
)
from driftgauge.admin.process_status import LastScrape, StatusFacts, status_as_json
from driftgauge.admin.runbooks import runbook_names, runbook_page
from driftgauge.concurrency.worker import Worker
from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.registry import render_scrape
from driftgauge.page.as_json import models_as_json
from driftgauge.results.latest import LatestEvaluations
from driftgauge.server.tls import Tls
from driftgauge.server.tokens import CHALLENGE

Ready = Callable[[], Awaitable[str | None]]
"""Returns why the process is not ready, or `None` if it is."""

RenderPage = Callable[[ModelKey, str, str], Awaitable[str]]
"""Renders the page of a model, given its title and the link back to the list."""

Capture = Callable[[ModelKey], Awaitable[bytes | None]]
"""Returns the window of a model's requests as a file; `None` without rows."""

_OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Paths that need no token: the kubelet has none."""

_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Admin:
    """Serves `/metrics`, `/healthz`, `/readyz`, `/status`, `/drift`, and the pages `/`, `/report`, `/runbooks/`.

    Args:
        registry: The metrics.
        ready: Called by `/readyz`.
        latest: The newest evaluations, for `/drift` and the list of models.
        page: Renders the page of a model that has been evaluated.
        capture: Returns the file of `/window`; `None` if rows must not be handed out.
        status: Returns what `/status` says of the process beside its version and the newest scrape.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        registry: CollectorRegistry,
        ready: Ready,
        latest: LatestEvaluations,
        page: RenderPage,
        capture: Capture | None = None,
        *,
        status: StatusFacts = dict,
        authorize: Callable[[str | None], bool] | None = None,
    ) -> None:
        self._registry = registry
        self._ready = ready
        self._latest = latest
        self._page = page
        self._capture = capture
        self._status_facts = status
        self._authorize = authorize
        self._last_scrape = LastScrape()
        # One thread renders everything that takes long: the event loop is for inferences, and clients wait in line.
        self._worker = Worker("admin")
        self._html = HtmlResponses(self._worker)
        self._connections = AdminConnections()
        app = web.Application(middlewares=[self._connections.follow, self._check_token])
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/status", self._status)
        app.router.add_get("/drift", self._drift)
        app.router.add_get("/", self._index)
        app.router.add_get("/report", self._report)
        app.router.add_get("/window", self._window)
        app.router.add_get("/runbooks", _redirect_to_runbooks)
        app.router.add_get("/runbooks/{name:[^/]*}", self._runbook)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=KEEPALIVE_SECONDS)
        self._server: asyncio.Server | None = None
        self._tls: Tls | None = None

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the admin server could not be set up")
        loop = asyncio.get_running_loop()
        self._tls = tls

        def make() -> asyncio.Protocol:
            """The protocol of a connection."""
            return self._connections.make(server())

        self._server = await loop.create_server(make if tls is None else tls.wrap(make), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        if self._tls is not None:
            await self._tls.close()
        await self._runner.cleanup()
        self._worker.close()

    @web.middleware
    async def _check_token(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse a request without a valid token, before its path is looked up."""
        authorization = request.headers.get("Authorization")
        if self._authorize is None or request.path in _OPEN_PATHS or self._authorize(authorization):
            return await handler(request)
        headers = {"WWW-Authenticate": CHALLENGE}
        return web.Response(status=HTTPStatus.UNAUTHORIZED, text="this path needs a valid token\n", headers=headers)

    async def _metrics(self, request: web.Request) -> web.Response:
        self._last_scrape.record(request.remote, request.headers.get("User-Agent", ""))
        accept, coding = request.headers.get("Accept", ""), request.headers.get("Accept-Encoding", "")
        page = await self._worker.run(render_scrape, self._registry, accept, coding, request.query_string)
        return web.Response(headers=page.headers, body=page.body)

    async def _readyz(self, _: web.Request) -> web.Response:
        reason = await self._ready()
        return web.Response(text="ready\n") if reason is None else web.Response(status=503, text=reason + "\n")

    async def _status(self, _: web.Request) -> web.Response:
        body = await self._worker.run(self._status_as_json, await self._ready())
        return web.Response(body=body, content_type="application/json", headers=_NO_STORE)

    async def _drift(self, _: web.Request) -> web.Response:
        body = await self._worker.run(self._drift_as_json)
        return web.Response(body=body, content_type="application/json")

    async def _index(self, request: web.Request) -> web.Response:
        """Respond with the list of models; if there is only one, with its page."""
        only = await self._worker.run(self._only_model)
        if only is not None:
            return await self._html.make(await self._page(only, model_title(only), ""), request)
        return await self._html.make(await self._worker.run(self._list_models), request)

    async def _report(self, request: web.Request) -> web.Response:
        found = await self._requested_models(request)
        if len(found) > 1:
            page = await self._worker.run(self._list_choice, found)
            return await self._html.make(page, request, HTTPStatus.MULTIPLE_CHOICES)
        return await self._html.make(await self._page(found[0], model_title(found[0]), "."), request)

    async def _window(self, request: web.Request) -> web.Response:
        found = await self._requested_models(request)  # first, so that a wrong name is seen without allow_capture
        if self._capture is None:
            return web.Response(status=403, text="rows are not served: set allow_capture to allow it\n")
        if len(found) > 1:
            return web.Response(status=HTTPStatus.MULTIPLE_CHOICES, text=which_of(found) + "\n")
        model = found[0]
        try:
            content = await self._capture(model)
        except StorageError as error:
            return web.Response(status=503, text=f"{error}\n")
        if content is None:
            return web.Response(status=404, text=f"there are no rows of {model_title(model)}\n")
        return web.Response(body=content, content_type="application/octet-stream", headers=_NO_STORE)

    async def _runbook(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in await self._worker.run(runbook_names):
            raise web.HTTPNotFound(text="there is no runbook of this name: `/runbooks/` lists all\n")
        return await self._html.make(await self._worker.run(runbook_page, name), request)

    async def _requested_models(self, request: web.Request) -> list[ModelKey]:
        """The models that the query may mean, at least one.

        Raises:
            HTTPNotFound: None has an evaluation: untrusted names must not start series or read other keys of the store.
        """
        if not request.query.get("inference_service"):
            raise web.HTTPNotFound(text="the query names no inference_service: `/` links to each model's page\n")
        found = await self._worker.run(self._find_models, request.query)
        if not found:
            title = model_title(named_model(request.query))
            raise web.HTTPNotFound(text=f"no evaluation of {title}: `/` lists the models that have one\n")
        return found

    # What follows goes through all models or references, of which there may be many, so it runs in the thread.

    def _status_as_json(self, reason: str | None) -> bytes:
        return status_as_json(reason, self._last_scrape, self._status_facts())

    def _only_model(self) -> ModelKey | None:
        models = self._latest.by_model()
        return models[0].model if len(models) == len(self._latest.states()) == 1 else None

    def _list_models(self) -> str:
        return render_models(self._latest.by_model(), self._latest.states())

    def _list_choice(self, found: Sequence[ModelKey]) -> str:
        chosen = set(found)
        return render_choice([one for one in self._latest.by_model() if one.model in chosen], self._latest.states())

    def _find_models(self, query: Mapping[str, str]) -> list[ModelKey]:
        return matching_models(query, [one.model for one in self._latest.by_model()])

    def _drift_as_json(self) -> bytes:
        return models_as_json(self._latest.by_model(), self._latest.states())


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def _redirect_to_runbooks(_: web.Request) -> web.Response:
    """Add the slash, without which the links of the page would lead elsewhere; behind a proxy any prefix stays."""
    raise web.HTTPMovedPermanently("runbooks/")
