"""Messages of the Open Inference Protocol: members, shapes, and where the bytes of each tensor stand."""

import base64
import struct
from typing import Any

import numpy as np
import pytest

from driftgauge.errors import Reason
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind
from driftgauge.protocol.v2 import binary_size, is_v2
from tests.support.payloads import Sent, as_json, read, refusal, tables, v2, v2_tensor

NAN = float("nan")


@pytest.mark.parametrize(
    ("message", "kind", "expected"),
    [
        ({"inputs": [{"datatype": "FP32", "shape": [1]}]}, Kind.REQUEST, True),
        ({"outputs": [{"datatype": "FP32", "shape": [1]}]}, Kind.RESPONSE, True),
        ({"outputs": [{"datatype": "FP32", "shape": [1]}]}, Kind.REQUEST, False),
        ({"inputs": [[1.0]]}, Kind.REQUEST, False),
        ({"inputs": [{"shape": 1.0, "colour": 2.0}]}, Kind.REQUEST, False),
        ({"inputs": {"datatype": [1], "shape": [1]}}, Kind.REQUEST, False),
        ({"instances": []}, Kind.REQUEST, False),
    ],
)
def test_v2_is_detected_by_structure(message: dict[str, Any], kind: Kind, expected: bool) -> None:  # noqa: FBT001
    """A message is V2 if an item of the member that its kind has, has a datatype and a shape."""
    assert expected == is_v2(message, kind)


@pytest.mark.parametrize(
    ("shape", "data"),
    [([2, 2], [1, 2, 3, 4]), ([2, 2], [[1, 2], [3, 4]]), ([4], [[1, 2], [3, 4]]), ([1, 2, 2], [1, 2, 3, 4])],
)
def test_nested_or_flat(shape: list[int], data: list[Any]) -> None:
    """Data may be nested or flat; the declared shape is what counts."""
    decoded = read(v2_tensor(shape=shape, data=data))

    assert np.arange(1.0, 5.0).reshape(shape).tolist() == decoded.tensors[0].data.tolist()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [([-1], [4]), ([-1, 2], [2, 2]), ([2, -1], [2, 2]), ([-1, 1, 4], [1, 1, 4]), ([4, -1], [4, 1])],
)
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(("datatype", "values"), [("FP64", [1.5, 2.5, 3.5, 4.5]), ("BYTES", ["a", "bc", "", "d"])])
def test_size_of_minus_one_follows_from_the_data(
    *, shape: list[int], expected: list[int], binary: bool, datatype: str, values: list[Any]
) -> None:
    """As in KServe and MLServer, which reshape with numpy."""
    body = v2_tensor(shape=shape, datatype=datatype, data=values)
    if binary:
        chunk = b"".join(
            struct.pack("<d", value) if datatype == "FP64" else struct.pack("<I", len(value)) + value.encode()
            for value in values
        )
        parameters = {"binary_data_size": len(chunk)}
        body = v2_tensor(shape=shape, datatype=datatype, data=..., parameters=parameters) + chunk
    (tensor,) = read(body).tensors

    assert expected == list(tensor.data.shape)
    found = [value.decode() if isinstance(value, bytes) else value for value in tensor.data.ravel().tolist()]
    assert values == found


@pytest.mark.parametrize("shape", [[-1, -1], [-2, 2], [-1, 3], [-1, 0], [-1.0, 2], [-1, 8]])
def test_size_that_does_not_follow_is_refused(shape: list[Any]) -> None:
    """Two unknown sizes, other negative ones, and a size that the data does not fill."""
    reason = Reason.EMPTY if 0 in shape else Reason.MALFORMED

    assert reason is refusal(lambda: read(v2_tensor(shape=shape, data=[1.0, 2.0, 3.0, 4.0])))[0]


def test_values_in_base64_are_decoded() -> None:
    """As MLServer's codec does, which leaves alone a text that is not base64."""
    data = [base64.b64encode(text).decode() for text in (b"red", "rosé".encode(), b"")] + ["no base64", None]
    body = v2_tensor(shape=[5, 1], datatype="BYTES", data=data, parameters={"content_type": "base64"})
    (tensor,) = read(body).tensors

    assert [[b"red"], ["rosé".encode()], [b""], ["no base64"], [None]] == tensor.data.tolist()


def test_binary_values_in_base64_are_decoded() -> None:
    """The codec works on the values, wherever they stand."""
    chunk = struct.pack("<I", 4) + base64.b64encode(b"red")
    parameters = {"content_type": "base64", "binary_data_size": len(chunk)}
    (tensor,) = read(v2_tensor(shape=[1], datatype="BYTES", data=..., parameters=parameters) + chunk).tensors

    assert [b"red"] == tensor.data.tolist()


@pytest.mark.parametrize("datatype", ["FP32", "INT64"])
def test_base64_of_numbers_has_no_meaning(datatype: str) -> None:
    """The content type counts for text alone."""
    body = v2_tensor(datatype=datatype, data=[1, 2], parameters={"content_type": "base64"})

    assert [1, 2] == read(body).tensors[0].data.tolist()


def test_scalar_shape() -> None:
    """An empty shape is one value."""
    assert [()] == [tensor.data.shape for tensor in read(v2_tensor(shape=[], data=[1.0])).tensors]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"shape": [3]}, Reason.MALFORMED),
        ({"shape": [1]}, Reason.MALFORMED),
        ({"shape": [-1, -2]}, Reason.MALFORMED),
        ({"shape": [2.0]}, Reason.MALFORMED),
        ({"shape": [True, 2]}, Reason.MALFORMED),
        ({"shape": 2}, Reason.MALFORMED),
        ({"shape": [1] * 64 + [2]}, Reason.MALFORMED),
        ({"shape": [10**18, 10**18]}, Reason.MALFORMED),
        ({"shape": [0], "data": []}, Reason.EMPTY),
        ({"shape": [10**18, 0], "data": []}, Reason.EMPTY),
        ({"data": [[1.0], [2.0, 3.0]]}, Reason.MALFORMED),
        ({"data": 1.0}, Reason.MALFORMED),
        ({"data": "AAAA"}, Reason.MALFORMED),
        ({"data": ...}, Reason.UNSUPPORTED),
        ({"data": ..., "parameters": {"shared_memory_region": "r"}}, Reason.UNSUPPORTED),
        ({"datatype": "FP8"}, Reason.UNSUPPORTED),
        ({"datatype": 32}, Reason.MALFORMED),
        ({"name": ...}, Reason.MALFORMED),
        ({"name": ""}, Reason.MALFORMED),
        ({"name": 1}, Reason.MALFORMED),
    ],
)
def test_refused(members: dict[str, Any], reason: Reason) -> None:
    """A member that is missing, of a wrong type or at odds with another is refused with its reason."""
    assert reason == refusal(lambda: read(v2_tensor(**members)))[0]


@pytest.mark.parametrize("item", [None, 1, [], {"name": "y"}, {"name": "y", "datatype": "FP32"}])
def test_one_bad_tensor(item: object) -> None:
    """A message is malformed if one of its items is no tensor."""
    good = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}

    assert Reason.MALFORMED == refusal(lambda: read(as_json({"inputs": [good, item]})))[0]


def test_name_twice() -> None:
    """Two tensors of one name are malformed."""
    tensor = Sent("x", "FP64", np.ones(1))

    assert Reason.MALFORMED == refusal(lambda: read(v2([tensor, tensor])[0]))[0]


@pytest.mark.parametrize("kind", PAYLOAD_KINDS)
@pytest.mark.parametrize("model_name", ["wine", 7, None])
def test_the_name_of_the_model_does_not_matter(kind: Kind, model_name: object) -> None:
    """A message is decoded whatever its member `model_name` is."""
    body = v2([Sent("y", "FP64", np.ones(1))], kind, model_name=model_name)[0]

    assert ["y"] == [tensor.name for tensor in read(body, kind).tensors]


def test_outputs_wanted_by_a_request() -> None:
    """The outputs that a request asks for are no tensors of it."""
    body = v2([Sent("x", "FP64", np.ones(1))], outputs=[{"name": "y", "parameters": {"binary_data": True}}])[0]

    assert {"x": [1.0]} == tables(read(body))


def test_binary_and_json_mixed() -> None:
    """Tensors with data take none of the bytes; the others take theirs in wire order."""
    tensors = [
        Sent("a", "FP32", np.array([1.5]), binary=True),
        Sent("b", "FP64", np.array([2.5])),
        Sent("c", "BYTES", np.array([b"red", b""], dtype=object), binary=True),
        Sent("d", "INT8", np.array([[-1], [-2]]), binary=True),
    ]
    body, json_length = v2(tensors)
    expected = {"a": [1.5], "b": [2.5], "c": [b"red", b""], "d": [[-1], [-2]]}

    assert expected == tables(read(body, json_length=json_length))
    assert expected == tables(read(body))


def test_size_beside_data_means_nothing() -> None:
    """A tensor with data takes no bytes, even if it announces a size."""
    body = v2_tensor(parameters={"binary_data_size": 16})

    assert {"x": [1.5, 2.5]} == tables(read(body))


@pytest.mark.parametrize("size", [-8, 8.0, True, "8", None])
def test_size_that_is_none(size: object) -> None:
    """A size that is no count of bytes announces nothing."""
    assert 0 == binary_size({"inputs": [{"parameters": {"binary_data_size": size}}]}, Kind.REQUEST)


@pytest.mark.parametrize("message", [{}, {"inputs": 1}, {"inputs": [1, {"parameters": 1}]}])
def test_size_of_other_messages(message: dict[str, Any]) -> None:
    """A message without tensors announces no bytes."""
    assert 0 == binary_size(message, Kind.REQUEST)


@pytest.mark.parametrize(("cut", "more"), [(1, b""), (0, b"x")])
def test_bytes_that_do_not_agree(cut: int, more: bytes) -> None:
    """One byte too few or too many after the JSON part is malformed, with or without its length."""
    body, json_length = v2([Sent("x", "FP32", np.ones(3), binary=True)])
    body = body[: len(body) - cut] + more

    assert Reason.MALFORMED == refusal(lambda: read(body, json_length=json_length))[0]
    assert Reason.MALFORMED == refusal(lambda: read(body))[0]
