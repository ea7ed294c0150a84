"""Decodes with KServe's own code: a separate program, run by the interpreter of a KServe environment.

Reads one JSON line for each message, {"name", "body_b64", "json_length" or null}, and writes one JSON line
for each, {"name", "tensors": [{"name", "shape", "datatype", "values"}]}, values row-major, NaN as null.
It imports only kserve, numpy and the standard library.
"""

import base64
import json
import sys
from typing import Any

import numpy as np
from kserve import InferRequest
from kserve.utils.utils import get_predict_input


def main() -> None:
    """Write one line to standard output for each line of standard input."""
    for line in sys.stdin:
        message = json.loads(line)
        body = base64.b64decode(message["body_b64"])
        response = {"name": message["name"], "tensors": _decode(body, message["json_length"])}
        sys.stdout.write(json.dumps(response) + "\n")


def _decode(body: bytes, json_length: int | None) -> list[dict[str, Any]]:
    length = len(body) if json_length is None else json_length
    message = json.loads(body[:length])
    if any("datatype" in item for item in message.get("inputs", []) if isinstance(item, dict)):
        request = InferRequest.from_bytes(body, length, "model")
        return [_describe(item.name, item.datatype, item.as_numpy(), item.shape) for item in request.inputs]
    rows = get_predict_input(message)
    if hasattr(rows, "columns"):  # a DataFrame, from rows by name
        return [_describe(name, "", rows[name].to_numpy(), [len(rows)]) for name in rows.columns]
    values = np.array(rows)
    return [_describe("", "", values, list(values.shape))]


def _describe(name: str, datatype: str, values: Any, shape: list[int]) -> dict[str, Any]:  # noqa: ANN401 - any array
    plain = [_plain(value) for value in values.ravel().tolist()]
    return {"name": name, "shape": shape, "datatype": datatype, "values": plain}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode()
    return None if value != value else value  # noqa: PLR0124 - only NaN differs from itself


if __name__ == "__main__":
    main()
