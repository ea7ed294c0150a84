"""What is encoded is decoded to the same, and no bytes make a decoder raise anything but PayloadError."""

import base64
import contextlib
import json
import zlib
from collections.abc import Callable
from typing import Any, Literal

import ml_dtypes
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from driftgauge.cloudevents.event import RefusedEvent
from driftgauge.cloudevents.sdk import parse_events
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError
from driftgauge.features.inputs import extract
from driftgauge.features.outputs import extract_outputs
from driftgauge.features.predictions import extract_predictions
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.tensor import widen_bf16
from tests.support.payloads import (
    DTYPES,
    Sent,
    agent_headers,
    as_json,
    gzipped,
    listed,
    read,
    structured_event,
    tables,
    v2,
)

KINDS = st.sampled_from(PAYLOAD_KINDS)
COLUMN_KINDS = st.sampled_from(FeatureKind)
WIDTHS: dict[str, Literal[16, 32, 64]] = {"FP16": 16, "BF16": 32, "FP32": 32, "FP64": 64}
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name.isprintable())
WORDS = [
    "inputs",
    "outputs",
    "instances",
    "predictions",
    "name",
    "shape",
    "datatype",
    "data",
    "b64",
    "parameters",
    "binary_data_size",
    "specversion",
    "data_base64",
    "id",
    "type",
    "metadata",
]
SHAPES = arrays.array_shapes(max_dims=3, max_side=4)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["FP32", "INT64", "BOOL", "BYTES", "BF16"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
VALID_BODIES = [
    b'{"instances": [[1.5, null], [true, -2]]}',
    b'{"instances": [{"a": [1, 2], "b": [3, 4]}]}',
    b'{"predictions": ["red", {"b64": "eA=="}]}',
    b'{"inputs": {"x": [1], "y": [NaN]}}',
    as_json(structured_event()),
    *(
        body
        for kind in PAYLOAD_KINDS
        for body in (
            v2([Sent("x", "FP32", np.ones((2, 2)), binary=True), Sent("y", "INT8", np.ones(2))], kind)[0],
            v2([Sent("x", "BYTES", np.array([b"a", b"bc"], dtype=object), binary=True)], kind)[0],
        )
    ),
]
PACKERS: st.SearchStrategy[Callable[[bytes], bytes]] = st.sampled_from(
    [bytes, gzipped, zlib.compress, lambda body: zlib.compress(body, wbits=-15), lambda body: gzipped(body) * 2]
)
"""No compression, gzip, deflate with and without its header, and gzip in two members."""


def scalars(datatype: str) -> st.SearchStrategy[Any]:
    """Values of a datatype, without NaN; floats such as the width holds exactly."""
    if datatype == "BYTES":
        return st.binary(max_size=5)
    if datatype == "BOOL":
        return st.booleans()
    if datatype in WIDTHS:
        floats = st.floats(width=WIDTHS[datatype], allow_nan=False, allow_infinity=False)
        return floats.map(_cut_to_bf16) if datatype == "BF16" else floats
    limits = np.iinfo(DTYPES[datatype])
    return st.integers(int(limits.min), int(limits.max))


@st.composite
def blocks(draw: st.DrawFn, datatype: str) -> NDArray[Any]:
    """Arrays of a datatype; BF16 values stand as float32."""
    shape = draw(SHAPES)
    count = int(np.prod(shape))
    values = draw(st.lists(scalars(datatype), min_size=count, max_size=count))
    block = np.empty(count, dtype=np.float32 if datatype == "BF16" else DTYPES[datatype])
    block[:] = values
    return block.reshape(shape)


@st.composite
def tensors(draw: st.DrawFn, *, binary: st.SearchStrategy[bool]) -> list[Sent]:
    """A few tensors of different names; BYTES only where they go as bytes."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    found = []
    for name in names:
        as_bytes = draw(binary)
        datatypes = sorted(set(DTYPES) - (set() if as_bytes else {"BYTES"}))
        datatype = draw(st.sampled_from(datatypes))
        found.append(Sent(name, datatype, draw(blocks(datatype)), as_bytes))
    return found


def _cut_to_bf16(value: float) -> float:
    """The float32 with the lower half of its bits cleared: always a finite BF16."""
    bits = np.array([value], dtype=np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return float(bits.view(np.float32)[0])


def _as_read(tensor: Sent) -> NDArray[Any]:
    """What a tensor's values are decoded to: themselves, but in bytes the decimals that BF16 values stand for."""
    if tensor.datatype == "BF16" and tensor.binary:
        return widen_bf16(tensor.values.astype(ml_dtypes.bfloat16).view(np.uint16))
    return tensor.values


@given(tensors(binary=st.booleans()), KINDS, st.booleans(), st.booleans())
def test_v2(sent: list[Sent], kind: Kind, reported: bool, packed: bool) -> None:  # noqa: FBT001 - drawn
    """V2 in JSON and binary, mixed, packed or not, with or without its JSON length, is decoded to what was sent."""
    body, json_length = v2(sent, kind)
    decoded = read(gzipped(body) if packed else body, kind, json_length if reported else None)

    assert {tensor.name: _as_read(tensor).tolist() for tensor in sent} == tables(decoded)


@given(blocks("BYTES"))
def test_text_in_json(values: NDArray[Any]) -> None:
    """BYTES in JSON are decoded to the text that was sent."""
    texts = np.array([value.hex() for value in values.ravel()], dtype=object).reshape(values.shape)

    assert {"x": texts.tolist()} == tables(read(v2([Sent("x", "BYTES", texts)])[0]))


@given(arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, max_side=4)))
def test_v1_by_position(rows: NDArray[np.float64]) -> None:
    """V1 rows by position, NaN and infinities included, are decoded to what was sent."""
    assert {"": listed(rows)} == tables(read(as_json({"instances": rows.tolist()})))


@given(
    st.lists(NAMES, min_size=1, max_size=4, unique=True),
    st.lists(st.lists(st.none() | st.floats(allow_nan=False), min_size=4, max_size=4), min_size=1, max_size=4),
)
def test_v1_by_name(names: list[str], rows: list[list[float | None]]) -> None:
    """V1 rows by name, null included, are decoded to one tensor for each name."""
    instances = [dict(zip(names, row, strict=False)) for row in rows]
    expected = {name: [row[index] for row in rows] for index, name in enumerate(names)}

    assert expected == tables(read(as_json({"instances": instances})))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Random bytes, random JSON of the protocols' own words, and valid messages with a few bytes changed."""
    body = draw(
        st.binary(max_size=200)
        | JSON_VALUES.map(lambda value: json.dumps(value).encode())
        | st.sampled_from(VALID_BODIES)
    )
    if draw(st.booleans()):
        body = as_json(structured_event(data=..., data_base64=base64.b64encode(draw(PACKERS)(body)).decode()))
    mutable = bytearray(draw(PACKERS)(body))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(mutable)))
        mutable[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(mutable)


@given(bodies(), KINDS, st.none() | st.integers(-5, 200), st.integers(1, 300), st.tuples(COLUMN_KINDS, COLUMN_KINDS))
def test_nothing_but_payload_errors(
    body: bytes, kind: Kind, json_length: int | None, limit_bytes: int, kinds: tuple[FeatureKind, FeatureKind]
) -> None:
    """Any bytes are decoded or refused by PayloadError, and the same holds for what follows."""
    column, other = kinds
    with contextlib.suppress(PayloadError):
        decoded = decode(body, kind, json_length=json_length, limits=Limits(limit_bytes))
        for act in (
            lambda: extract(decoded, ["name", "data"], [column, other]),
            lambda: extract_predictions(decoded, ["name", "x_class"], [column, other]),
            lambda: extract_outputs(decoded, {"name": column, "x_0": other}),
        ):
            with contextlib.suppress(PayloadError):
                act()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [*(name for name, _ in agent_headers()), "ce-", "Ce-A_b", "Ce-Subject", "Ce-Data", "X", ""]
            ),
            st.text(st.characters(), max_size=12)
            | st.sampled_from([value for _, value in agent_headers()])
            | st.sampled_from(["application/cloudevents+json", "application/cloudevents-batch+json", "%ff%00"]),
        ),
        max_size=12,
    ),
    st.booleans(),
    bodies(),
)
def test_any_headers(headers: list[tuple[str, str]], whole: bool, body: bytes) -> None:  # noqa: FBT001 - drawn
    """Any headers and body give events or refused events, and each text of an event can be encoded."""
    for event in parse_events(headers + (agent_headers() if whole else []), body):
        if not isinstance(event, RefusedEvent):
            for text in (event.id, event.namespace, event.inference_service, event.component):
                text.encode()


@given(JSON_VALUES, st.booleans())
def test_any_structured_event(value: Any, batch: bool) -> None:  # noqa: ANN401, FBT001 - drawn
    """Any JSON in structured or batch mode gives events or PayloadErrors."""
    media_type = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
    event = structured_event(**{"data": value, **(value if isinstance(value, dict) else {})})
    for body in (as_json(value), as_json([event, value] if batch else event)):
        assert isinstance(parse_events([("Content-Type", media_type)], body), list)
