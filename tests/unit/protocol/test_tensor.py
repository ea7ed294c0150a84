"""JSON values of each datatype of the Open Inference Protocol."""

from typing import Any

import numpy as np
import pytest

from driftgauge.errors import Reason
from driftgauge.protocol.tensor import FLOATS, WIRE_DTYPES, from_json, is_known
from tests.support.payloads import DTYPES, listed, refusal

INTEGERS = sorted(set(WIRE_DTYPES) - FLOATS - {"BOOL"})


def test_all_datatypes_are_known() -> None:
    """The datatypes of tritonclient are known, and no others."""
    assert {*WIRE_DTYPES, "BYTES"} == set(DTYPES)
    assert all(map(is_known, DTYPES))
    assert not any(map(is_known, ["FP8", "fp32", "STRING", ""]))


@pytest.mark.parametrize("datatype", INTEGERS)
def test_integers_are_exact(datatype: str) -> None:
    """The least and the greatest integer of each width come through exactly, in a dtype of that width."""
    limits = np.iinfo(DTYPES[datatype])
    values = from_json([int(limits.min), int(limits.max)], datatype, "x")

    assert DTYPES[datatype] == values.dtype
    assert [limits.min, limits.max] == values.tolist()


@pytest.mark.parametrize("datatype", INTEGERS)
def test_integers_out_of_range(datatype: str) -> None:
    """An integer one beyond the width of its datatype is malformed at either end."""
    limits = np.iinfo(DTYPES[datatype])

    assert Reason.MALFORMED == refusal(lambda: from_json([int(limits.min) - 1], datatype, "x"))[0]
    assert Reason.MALFORMED == refusal(lambda: from_json([int(limits.max) + 1], datatype, "x"))[0]


def test_null_among_integers() -> None:
    """A null beside integers is None, and the integers stay exact to 64 bits."""
    assert [None, 2**63 - 1] == from_json([None, 2**63 - 1], "INT64", "x").tolist()


def test_whole_numbers_with_a_point() -> None:
    """1.0 and 1e3 are integers, since JSON has one kind of number only."""
    assert [[1, 1000, 1]] == from_json([[1.0, 1e3, True]], "INT32", "x").tolist()


def test_bool() -> None:
    """true, false, 0 and 1 are BOOL, and null is missing."""
    assert [True, False, True, False] == from_json([True, False, 1, 0], "BOOL", "x").tolist()
    assert [True, None] == from_json([True, None], "BOOL", "x").tolist()


@pytest.mark.parametrize("datatype", sorted(FLOATS))
def test_floats_are_as_written(datatype: str) -> None:
    """0.1 is the double 0.1 for every width, so that it ties with a reference that says 0.1; null is NaN."""
    values = from_json([0.1, None, 3, True], datatype, "x")

    assert np.float64 == values.dtype
    assert [0.1, None, 3.0, 1.0] == listed(values)


def test_bytes_are_text() -> None:
    """BYTES are objects: text as it stands, and None for null."""
    assert ["1.5", None] == from_json(["1.5", None], "BYTES", "x").tolist()


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("FP32", "1.5"),
        ("FP64", {}),
        ("FP64", 10**400),
        ("INT8", "1"),
        ("INT8", 1.5),
        ("INT64", float("nan")),
        ("UINT64", 1e300),
        ("BOOL", 2),
        ("BOOL", "true"),
        ("BYTES", 1),
    ],
)
def test_value_of_another_datatype(datatype: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """A value that is not of the tensor's datatype is malformed, and the sentence names both."""
    reason, sentence = refusal(lambda: from_json([value], datatype, "x"))

    assert Reason.MALFORMED == reason
    assert f"Tensor 'x' has the datatype {datatype}, but a value that is none." == sentence
