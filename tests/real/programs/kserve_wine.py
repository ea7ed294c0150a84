"""KServe's own Python server with the wine model: `python kserve_wine.py MODEL.joblib HTTP_PORT GRPC_PORT`.

V1 and V2 requests are read by KServe's `get_predict_input`, as its servers for scikit-learn and LightGBM do. The server
itself does not decompress requests; here a middleware does, as a gateway in front of it would.
"""

import gzip
import sys
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import joblib
import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.model_server import app
from kserve.utils.utils import generate_uuid, get_predict_input


class Wine(Model):  # type: ignore[misc] # kserve is not in this environment
    """Classifies wines over V1 and V2; the V2 response has the requested form."""

    def __init__(self, path: str) -> None:
        super().__init__("wine")
        self._classifier = joblib.load(path)
        self.ready = True

    def predict(
        self,
        payload: dict[str, Any] | InferRequest,
        headers: dict[str, str] | None = None,  # noqa: ARG002 - KServe passes it by name
        response_headers: dict[str, str] | None = None,  # noqa: ARG002 - as above
    ) -> dict[str, Any] | InferResponse:
        """The class of each row."""
        if isinstance(payload, dict):
            vectors = _named_vectors(payload)
            return {"predictions": self._classify(get_predict_input(payload) if vectors is None else vectors)}
        classes = np.asarray(self._classify(get_predict_input(payload)), dtype=np.int64)
        output = InferOutput("class", list(classes.shape), "INT64")
        output.set_data_from_numpy(classes, binary_data=bool(payload.use_binary_outputs))
        return InferResponse(
            payload.id or generate_uuid(),  # as KServe's `get_predict_response` does
            self.name,
            [output],
            requested_outputs=payload.request_outputs,
            use_binary_outputs=payload.use_binary_outputs,
        )

    def _classify(self, rows: Any) -> list[int]:  # noqa: ANN401 - anything that numpy can read
        classes: list[int] = self._classifier.predict(np.asarray(rows, dtype=np.float64)).tolist()
        return classes


def _named_vectors(payload: dict[str, Any]) -> list[list[float]] | None:
    """The rows of TensorFlow Serving's row format with one named vector; `get_predict_input` reads it as a column."""
    instances = payload.get("instances")
    if not isinstance(instances, list) or not all(
        isinstance(one, dict) and [*one] == ["dense_input"] for one in instances
    ):
        return None
    return [one["dense_input"] for one in instances]


_DECOMPRESS: dict[bytes, Callable[[bytes], bytes]] = {b"gzip": gzip.decompress, b"deflate": zlib.decompress}


class Decompressed:
    """An ASGI application whose compressed request bodies are decompressed before another one gets them."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:  # noqa: ANN401 - ASGI
        """Serve one request."""
        headers = dict(scope.get("headers", ()))
        decompress = _DECOMPRESS.get(headers.get(b"content-encoding", b""))
        if decompress is None:
            await self._application(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        plain = decompress(body)
        headers = headers | {b"content-length": str(len(plain)).encode()}
        del headers[b"content-encoding"]

        whole = iter([{"type": "http.request", "body": plain, "more_body": False}])

        async def received() -> Any:  # noqa: ANN401 - as ASGI
            return next(whole, None) or await receive()

        await self._application(scope | {"headers": [*headers.items()]}, received, send)


if __name__ == "__main__":
    app.add_middleware(Decompressed)
    ModelServer(http_port=int(sys.argv[2]), grpc_port=int(sys.argv[3]), workers=1).start([Wine(sys.argv[1])])
