"""KServe's own Python server with the wine model: `python kserve_wine.py MODEL.joblib HTTP_PORT GRPC_PORT`."""

import sys
from typing import Any

import joblib
import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


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
            return {"predictions": self._classify(payload["instances"])}
        rows = payload.inputs[0].as_numpy()
        classes = np.asarray(self._classify(rows), dtype=np.int64)
        output = InferOutput("class", list(classes.shape), "INT64")
        output.set_data_from_numpy(classes, binary_data=bool(payload.use_binary_outputs))
        return InferResponse(
            payload.id,
            self.name,
            [output],
            requested_outputs=payload.request_outputs,
            use_binary_outputs=payload.use_binary_outputs,
        )

    def _classify(self, rows: Any) -> list[int]:  # noqa: ANN401 - anything that numpy can read
        classes: list[int] = self._classifier.predict(np.asarray(rows, dtype=np.float64)).tolist()
        return classes


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[2]), grpc_port=int(sys.argv[3]), workers=1).start([Wine(sys.argv[1])])
