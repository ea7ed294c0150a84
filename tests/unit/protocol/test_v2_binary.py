"""Raw bytes of each datatype, and how many there must be."""

import struct

import numpy as np
import pytest

from driftgauge.errors import Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.v2 import MAX_TEXTS, from_binary
from tests.support.payloads import as_json, refusal


@pytest.mark.parametrize(
    ("datatype", "chunk", "expected"),
    [
        ("BOOL", b"\x00\x01\xff", [False, True, True]),
        ("UINT8", b"\xff\x01", [255, 1]),
        ("INT16", b"\xfe\xff\x00\x01", [-2, 256]),
        ("UINT64", b"\xff" * 8, [2**64 - 1]),
        ("INT64", b"\x00" * 7 + b"\x80", [-(2**63)]),
        ("FP16", b"\x00\x3c\x00\xc0", [1.0, -2.0]),
        ("FP32", b"\x00\x00\x80\x3f", [1.0]),
        ("FP64", b"\x00" * 6 + b"\xf0\x3f", [1.0]),
        ("BF16", b"\x80\x3f\x00\xc0", [1.0, -2.0]),
        ("BF16", b"\xcd\x3d\x1b\xc1", [0.1, -9.7]),
        ("BYTES", b"\x02\x00\x00\x00hi\x00\x00\x00\x00", [b"hi", b""]),
    ],
)
def test_values(datatype: str, chunk: bytes, expected: list[object]) -> None:
    """Bytes are little-endian; the floats' bits are those of IEEE 754, tables 3.1 and 3.2; BF16 is a decimal."""
    assert expected == from_binary(memoryview(chunk), datatype, len(expected), "x").tolist()


def test_no_copy() -> None:
    """Values of a plain datatype are a view of the body."""
    body = bytearray(struct.pack("<2d", 1.0, 2.0))
    values = from_binary(memoryview(body), "FP64", 2, "x")

    assert np.shares_memory(values, np.frombuffer(body, dtype="u1"))


@pytest.mark.parametrize("datatype", ["BOOL", "UINT8", "INT32", "FP16", "FP64", "BF16"])
@pytest.mark.parametrize("surplus", [-1, 1])
def test_size_must_agree(datatype: str, surplus: int) -> None:
    """One byte less or more than the values take is malformed."""
    size = {"BOOL": 1, "UINT8": 1, "INT32": 4, "FP16": 2, "FP64": 8, "BF16": 2}[datatype]
    chunk = memoryview(bytes(3 * size + surplus))

    assert Reason.MALFORMED == refusal(lambda: from_binary(chunk, datatype, 3, "x"))[0]


@pytest.mark.parametrize(
    ("chunk", "count"),
    [
        (b"\x03\x00\x00\x00hi", 1),
        (b"\xff\xff\xff\xffhi", 1),
        (b"\x02\x00\x00\x00hi!", 1),
        (b"\x04\x00\x00\x00text\x00\x00", 2),
        (b"\x02\x00\x00\x00hi", 10**15),
    ],
    ids=["too short", "huge length", "bytes left over", "half a length", "huge count"],
)
def test_bytes_must_agree(chunk: bytes, count: int) -> None:
    """Lengths of BYTES that do not fill their chunk exactly are malformed, and nothing is allocated for them."""
    assert Reason.MALFORMED == refusal(lambda: from_binary(memoryview(chunk), "BYTES", count, "x"))[0]


@pytest.mark.parametrize("shapes", [[[MAX_TEXTS + 1]], [[-1]], [[MAX_TEXTS], [1]]], ids=["stated", "found", "together"])
def test_texts_of_a_message_are_limited(shapes: list[list[int]]) -> None:
    """Each text takes many times its bytes in memory, in one tensor or in several."""
    text = b"\1\0\0\0a"
    counts = [MAX_TEXTS + 1 if shape == [-1] else shape[0] for shape in shapes]
    items = [
        {"name": f"x{n}", "datatype": "BYTES", "shape": shape, "parameters": {"binary_data_size": 5 * count}}
        for n, (shape, count) in enumerate(zip(shapes, counts, strict=True))
    ]
    body = as_json({"inputs": items}) + text * sum(counts)
    reason, sentence = refusal(lambda: decode(body, Kind.REQUEST, json_length=None, limits=Limits(2**23)))

    assert Reason.TOO_COMPLEX is reason
    assert "400000 values of BYTES" in sentence
