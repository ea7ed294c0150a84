"""One value is one category, whichever protocol carries it, alone or among other messages."""

import json
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.inputs import extract
from driftgauge.inference.payload import Kind
from driftgauge.protocol.batch import decode_batch
from driftgauge.protocol.category import code, text_of
from driftgauge.protocol.decode import decode
from driftgauge.protocol.limits import Limits
from driftgauge.protocol.tensor import Decoded

COLUMNS = ("a", "b")
KINDS = (FeatureKind.CATEGORICAL, FeatureKind.NUMERIC)
LARGE = st.integers(2**53 - 2, 2**53 + 2) | st.integers(-(2**63), 2**63 - 1)


def cells(decoded: Decoded) -> list[list[float]]:
    """The rows of a message: a category and a number."""
    rows: list[list[float]] = extract(decoded, COLUMNS, KINDS).tolist()
    return rows


def read(message: object, tail: bytes = b"") -> list[list[float]]:
    """The rows of a message that is decoded alone."""
    body = json.dumps(message).encode()
    length = len(body) if tail else None
    return cells(decode(body + tail, Kind.REQUEST, json_length=length, limits=Limits(2**20)))


def tensor(name: str, datatype: str, **rest: object) -> dict[str, object]:
    """A V2 tensor of one row."""
    return {"name": name, "datatype": datatype, "shape": [1], **rest}


def in_every_form(value: Any, datatype: str, packed: bytes) -> dict[str, list[list[float]]]:  # noqa: ANN401 - a JSON value
    """The row of a value in each form of the protocols."""
    number = tensor("b", "FP64", data=[0.5])
    binary = tensor("a", datatype, parameters={"binary_data_size": len(packed)})
    return {
        "V1 rows": read({"instances": [[value, 0.5]]}),
        "V1 rows beside text": read({"instances": [[value, 0.5], ["text", 1]]})[:1],
        "V1 by name": read({"instances": [{"a": value, "b": 0.5}]}),
        "V1 DataFrame": read({"instances": [{"a": {"0": value}, "b": {"0": 0.5}}]}),
        "V1 columns": read({"inputs": {"a": [value], "b": [0.5]}}),
        "V2 JSON": read({"inputs": [tensor("a", datatype, data=[value]), number]}),
        "V2 JSON beside null": read(
            {
                "inputs": [
                    {**tensor("a", datatype), "shape": [2], "data": [value, None]},
                    {**number, "shape": [2], "data": [0.5, 1]},
                ]
            }
        )[:1],
        "V2 binary": read({"inputs": [binary, number]}, packed),
    }


@given(LARGE | st.integers(-3, 3))
def test_integer_is_one_category(value: int) -> None:
    """All digits count, also above 2**53."""
    found = in_every_form(value, "INT64", struct.pack("<q", value))

    assert set(map(str, found.values())) == {str([[code(str(value)), 0.5]])}


@given(st.booleans())
def test_bool_is_one_category(value: bool) -> None:  # noqa: FBT001 - the strategy's value
    """It is `true` or `false`, and neither 1 nor 0."""
    expected = [[code("true" if value else "false"), 0.5]]

    assert set(map(str, in_every_form(value, "BOOL", struct.pack("<?", value)).values())) == {str(expected)}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float_is_one_category(value: float) -> None:
    """It is its shortest decimal; a whole one is an integer."""
    expected = [[code(text_of(value) or ""), 0.5]]

    assert set(map(str, in_every_form(value, "FP64", struct.pack("<d", value)).values())) == {str(expected)}


@given(st.text(min_size=1, max_size=5).filter(lambda text: text.encode("utf-8", "ignore").decode() == text))
def test_text_is_one_category(value: str) -> None:
    """It stands as it is."""
    packed = value.encode()
    found = in_every_form(value, "BYTES", struct.pack("<I", len(packed)) + packed)

    assert set(map(str, found.values())) == {str([[code(value), 0.5]])}


VALUES = (
    st.booleans() | LARGE | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from(["1", "true", "red"]) | st.none()
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(VALUES, min_size=1, max_size=3), min_size=2, max_size=4), st.sampled_from(["rows", "names"]))
def test_batch_gives_the_categories_of_each_message(messages: list[list[Any]], form: str) -> None:
    """Messages that are decoded together do not change each other's categories."""

    def message(values: list[Any]) -> dict[str, Any]:
        rows = [[value, 0.5] if form == "rows" else {"a": value, "b": 0.5} for value in values]
        return {"instances": rows}

    bodies = [json.dumps(message(values)).encode() for values in messages]
    batch = decode_batch(bodies, Kind.REQUEST, "separator")
    if batch is not None:
        alone = [row for values in messages for row in read(message(values))]
        assert str(cells(batch.decoded)) == str(alone)


@pytest.mark.parametrize("value", [2**53 + 1, True, 7])
def test_number_of_any_form_is_the_nearest_double(value: int) -> None:
    """Where the column is numeric, all forms give one number."""
    forms = [
        {"instances": [["x", value]]},
        {"instances": [{"a": "x", "b": value}]},
        {"inputs": [tensor("a", "BYTES", data=["x"]), tensor("b", "INT64", data=[int(value)])]},
    ]

    assert [[[code("x"), float(value)]]] * 3 == [read(form) for form in forms]
