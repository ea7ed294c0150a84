"""A model server like KServe's Python server, with one real model: `python -m examples.demo.model_server`.

It trains the model, listens, and then prints the line `ready http://127.0.0.1:PORT`. SIGTERM stops it. With
`--reference FILE` the training also writes the reference: the wines it learned from, and the model's grades of them.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from examples.demo import data, inference
from examples.demo.forest import Predict, train
from examples.demo.serving import MAX_BODY_BYTES, listen, stop_signals

MODEL = "wine"
JSON_LENGTH = "Inference-Header-Content-Length"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return errors as KServe does, with `error` in the body: 404 unknown model, 400 bad request, 500 model failure."""
    name = request.match_info.get("model", MODEL)
    if name != MODEL:
        return web.json_response({"error": f"Model with name {name} does not exist."}, status=404)
    try:
        return await handler(request)
    except inference.InvalidInputError as error:
        return web.json_response({"error": str(error)}, status=400)
    except ValueError as error:
        return web.json_response({"error": f"ValueError : {error}"}, status=500)


class Handlers:
    """The requests that need the model.

    Args:
        predict: The model.
    """

    def __init__(self, predict: Predict) -> None:
        self._predict = predict
        self._columns = data.columns()

    async def v1(self, request: web.Request) -> web.Response:
        """`POST /v1/models/wine:predict`."""
        rows = inference.read_v1(await request.read(), self._columns)
        grades = await asyncio.to_thread(self._predict, rows)
        return web.Response(body=inference.write_v1(grades), content_type="application/json")

    async def v2(self, request: web.Request) -> web.Response:
        """`POST /v2/models/wine/infer`."""
        decoded = inference.read_v2(await request.read(), _json_length(request), self._columns)
        grades = await asyncio.to_thread(self._predict, decoded.rows)
        body, length = inference.write_v2(MODEL, decoded, grades)
        if length is None:
            return web.Response(body=body, content_type="application/json")
        return web.Response(body=body, content_type="application/octet-stream", headers={JSON_LENGTH: str(length)})

    async def metadata(self, _: web.Request) -> web.Response:
        """`GET /v2/models/wine`: the inputs by name, and the output."""
        inputs = [{"name": name, "datatype": "FP64", "shape": [-1, 1]} for name in self._columns]
        outputs = [{"name": inference.OUTPUT, "datatype": "FP64", "shape": [-1]}]
        facts = {"name": MODEL, "versions": [], "platform": "scikit-learn", "inputs": inputs, "outputs": outputs}
        return web.json_response(facts)


def application(predict: Predict) -> web.Application:
    """The server, not yet listening."""
    handlers = Handlers(predict)
    app = web.Application(middlewares=[errors], client_max_size=MAX_BODY_BYTES)
    app.add_routes(
        [
            web.get("/", _constant({"status": "alive"})),
            web.get("/v1/models", _constant({"models": [MODEL]})),
            web.get("/v1/models/{model}", _constant({"name": MODEL, "ready": True})),
            web.post("/v1/models/{model}:predict", handlers.v1),
            web.get("/v2", _constant({"name": "wine-demo", "version": "1", "extensions": ["binary_tensor_data"]})),
            web.get("/v2/health/live", _constant({"live": True})),
            web.get("/v2/health/ready", _constant({"ready": True})),
            web.get("/v2/models", _constant({"models": [MODEL]})),
            web.get("/v2/models/{model}", handlers.metadata),
            web.get("/v2/models/{model}/ready", _constant({"name": MODEL, "ready": True})),
            web.post("/v2/models/{model}/infer", handlers.v2),
        ]
    )
    return app


async def serve(port: int, reference: Path | None) -> None:
    """Train, write the reference, listen on 127.0.0.1, print the address, and serve until SIGTERM or SIGINT.

    Args:
        port: Where it listens; 0: any free port.
        reference: The file to write; `None`: none.
    """
    stopped = stop_signals()
    model = train()
    if reference is not None:
        data.write_reference(reference, inference.OUTPUT, model.training_grades)
    await listen(application(model.predict), port, stopped)


def main() -> None:
    """Serve on the port that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8085, help="port on 127.0.0.1; 0: any free port (default: 8085)")
    parser.add_argument("--reference", type=Path, help="write driftgauge's reference to this CSV file")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.port, chosen.reference))


def _constant(facts: dict[str, object]) -> Handler:
    async def response(_: web.Request) -> web.Response:
        """Return the same JSON each time."""
        return web.json_response(facts)

    return response


def _json_length(request: web.Request) -> int | None:
    text = request.headers.get(JSON_LENGTH)
    if text is None:
        return None
    if not text.isdecimal():
        raise inference.InvalidInputError(f"{JSON_LENGTH} is not a number: {text}")
    return int(text)


if __name__ == "__main__":
    main()
