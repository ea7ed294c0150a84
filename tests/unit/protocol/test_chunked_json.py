"""A long message of numbers is read in slices as it is read whole, or not at all."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.errors import PayloadError
from driftgauge.inference.payload import Kind
from driftgauge.protocol.chunked_json import decode_in_slices
from driftgauge.protocol.json_text import parse
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.tensor import Decoded
from driftgauge.protocol.v1 import decode_v1
from driftgauge.protocol.v2 import decode_v2, is_v2

ROWS = [[index + 0.5, None, 2**53, -3e300] for index in range(5_000)]
FLAT = [index / 8 for index in range(40_000)]


def whole(raw: bytes, kind: Kind) -> Decoded:
    """The same read in one go."""
    message = parse(raw)
    return (
        decode_v2(message, kind, memoryview(b"")) if is_v2(message, kind) else decode_v1(message, kind, Limits(2**22))
    )


def reported(decoded: Decoded) -> list[tuple[str, tuple[int, ...], str, bytes]]:
    """The exact content of a message."""
    return [(one.name, one.data.shape, one.data.dtype.str, one.data.tobytes()) for one in decoded.tensors]


def tensor(**changed: object) -> dict[str, Any]:
    """A V2 tensor."""
    return {"name": "x", "datatype": "FP64", "shape": [10_000, 4], "data": FLAT, **changed}


LONG = {
    "V1 request": (Kind.REQUEST, {"instances": ROWS}),
    "V1 response": (Kind.RESPONSE, {"predictions": ROWS}),
    "one wide row": (Kind.REQUEST, {"instances": [[0.25] * 10_000]}),
    "V1 of one value a row": (Kind.REQUEST, {"instances": [index / 8 for index in range(40_000)]}),
    "V2 integers": (Kind.REQUEST, {"inputs": [tensor(datatype="INT64", data=[2**62 + i for i in range(40_000)])]}),
    "V2 request": (Kind.REQUEST, {"id": "1", "inputs": [tensor()]}),
    "V2 of one axis": (Kind.REQUEST, {"inputs": [tensor(shape=[40_000], datatype="FP32")]}),
    "V2 response": (Kind.RESPONSE, {"model_name": "m", "outputs": [tensor()]}),
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(("kind", "message"), LONG.values(), ids=LONG)
def test_slices_give_what_the_whole_gives(kind: Kind, message: dict[str, Any], indent: int | None) -> None:
    """Whatever the white space."""
    raw = json.dumps(message, indent=indent).encode()
    found = decode_in_slices(raw, kind)

    assert found is not None
    assert reported(whole(raw, kind)) == reported(found)


PLAIN = json.dumps({"instances": ROWS}).encode()
ODD = {
    "text": PLAIN.replace(b"0.5, null", b'"a],[b", null', 1),
    "objects": json.dumps({"instances": [{"a": 1.5}] * 20_000}).encode(),
    "deep rows": json.dumps({"instances": [[[1.5] * 100] * 50] * 10}).encode(),
    "ragged": PLAIN.replace(b"[4000.5, ", b"[", 1),
    "other member": json.dumps({"instances": ROWS, "signature_name": "s"}).encode(),
    "other list": json.dumps({"instances": ROWS, "more": [[1], [2]]}).encode(),
    "twice": PLAIN[:-1] + b"," + PLAIN[1:],
    "a bool": PLAIN.replace(b"4000.5", b"true", 1),
    "an integer that is rounded": PLAIN.replace(b"4000.5", b"9007199254740993", 1),
    "not JSON": PLAIN.replace(b"[4000.5, ", b"[4000.5, , ", 1),
    "a literal of Python": PLAIN.replace(b"4000.5", b"NaN", 1),
    "cut off": PLAIN[:-3],
    "a comma too many": PLAIN[:-2] + b",]}",
    "huge integer": PLAIN.replace(b"4000.5", b"1" * 400, 1),
    "V2 null among integers": json.dumps({"inputs": [tensor(datatype="INT8", data=[1, None] * 20_000)]}).encode(),
    "V2 integers too large": json.dumps({"inputs": [tensor(datatype="INT8", data=[128] * 40_000)]}).encode(),
    "a wide row": json.dumps({"instances": [[0.25] * 30_000]}).encode(),
    "V2 nested": json.dumps({"inputs": [tensor(data=np.reshape(FLAT, (-1, 4)).tolist())]}).encode(),
    "V2 two tensors": json.dumps({"inputs": [tensor(), tensor(name="y")]}).encode(),
    "V2 wrong size": json.dumps({"inputs": [tensor(shape=[9_999, 4])]}).encode(),
    "V2 no name": json.dumps({"inputs": [tensor(name="")]}).encode(),
    "V2 null shape": json.dumps({"inputs": [tensor(shape=None)]}).encode(),
    "V2 event": json.dumps({"specversion": "1.0", "inputs": [tensor()]}).encode(),
    "V2 text": json.dumps({"inputs": [tensor(datatype="BYTES", data=["a"] * 40_000)]}).encode(),
    "data elsewhere": json.dumps({"data": [0.5] * 40_000}).encode(),
    "data is no list": json.dumps({"data": 1, "x": [0.5] * 40_000}).encode(),
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
def test_what_is_not_as_plain_is_left_to_the_whole_reading(raw: bytes) -> None:
    """A wrong result would be worse than a slow one."""
    assert decode_in_slices(raw, Kind.REQUEST) is None


@given(st.lists(st.sampled_from([*'[]{},:" 1e-.', "[1,2]", "],[", '"a"', "null", "true"]), max_size=40))
def test_no_text_is_read_otherwise_than_whole(parts: list[str]) -> None:
    """With slices of a few bytes: where slices give anything, the whole gives the same."""
    raw = b'{"instances":[' + "".join(parts).encode() + b"]}"
    found = decode_in_slices(raw, Kind.REQUEST, slice_bytes=3)
    if found is not None:
        assert reported(whole(raw, Kind.REQUEST)) == reported(found)


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.none(), min_size=2, max_size=2)))
def test_rows_survive_any_cut(rows: list[list[float | None]]) -> None:
    """Slices of a few bytes lose nothing."""
    raw = json.dumps({"instances": rows}).encode()
    found = decode_in_slices(raw, Kind.REQUEST, slice_bytes=3)
    if not rows:
        assert found is None
        with pytest.raises(PayloadError):
            whole(raw, Kind.REQUEST)
        return
    assert found is not None
    assert reported(whole(raw, Kind.REQUEST)) == reported(found)
