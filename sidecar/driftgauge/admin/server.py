"""The operator's door, on a port of its own: in proxy mode every path of the data port belongs to the model."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from driftgauge.concurrency.worker import Worker
from driftgauge.errors import StorageError
from driftgauge.inference.names import PREDICTOR
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.evaluation import Evaluation
from driftgauge.metrics.scrape import scraper
from driftgauge.page.as_json import NOTHING, tree
from driftgauge.page.model_index import Entry, render_index

Ready = Callable[[], Awaitable[str | None]]
"""Tells why the process is not ready, or `None` if it is."""

Evaluations = Callable[[Kind], Mapping[ModelKey, Evaluation]]
"""The newest evaluations of requests or of responses, by model."""

MakePage = Callable[[ModelKey, str, str], Awaitable[str]]
"""The page of a model, given its title and where the way back leads."""

Capture = Callable[[ModelKey], Awaitable[bytes | None]]
"""The window of a model's requests as a file; `None` without any row."""

_PAGE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Admin:
    """Serves `/metrics`, `/healthz`, `/readyz`, `/drift`, and pages for people at `/` and `/report`.

    Args:
        registry: What is scraped.
        ready: Asked by `/readyz`.
        evaluations: Asked by `/drift` and by the pages.
        page: Makes the page of a model that has been evaluated.
        capture: Makes what `/window` hands out; `None` if no rows may leave.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        ready: Ready,
        evaluations: Evaluations,
        page: MakePage,
        capture: Capture | None = None,
    ) -> None:
        self._ready = ready
        self._evaluations = evaluations
        self._page = page
        self._capture = capture
        self._scrape = scraper(registry)
        # One thread, in which all that takes long is made: the loop is the requests', and many who ask wait in line.
        self._worker = Worker("admin")
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/drift", self._drift)
        app.router.add_get("/", self._index)
        app.router.add_get("/report", self._report)
        app.router.add_get("/window", self._window)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
        self._worker.close()

    async def _metrics(self, request: web.Request) -> web.Response:
        accept, coding = request.headers.get("Accept", ""), request.headers.get("Accept-Encoding", "")
        page = await self._worker.run(self._scrape, accept, coding, request.query_string)
        return web.Response(status=page.status, headers=page.headers, body=page.body)

    async def _readyz(self, _: web.Request) -> web.Response:
        why = await self._ready()
        return web.Response(text="ready\n") if why is None else web.Response(status=503, text=why + "\n")

    async def _drift(self, _: web.Request) -> web.Response:
        evaluated = list(self._evaluated())
        return web.Response(body=await self._worker.run(_as_json, evaluated), content_type="application/json")

    async def _index(self, _: web.Request) -> web.Response:
        """The list of models; with one model its page at once."""
        models = list(self._evaluated())
        if len(models) == 1:
            return _html(await self._page(models[0][0], _name(models[0][0]), ""))
        return _html(await self._worker.run(_render_models, models))

    async def _report(self, request: web.Request) -> web.Response:
        model = self._asked(request)
        return _html(await self._page(model, _name(model), "."))

    async def _window(self, request: web.Request) -> web.Response:
        if self._capture is None:
            return web.Response(status=403, text="no rows leave this sidecar: set allow_capture to let them\n")
        model = self._asked(request)
        try:
            content = await self._capture(model)
        except StorageError as error:
            return web.Response(status=503, text=f"{error}\n")
        if content is None:
            return web.Response(status=404, text=f"there are no rows of {_name(model)}\n")
        return web.Response(body=content, content_type="application/octet-stream", headers=_PAGE_HEADERS)

    def _evaluated(self) -> Iterator[tuple[ModelKey, Evaluation | None, Evaluation | None]]:
        """Every model that has been evaluated, with its inputs' evaluation and its predictions'."""
        inputs, predictions = self._evaluations(Kind.REQUEST), self._evaluations(Kind.RESPONSE)
        for model in sorted({*inputs, *predictions}):
            yield model, inputs.get(model), predictions.get(model)

    def _asked(self, request: web.Request) -> ModelKey:
        """The model that a query names: only evaluated ones, since a stranger's names must not become series."""
        query = request.query
        service = query.get("inference_service", "")
        model = ModelKey(
            query.get("namespace", ""), service, query.get("component", PREDICTOR), query.get("model_name", service)
        )
        if not any(model == known for known, _, _ in self._evaluated()):
            raise web.HTTPNotFound(text=f"no evaluation of {_name(model)}: `/` lists the models that have one\n")
        return model


def _render_models(models: Iterable[tuple[ModelKey, Evaluation | None, Evaluation | None]]) -> str:
    return render_index([_entry(*one) for one in models])


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=_PAGE_HEADERS)


def _name(model: ModelKey) -> str:
    """A model as people call it: no more than tells it apart."""
    service = f"{model.namespace}/{model.inference_service}" if model.namespace else model.inference_service
    component = "" if model.component == PREDICTOR else f" {model.component}"
    return service + component + ("" if model.model_name == model.inference_service else f" {model.model_name}")


def _entry(model: ModelKey, inputs: Evaluation | None, predictions: Evaluation | None) -> Entry:
    query = {
        "namespace": model.namespace,
        "inference_service": model.inference_service,
        "component": model.component,
        "model_name": model.model_name,
    }
    return Entry(
        name=_name(model),
        link=f"report?{urlencode(query)}",
        inputs=None if inputs is None else inputs.report,
        predictions=None if predictions is None else predictions.report,
        time=max((one.time for one in (inputs, predictions) if one is not None), default=None),
    )


def _as_json(evaluated: Iterable[tuple[ModelKey, Evaluation | None, Evaluation | None]]) -> bytes:
    models = [_one_as_json(*one) for one in evaluated]
    return orjson.dumps({"models": models}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _one_as_json(model: ModelKey, inputs: Evaluation | None, predictions: Evaluation | None) -> dict[str, Any]:
    """One model's newest reports; the model is named as in the labels of its series."""
    return {
        "inference_service_namespace": model.namespace,
        "inference_service": model.inference_service,
        "component": model.component,
        "model_name": model.model_name,
        **_described(inputs),
        "predictions": None if predictions is None else _described(predictions),
    }


def _described(evaluation: Evaluation | None) -> dict[str, Any]:
    """One evaluation; without one, the same keys with nothing in them."""
    if evaluation is None:
        return {"evaluated_at": None, "duration_seconds": None, "window_time": None, **tree(NOTHING)}
    return {
        "evaluated_at": evaluation.time,
        "duration_seconds": evaluation.duration_seconds,
        "window_time": evaluation.window_time,
        **tree(evaluation.report),
    }
