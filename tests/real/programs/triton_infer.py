"""Sends inferences with Triton's HTTP client: `python triton_infer.py HOST:PORT`, with the interpreter of a part.

Reads one JSON line for each inference, {"rows", "binary", "request_compression", "response_compression"}, and writes
one JSON line for each: {"classes"} of the response, or {"error"}, which begins with the status code.
It imports only tritonclient, numpy and the standard library.
"""

import json
import sys
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException


def infer(client: InferenceServerClient, message: dict[str, Any]) -> dict[str, Any]:
    """Send the rows as one tensor, raw or as JSON; the output is requested in the same form."""
    rows, binary = np.array(message["rows"]), message["binary"]
    tensor = InferInput("rows", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    try:
        result = client.infer(
            "wine",
            [tensor],
            request_id="wine-1",  # without one KServe cannot write a JSON response
            outputs=[InferRequestedOutput(message["output"], binary_data=binary)],
            request_compression_algorithm=message["request_compression"],
            response_compression_algorithm=message["response_compression"],
            headers={} if binary else {"Content-Type": "application/json"},
        )
    except InferenceServerException as error:
        return {"error": str(error)}
    return {"classes": result.as_numpy(message["output"]).ravel().tolist()}


def main() -> None:
    """Write one line to standard output for each line of standard input."""
    client = InferenceServerClient(sys.argv[1])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(infer(client, json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
