"""Every form in which V1 holds rows."""

from typing import Any

import numpy as np
import pytest

from driftgauge.errors import Reason
from driftgauge.inference.payload import Kind
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits
from tests.support.payloads import as_json, read, refusal, tables

FORMS: list[tuple[object, dict[str, list[Any]]]] = [
    ([[1, 2.5], [3, 4]], {"": [[1.0, 2.5], [3.0, 4.0]]}),
    ([1, 2, 3], {"": [1.0, 2.0, 3.0]}),
    (["red", "1.5"], {"": ["red", "1.5"]}),
    ([["1.5", 2.0]], {"": [["1.5", 2.0]]}),
    ([[True, None]], {"": [[1.0, None]]}),
    ([{"a": 1, "b": 2}, {"b": 4, "a": 3}], {"a": [1.0, 3.0], "b": [2.0, 4.0]}),
    ([{"a": 1}, {"b": 4}], {"a": [1.0, None], "b": [None, 4.0]}),
    ([{"a": "x"}, {}], {"a": ["x", None]}),
    ([[{"a": 1}, {"a": 2}], [{"a": 3}]], {"a": [1.0, 2.0, 3.0]}),
    ([{"b64": "eA=="}, {"b64": "eQ=="}], {"": [{"b64": "eA=="}, {"b64": "eQ=="}]}),
    ([{"b64": 1.5}], {"b64": [1.5]}),
    ([{"image": {"b64": "eA=="}, "a": 1}], {"image": [{"b64": "eA=="}], "a": [1.0]}),
    ([[[1, 2], [3, 4]]], {"": [[[1.0, 2.0], [3.0, 4.0]]]}),
]

LISTS_OF_A_REQUEST: list[tuple[object, dict[str, list[Any]]]] = [
    ([{"a": [1, 2], "b": [3, 4]}, {"a": [5], "b": [6]}], {"a": [1.0, 2.0, 5.0], "b": [3.0, 4.0, 6.0]}),
    ([{"a": [1, 2], "b": 7}], {"a": [[1.0, 2.0]], "b": [7.0]}),
    ([{"a": [1, 2], "b": [3]}], {"a": [[1.0, 2.0]], "b": [[3.0]]}),
    ([{"a": {"0": 1, "1": 2}, "b": {"1": 4, "0": 3}}], {"a": [1.0, 2.0], "b": [3.0, 4.0]}),
]

LISTS_OF_A_RESPONSE: list[tuple[object, dict[str, list[Any]]]] = [
    ([{"a": [1, 2], "b": "x"}, {"a": [3, 4], "b": "y"}], {"a": [[1.0, 2.0], [3.0, 4.0]], "b": ["x", "y"]}),
    ([{"a": [1, 2]}, {"b": "y"}], {"a": [[1.0, 2.0], [None, None]], "b": [None, "y"]}),
    ([{"a": [1, 2], "b": [3]}], {"a": [[1.0, 2.0]], "b": [[3.0]]}),
    ([{"a": [1, 2], "b": 3}, {"a": [1], "b": 4}], {"a": [[1, 2], [1]], "b": [3.0, 4.0]}),
    ([[1, 2], [3]], {"": [[1, 2], [3]]}),
]


@pytest.mark.parametrize(("rows", "expected"), FORMS + LISTS_OF_A_REQUEST)
@pytest.mark.parametrize("member", ["instances", "inputs"])
def test_rows_of_a_request(member: str, rows: object, expected: dict[str, list[Any]]) -> None:
    """Both members of a request hold rows in the same forms."""
    assert expected == tables(read(as_json({member: rows})))


@pytest.mark.parametrize(("rows", "expected"), FORMS + LISTS_OF_A_RESPONSE)
@pytest.mark.parametrize("member", ["predictions", "outputs"])
def test_rows_of_a_response(member: str, rows: object, expected: dict[str, list[Any]]) -> None:
    """Both members of a response hold rows in the same forms."""
    assert expected == tables(read(as_json({member: rows}), Kind.RESPONSE))


KNOWN: list[tuple[object, dict[str, list[Any]]]] = [
    ([{"a": 1, "b": 2, "extra": [1, 2, 3]}], {"a": [1.0], "b": [2.0]}),
    ([{"a": 1, "extra": [1, 2]}, {"a": 3, "extra": [1]}], {"a": [1.0, 3.0]}),
    ([{"a": [1, 2], "b": 7, "extra": [1, 2, 3]}], {"a": [1.0, 2.0], "b": [7.0, 7.0]}),
    ([{"a": [1, 2], "b": [3, 4]}, {"b": [6], "a": [5]}], {"a": [1.0, 2.0, 5.0], "b": [3.0, 4.0, 6.0]}),
    ([{"a": 1}, {"extra": [1, 2, 3]}], {"a": [1.0, None]}),
    ([{"x": [1, 2, 3, 4]}, {"x": [5, 6, 7, 8]}], {"x": [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]}),
    ([{"x": [1, 2], "y": [3, 4]}], {"x": [1.0, 2.0], "y": [3.0, 4.0]}),
    ([{"x": [1, 2], "y": 3}], {"x": [[1.0, 2.0]], "y": [3.0]}),
    ([{"a": {"0": 3.5}, "b": {"0": 1}}], {"a": [3.5], "b": [1.0]}),
    ([{"a": {"0": 3.5, "1": 4}, "b": {"1": 1}}], {"a": [3.5, 4.0], "b": [None, 1.0]}),
    (
        [{"a": {"0": 1}, "b": 2, "extra": [1, 2]}, {"a": {"7": 3, "8": 4}}],
        {"a": [1.0, 3.0, 4.0], "b": [2.0, None, None]},
    ),
    ([{"a": {"0": 3.5}, "extra": {"0": 1, "1": 2}}], {"a": [3.5]}),
    ({"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}, {"a": [1.0, 2.0], "b": [3.0, 4.0]}),
    ([{"x": {"0": 1, "1": 2}}], {"x": [1.0, 2.0]}),
]


@pytest.mark.parametrize(("rows", "expected"), KNOWN)
def test_columns_of_the_reference_decide_how_rows_by_name_are_read(
    rows: object, expected: dict[str, list[Any]]
) -> None:
    """A column that the reference lacks never makes rows, and one named vector alone is one row."""
    found = decode(
        as_json({"inputs": rows}),
        Kind.REQUEST,
        json_length=None,
        limits=Limits(10_000),
        columns=frozenset({"a", "b", "c"}),
    )

    assert expected == tables(found)


@pytest.mark.parametrize("instance", [{"a": [1, 2], "b": [1]}, {"a": [1, 2], "b": {"0": 1}}])
def test_instance_of_uneven_columns_is_refused(instance: object) -> None:
    """Where the columns are the reference's, nothing says which values belong together."""
    refused = refusal(
        lambda: decode(
            as_json({"instances": [instance]}),
            Kind.REQUEST,
            json_length=None,
            limits=Limits(10_000),
            columns=frozenset({"a", "b"}),
        )
    )

    assert Reason.MALFORMED is refused[0]


def test_numbers_are_doubles() -> None:
    """Numbers are float64 at once."""
    assert np.float64 == read(b'{"instances": [[1, 2]]}').tensors[0].data.dtype


def test_literals_of_python() -> None:
    """NaN is missing; Infinity stays, for the features to refuse."""
    assert {"": [[None, float("inf")]]} == tables(read(b'{"instances": [[NaN, Infinity]]}'))


def test_inputs_win() -> None:
    """`inputs` wins over `instances`, as in KServe's get_predict_input."""
    assert {"": [2.0]} == tables(read(b'{"instances": [1], "inputs": [2]}'))


@pytest.mark.parametrize(("member", "kind"), [("inputs", Kind.REQUEST), ("outputs", Kind.RESPONSE)])
def test_columns(member: str, kind: Kind) -> None:
    """Columns by name are tensors by name; a single value is one row (TensorFlow Serving, column format)."""
    body = as_json({member: {"x": [1, 2], "y": [[3], [4]], "z": 5}})

    assert {"x": [1.0, 2.0], "y": [[3.0], [4.0]], "z": [5.0]} == tables(read(body, kind))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"instances": []}, Reason.EMPTY),
        ({"instances": [[], []]}, Reason.EMPTY),
        ({"instances": [{}, {}]}, Reason.EMPTY),
        ({"instances": [{"a": []}]}, Reason.EMPTY),
        ({"instances": None}, Reason.EMPTY),
        ({"inputs": {}}, Reason.EMPTY),
        ({"inputs": {"x": []}}, Reason.EMPTY),
        ({"instances": {"x": [1]}}, Reason.MALFORMED),
        ({"instances": 1}, Reason.MALFORMED),
        ({"instances": "[1]"}, Reason.MALFORMED),
        ({"instances": [[1], [2, 3]]}, Reason.MALFORMED),
        ({"instances": [[1], 2]}, Reason.MALFORMED),
        ({"instances": [{"a": [1, [2]]}]}, Reason.MALFORMED),
        ({"predictions": [1]}, Reason.UNSUPPORTED),
        ({"model": "m", "messages": []}, Reason.UNSUPPORTED),
    ],
)
def test_refused_requests(message: object, reason: Reason) -> None:
    """A request without rows, of uneven rows or of another protocol is refused with its reason."""
    assert reason == refusal(lambda: read(as_json(message)))[0]


@pytest.mark.parametrize("message", [{"explanations": [1]}, {"error": "no model"}, {"instances": [1]}])
def test_refused_responses(message: object) -> None:
    """An explanation, an error and a request are no predictions."""
    reason, sentence = refusal(lambda: read(as_json(message), Kind.RESPONSE))

    assert Reason.UNSUPPORTED == reason
    assert "The response has neither `predictions` nor `outputs`." == sentence


def test_table_that_would_grow() -> None:
    """Rows that share no column make a table of the square of their number, which is refused."""
    body = as_json({"instances": [{f"c{index}": index} for index in range(2000)]})

    assert Reason.TOO_LARGE == refusal(lambda: read(body))[0]


def test_empty_lists_that_would_take_long() -> None:
    """Instances without rows count as one each, so that they cannot cost the square of their number."""
    body = as_json({"instances": [{f"c{index}": []} for index in range(2000)]})

    assert Reason.TOO_LARGE == refusal(lambda: read(body))[0]


def test_table_of_the_limit() -> None:
    """A table may have as many cells as the body may have bytes."""
    body = b'{"instances":[{"a":1,"b":2}]}'

    assert 2 == len(decode(body, Kind.REQUEST, json_length=None, limits=Limits(len(body))).tensors)


def test_vectors_that_most_predictions_lack_are_bounded() -> None:
    """One long list and many empty rows would be a small body and a huge table."""
    body = as_json({"predictions": [{"a": [0] * 1_000}, *[{}] * 1_000]})
    reason, sentence = refusal(lambda: decode(body, Kind.RESPONSE, json_length=None, limits=Limits(10**6)))

    assert Reason.TOO_LARGE == reason
    assert "Rows by name make a table of 1001000 cells, more than" in sentence
