"""Builders of wire messages: V1, V2 in JSON and binary, CloudEvents as KServe's agent sends them."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.utils import serialize_byte_tensor

from driftgauge.errors import PayloadError, Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.tensor import Decoded, Tensor

LIMIT_BYTES = 1 << 20

DTYPES: Mapping[str, Any] = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BF16": ml_dtypes.bfloat16,
    "BYTES": np.object_,
}
"""The datatypes of the protocol with numpy's names, as in tritonclient's `triton_to_np_dtype`."""

REQUEST_TYPE = "org.kubeflow.serving.inference.request"
RESPONSE_TYPE = "org.kubeflow.serving.inference.response"


@dataclass(frozen=True, eq=False)
class Sent:
    """One tensor as a client would send it."""

    name: str
    datatype: str
    values: NDArray[Any]
    binary: bool = False

    @property
    def chunk(self) -> bytes:
        """Its bytes in a binary body; BYTES by tritonclient's own serializer."""
        if self.datatype == "BYTES":
            packed: bytes = serialize_byte_tensor(self.values).item()
            return packed
        return self.values.astype(DTYPES[self.datatype]).tobytes()

    def header(self) -> dict[str, Any]:
        """Its entry in the JSON part."""
        entry = {"name": self.name, "shape": list(self.values.shape), "datatype": self.datatype}
        if self.binary:
            return {**entry, "parameters": {"binary_data_size": len(self.chunk)}}
        return {**entry, "data": self.values.tolist()}


def v2(tensors: Sequence[Sent], kind: Kind = Kind.REQUEST, **members: object) -> tuple[bytes, int]:
    """A V2 message and the length of its JSON part."""
    entries = [tensor.header() for tensor in tensors]
    text = json.dumps({**members, "inputs" if kind is Kind.REQUEST else "outputs": entries}).encode()
    return text + b"".join(tensor.chunk for tensor in tensors if tensor.binary), len(text)


def v2_tensor(**members: object) -> bytes:
    """A V2 request of one tensor: two FP64 values `x`, with these members put in place of its own."""
    tensor = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1.5, 2.5], **members}
    return as_json({"inputs": [{key: value for key, value in tensor.items() if value is not ...}]})


def as_json(message: object) -> bytes:
    """A message as Python's `json` writes it, NaN and Infinity included."""
    return json.dumps(message).encode()


def gzipped(body: bytes) -> bytes:
    """A body as one gzip member."""
    return gzip.compress(body, mtime=0)


def read(body: bytes, kind: Kind = Kind.REQUEST, json_length: int | None = None) -> Decoded:
    """`decode` under the tests' usual limit."""
    return decode(body, kind, json_length=json_length, limits=Limits(LIMIT_BYTES))


def decoded(**tensors: Any) -> Decoded:  # noqa: ANN401 - arrays or nested lists
    """Tensors by name; `_` stands for the unnamed one. Lists with other things than numbers are objects."""
    return Decoded(tuple(Tensor("" if name == "_" else name, _block(data)) for name, data in tensors.items()))


def listed(values: NDArray[Any]) -> list[Any]:
    """An array as nested lists in which each NaN is None, so that lists compare equal."""
    return _without_nan(values.tolist())  # type: ignore[no-any-return] # tolist of an array gives a list


def tables(decoded: Decoded) -> dict[str, list[Any]]:
    """All tensors by name, each as `listed` gives it."""
    return {tensor.name: listed(tensor.data) for tensor in decoded.tensors}


def refusal(act: Callable[[], object]) -> tuple[Reason, str]:
    """Why an act is refused, and the sentence that says so."""
    with pytest.raises(PayloadError) as caught:
        act()
    return caught.value.reason, str(caught.value)


def agent_headers(**changes: str | None) -> list[tuple[str, str]]:
    """The headers of a request event in the spelling of KServe's agent; None leaves one out.

    Args:
        changes: New values by the attribute's name, `content_type` for the content type.
    """
    values: dict[str, str | None] = {
        "component": "predictor",
        "endpoint": "",
        "id": "4f0c2b0e-66a7-4c57-b1c4-0a4de3d2f9aa",
        "inferenceservicename": "wine",
        "metadata": "{}",
        "namespace": "cellar",
        "recordedtime": "2026-03-01T12:00:00.25Z",
        "source": "http://localhost:9081/",
        "specversion": "1.0",
        "time": "2026-03-01T12:00:00.123456789Z",
        "type": REQUEST_TYPE,
        "content_type": "application/json",
        **changes,
    }
    return [(_header_name(name), value) for name, value in values.items() if value is not None]


def structured_event(**changes: object) -> dict[str, Any]:
    """A request event in structured mode, with these attributes put in place of its own; ... leaves one out."""
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": "a-1",
        "source": "/test",
        "type": REQUEST_TYPE,
        "inferenceservicename": "wine",
        "data": {"instances": [[1.0, 2.0]]},
        **changes,
    }
    return {name: value for name, value in event.items() if value is not ...}


def _header_name(name: str) -> str:
    return "Content-Type" if name == "content_type" else f"Ce-{name.capitalize()}"


def _block(data: Any) -> NDArray[Any]:  # noqa: ANN401 - an array or nested lists
    """An array as it is, lists as float64 or, where they hold other things, as objects."""
    if isinstance(data, np.ndarray):
        return data
    objects = np.array(data, dtype=object)
    numeric = all(type(item) in {int, float} for item in objects.ravel())
    return objects.astype(np.float64) if numeric else objects


def _without_nan(value: Any) -> Any:  # noqa: ANN401 - nested lists of any values
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN alone differs
