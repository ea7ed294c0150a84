"""The model server decodes what the demo sends."""

import json

import numpy as np
import pytest

from examples.demo import inference, traffic

COLUMNS = ("acid", "sugar")
ROWS = np.array([[1.5, 2.0], [3.0, 0.1], [-4.0, 5e-9]])


def v2(message: object) -> inference.V2Request:
    """Decode a V2 JSON request."""
    return inference.read_v2(json.dumps(message).encode(), None, COLUMNS)


def test_v1_carries_rows_exactly() -> None:
    """The model gets the rows that `traffic.v1` sends."""
    call = traffic.v1(ROWS, COLUMNS)

    np.testing.assert_array_equal(ROWS, inference.read_v1(call.body, COLUMNS))


def test_v1_takes_objects_by_name() -> None:
    """The order of an object's keys does not matter."""
    body = b'{"instances": [{"sugar": 2, "acid": 1}]}'

    np.testing.assert_array_equal([[1.0, 2.0]], inference.read_v1(body, COLUMNS))


def test_v1_prefers_inputs() -> None:
    """If both keys are there, `inputs` has priority, as in KServe's `get_predict_input`."""
    body = b'{"inputs": [[1, 2]], "instances": [[3, 4]]}'

    np.testing.assert_array_equal([[1.0, 2.0]], inference.read_v1(body, COLUMNS))


def test_v1_response_names_each_grade() -> None:
    """Each prediction is an object with the name of the output, so that it is the same column as in V2."""
    body = inference.write_v1(np.array([5.5, 6.0]))

    assert {"predictions": [{"quality": 5.5}, {"quality": 6.0}]} == json.loads(body)


def test_v2_json_carries_columns_exactly() -> None:
    """The model gets the rows that `traffic.v2_json` sends, and the response is JSON."""
    request = inference.read_v2(traffic.v2_json(ROWS, COLUMNS).body, None, COLUMNS)

    np.testing.assert_array_equal(ROWS, request.rows)
    assert not request.binary


def test_v2_json_takes_columns_in_any_order() -> None:
    """Columns are found by name."""
    one, two = (
        {"name": name, "shape": [1], "datatype": "FP64", "data": [n]} for name, n in (("acid", 1), ("sugar", 2))
    )

    np.testing.assert_array_equal([[1.0, 2.0]], v2({"inputs": [two, one]}).rows)


def test_v2_binary_carries_rows_exactly() -> None:
    """The model gets the rows that `traffic.v2_binary` sends, and the response is binary."""
    call = traffic.v2_binary(ROWS, COLUMNS)

    request = inference.read_v2(call.body, int(call.headers["Inference-Header-Content-Length"]), COLUMNS)

    np.testing.assert_array_equal(ROWS, request.rows)
    assert request.binary


def test_v2_binary_response_can_be_requested_for_one_output() -> None:
    """`outputs[].parameters.binary_data` requests a binary response too."""
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}

    message = {"inputs": [tensor], "outputs": [{"name": "quality", "parameters": {"binary_data": True}}]}

    assert v2(message).binary


def test_v2_keeps_the_id() -> None:
    """The response has the request's id."""
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}

    body, length = inference.write_v2("wine", v2({"id": "7", "inputs": [tensor]}), np.array([5.5]))

    assert length is None
    assert "7" == json.loads(body)["id"]
    assert [5.5] == json.loads(body)["outputs"][0]["data"]


def test_v2_binary_response_is_json_then_little_endian_doubles() -> None:
    """The returned length is that of the JSON part of the response."""
    request = inference.V2Request(ROWS, "7", binary=True)

    body, length = inference.write_v2("wine", request, np.array([5.5, 6.0, 7.25]))

    assert length is not None
    output = json.loads(body[:length])["outputs"][0]
    assert {"binary_data_size": 24} == output["parameters"]
    assert [5.5, 6.0, 7.25] == np.frombuffer(body[length:], "<f8").tolist()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"instances": 1}',
        b'{"instances": []}',
        b'{"instances": [[1]]}',
        b'{"instances": [[1, 2], [3]]}',
        b'{"instances": [["a", "b"]]}',
        b'{"instances": [{"acid": 1}]}',
        b'{"instances": [[1e400, 1' + b"0" * 400 + b"]]}",
    ],
)
def test_bad_v1_is_invalid_input(body: bytes) -> None:
    """A body that is not rows of numbers raises `InvalidInputError` and no other error."""
    with pytest.raises(inference.InvalidInputError):
        inference.read_v1(body, COLUMNS)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"inputs": []},
        {"inputs": ["x"]},
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64"}]},
        {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1, 2]}]},
        {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}]},
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "parameters": {"binary_data_size": 16}}]},
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "BYTES", "parameters": {"binary_data_size": 0}}]},
    ],
)
def test_bad_v2_is_invalid_input(message: object) -> None:
    """A message that is not columns of numbers raises `InvalidInputError` and no other error."""
    with pytest.raises(inference.InvalidInputError):
        v2(message)
