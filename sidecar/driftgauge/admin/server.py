"""The server of the admin port: in proxy mode every path of the data port is the model's, so it has its own port."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry

from driftgauge.admin.allowed_columns import RefusedColumnError
from driftgauge.admin.compare_handler import CompareHandler
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
from driftgauge.admin.schemas import schema_files
from driftgauge.concurrency.worker import Worker
from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.metrics.registry import render_scrape
from driftgauge.page.as_json import models_as_json
from driftgauge.results.latest import LatestEvaluations
from driftgauge.results.latest_outcomes import LatestOutcomes, OutcomeResult
from driftgauge.server.control_port import ControlPort
from driftgauge.server.tls import Tls

Ready = Callable[[], Awaitable[str | None]]
"""Returns why the process is not ready, or `None` if it is."""

RenderPage = Callable[[ModelKey, str, str], Awaitable[str]]
"""Renders the page of a model, given its title and the link back to the list."""

Capture = Callable[[ModelKey], Awaitable[bytes | None]]
"""Returns the window of a model's requests, or its rows with predictions and labels, as a file; `None` without rows."""


class CaptureLabels(Protocol):
    """Returns the window of a model's labelled predictions as a file of a format; `None` without rows.

    With `complete`, rows are left out whose inputs are not kept any more.
    """

    async def __call__(self, model: ModelKey, form: str, *, complete: bool) -> bytes | None:
        """Make the file."""


_LABEL_TYPES = {"npz": "application/octet-stream", "csv": "text/csv"}
"""The formats of labelled predictions, with their media types."""

_OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Paths that need no token: the kubelet has none."""

_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Admin:
    """Serves `/metrics`, health, `/status`, `/drift`, `/compare`, `/schemas/`; pages: `/`, `/report`, `/runbooks/`.

    Args:
        registry: The metrics.
        ready: Called by `/readyz`.
        latest: The newest evaluations, for `/drift` and the list of models.
        page: Renders the page of a model that has been evaluated.
        capture: Returns the file of `/window`; `None` if rows must not be handed out.
        capture_labels: Returns the file of `/window?labels=1`; `None` if rows must not be handed out.
        export: Returns the file of `/window?joined=1`; `None` if rows must not be handed out.
        compare: Responds to `/compare`; without it there is no such path.
        status: Returns what `/status` says of the process beside its version and the newest scrape.
        outcomes: The newest results on labelled predictions, for `/drift`; `None` in a process that takes no labels.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        registry: CollectorRegistry,
        ready: Ready,
        latest: LatestEvaluations,
        page: RenderPage,
        capture: Capture | None = None,
        *,
        capture_labels: CaptureLabels | None = None,
        export: Capture | None = None,
        outcomes: LatestOutcomes | None = None,
        compare: CompareHandler | None = None,
        status: StatusFacts = dict,
        authorize: Callable[[str | None], bool] | None = None,
    ) -> None:
        self._registry = registry
        self._ready = ready
        self._latest = latest
        self._page = page
        self._capture = capture
        self._capture_labels = capture_labels
        self._export = export
        self._outcomes = outcomes
        self._status_facts = status
        self._last_scrape = LastScrape()
        # One thread renders everything that takes long: the event loop is for inferences, and clients wait in line.
        self._worker = Worker("admin")
        self._html = HtmlResponses(self._worker)
        routes = [
            web.get("/metrics", self._metrics),
            web.get("/healthz", _healthz),
            web.get("/readyz", self._readyz),
            web.get("/status", self._status),
            web.get("/drift", self._drift),
            web.get("/", self._index),
            web.get("/report", self._report),
            web.get("/window", self._window),
            web.get("/schemas/{name:[^/]*}", self._schema),
            web.get("/runbooks", _redirect_to_runbooks),
            web.get("/runbooks/{name:[^/]*}", self._runbook),
        ]
        if compare is not None:
            routes.append(web.get("/compare", compare.respond))
        self._port = ControlPort(routes, authorize, _refuse_token, _OPEN_PATHS)

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        return await self._port.start(host, port, tls)

    async def close(self) -> None:
        """Stop listening, and let requests end."""
        await self._port.close()
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
        try:
            return await self._rows_of(found[0], request.query)
        except StorageError as error:
            return web.Response(status=503, text=f"{error}\n")
        except RefusedColumnError as error:
            return web.Response(status=403, text=f"{error}\n")

    async def _rows_of(self, model: ModelKey, query: Mapping[str, str]) -> web.Response:
        """Respond with the rows of a model: its requests, or what the query names instead."""
        if _is_set(query, "joined"):
            content = None if self._export is None else await self._export(model)
            if content is None:  # no fault: the model is known, and rows may come
                return web.Response(status=HTTPStatus.NO_CONTENT, headers=_NO_STORE)
            return web.Response(body=content, content_type="application/octet-stream", headers=_NO_STORE)
        if _is_set(query, "labels"):
            form = query.get("format", "npz")
            return await self._labelled_window(model, form, complete=_is_set(query, "complete"))
        content = None if self._capture is None else await self._capture(model)
        if content is None:
            return web.Response(status=404, text=f"there are no rows of {model_title(model)}\n")
        return web.Response(body=content, content_type="application/octet-stream", headers=_NO_STORE)

    async def _labelled_window(self, model: ModelKey, form: str, *, complete: bool) -> web.Response:
        """Respond with labelled predictions and their inputs as a file."""
        if form not in _LABEL_TYPES:
            return web.Response(status=400, text=f"format is one of {', '.join(_LABEL_TYPES)}\n")
        content = None if self._capture_labels is None else await self._capture_labels(model, form, complete=complete)
        if content is None:
            kept = " whose inputs are kept" if complete else ""
            return web.Response(status=404, text=f"there are no labelled predictions of {model_title(model)}{kept}\n")
        return web.Response(body=content, content_type=_LABEL_TYPES[form], headers=_NO_STORE)

    async def _runbook(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in await self._worker.run(runbook_names):
            raise web.HTTPNotFound(text="there is no runbook of this name: `/runbooks/` lists all\n")
        return await self._html.make(await self._worker.run(runbook_page, name), request)

    async def _schema(self, request: web.Request) -> web.Response:
        content = (await self._worker.run(schema_files)).get(request.match_info["name"])
        if content is None:
            raise web.HTTPNotFound(text="there is no schema of this name\n")
        return web.Response(body=content, content_type="application/schema+json")

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
        return render_models(self._latest.by_model(), self._latest.states(), self._fresh_outcomes())

    def _list_choice(self, found: Sequence[ModelKey]) -> str:
        chosen = set(found)
        models = [one for one in self._latest.by_model() if one.model in chosen]
        return render_choice(models, self._latest.states(), self._fresh_outcomes())

    def _find_models(self, query: Mapping[str, str]) -> list[ModelKey]:
        return matching_models(query, [one.model for one in self._latest.by_model()])

    def _drift_as_json(self) -> bytes:
        return models_as_json(self._latest.by_model(), self._latest.states(), self._fresh_outcomes())

    def _fresh_outcomes(self) -> dict[ModelKey, OutcomeResult]:
        """The newest results on labels; none in a process that takes no labels."""
        return {} if self._outcomes is None else self._outcomes.fresh()


def _is_set(query: Mapping[str, str], name: str) -> bool:
    """Whether a switch of the query is on."""
    return query.get(name, "") not in {"", "0"}


def _refuse_token() -> web.Response:
    return web.Response(status=HTTPStatus.UNAUTHORIZED, text="this path needs a valid token\n")


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def _redirect_to_runbooks(_: web.Request) -> web.Response:
    """Add the slash, without which the links of the page would lead elsewhere; behind a proxy any prefix stays."""
    raise web.HTTPMovedPermanently("runbooks/")
