"""The model server's side of the V1 and V2 inference protocols: bytes -> rows, grades -> bytes.

Source: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol and
https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol, with the latter's
binary tensor data extension.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.demo.data import Rows

OUTPUT = "quality"
"""Name of the only output."""

DTYPES = {"FP64": "<f8", "FP32": "<f4", "INT64": "<i8", "INT32": "<i4"}
"""Supported datatypes, as numpy's little-endian types."""


class InvalidInputError(ValueError):
    """This model cannot process the request."""


@dataclass(frozen=True, slots=True, eq=False)
class V2Request:
    """A decoded V2 request.

    Args:
        rows: The wines.
        id: The request's id; a new one if it has none.
        binary: Whether the outputs are requested as binary tensors.
    """

    rows: Rows
    id: str
    binary: bool


def read_v1(body: bytes, columns: Sequence[str]) -> Rows:
    """The rows of a V1 request: `instances` or `inputs`, as lists or as objects by name."""
    message = _parse(body)
    instances = message.get("inputs", message.get("instances"))
    if not isinstance(instances, list):
        raise InvalidInputError('Expected "instances" to be a list')
    try:
        rows = [[one[name] for name in columns] if isinstance(one, dict) else one for one in instances]
        return _checked(np.array(rows, dtype=np.float64), columns)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise InvalidInputError(f"Instances are not rows of {len(columns)} numbers: {error}") from error


def write_v1(grades: NDArray[np.float64]) -> bytes:
    """A V1 response; each prediction has the name of the output, as in V2."""
    return json.dumps({"predictions": [{OUTPUT: grade} for grade in grades.tolist()]}).encode()


def read_v2(body: bytes, json_length: int | None, columns: Sequence[str]) -> V2Request:
    """A V2 request; `json_length` is its `Inference-Header-Content-Length`, if it has one."""
    message = _parse(body[:json_length])
    try:
        tensors = _tensors(message["inputs"], memoryview(body)[len(body) if json_length is None else json_length :])
        rows = _checked(_matrix(tensors, columns), columns)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InvalidInputError(f"Inputs are not {len(columns)} columns of numbers: {error}") from error
    return V2Request(rows, str(message.get("id") or uuid.uuid4()), _wants_binary(message))


def write_v2(model: str, request: V2Request, grades: NDArray[np.float64]) -> tuple[bytes, int | None]:
    """A V2 response, and the length of its JSON part if binary data follows it."""
    output: dict[str, object] = {"name": OUTPUT, "shape": [len(grades)], "datatype": "FP64"}
    message = {"model_name": model, "model_version": None, "id": request.id, "parameters": None, "outputs": [output]}
    if not request.binary:
        output["data"] = grades.tolist()
        return json.dumps(message).encode(), None
    blob = grades.astype(DTYPES["FP64"]).tobytes()
    output["parameters"] = {"binary_data_size": len(blob)}
    head = json.dumps(message).encode()
    return head + blob, len(head)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise InvalidInputError(f"Unrecognized request format: {error}") from error
    if not isinstance(message, dict):
        raise InvalidInputError("Unrecognized request format: expected a JSON object")
    return message


def _tensors(inputs: list[dict[str, Any]], blob: memoryview) -> dict[str, NDArray[np.float64]]:
    tensors = {}
    for tensor in inputs:
        size = (tensor.get("parameters") or {}).get("binary_data_size")
        if size is None:
            values = np.array(tensor["data"], dtype=np.float64)
        else:
            values = np.frombuffer(blob[:size], DTYPES[tensor["datatype"]]).astype(np.float64)
            blob = blob[size:]
        tensors[tensor["name"]] = values.reshape(tensor["shape"])
    return tensors


def _matrix(tensors: dict[str, NDArray[np.float64]], columns: Sequence[str]) -> NDArray[np.float64]:
    """A single tensor has the rows; several tensors are columns, found by name."""
    if len(tensors) == 1:
        return next(iter(tensors.values()))
    return np.column_stack([tensors[name].reshape(-1) for name in columns])


def _checked(rows: NDArray[np.float64], columns: Sequence[str]) -> Rows:
    if rows.ndim != 2 or rows.shape[1] != len(columns) or not len(rows):  # noqa: PLR2004 rows and columns
        raise ValueError(f"expected shape [n, {len(columns)}], got {list(rows.shape)}")
    return rows


def _wants_binary(message: dict[str, Any]) -> bool:
    requested = [message, *(message.get("outputs") or [])]
    names = ("binary_data_output", "binary_data")
    return any((one.get("parameters") or {}).get(name) is True for one in requested for name in names)
