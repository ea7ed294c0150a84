"""Nested lists become blocks in which text stays text."""

from typing import Any

import numpy as np
import pytest

from driftgauge.errors import Reason
from driftgauge.protocol.json_text import as_numbers, is_numeric, nested_array
from tests.support.payloads import listed, refusal


@pytest.mark.parametrize(
    ("values", "shape"), [([1, 2], (2,)), ([[1], [2]], (2, 1)), ([[], []], (2, 0)), ([{"b64": ""}], (1,))]
)
def test_shape(values: list[Any], shape: tuple[int, ...]) -> None:
    """The shape is the lengths of the lists, and a dict is one item."""
    assert shape == nested_array(values, "x").shape


@pytest.mark.parametrize("values", [[[1], [2, 3]], [[1, 2], 3], [1, [2, 3]], [[[1], 2]], [["a"], ["b", "c"]]])
def test_ragged(values: list[Any]) -> None:
    """Lists of different lengths at one depth are malformed, and the sentence names them."""
    reason, sentence = refusal(lambda: nested_array(values, "column 'x'"))

    assert Reason.MALFORMED == reason
    assert "column 'x'" in sentence


def test_too_deep() -> None:
    """Lists that are nested deeper than an array can be are malformed."""
    values: list[Any] = []
    for _ in range(500):
        values = [values]

    assert Reason.MALFORMED == refusal(lambda: nested_array(values, "x"))[0]


def test_null_and_bool_are_numbers() -> None:
    """A null becomes NaN, true 1 and false 0."""
    assert [None, 1.0, 0.0, 2.5] == listed(as_numbers(nested_array([None, True, False, 2.5], "x")))


@pytest.mark.parametrize("value", ["1.5", "", {"b64": "eA=="}, b"1"])
def test_text_is_no_number(value: object) -> None:
    """Text and objects keep the whole block as it is, even if the text spells a number."""
    block = nested_array([1.0, value], "x")

    assert not is_numeric(block)
    assert [1.0, value] == as_numbers(block).tolist()


def test_integer_beyond_doubles_stays() -> None:
    """A block with an integer that no double holds stays exact."""
    assert [10**400] == as_numbers(nested_array([10**400], "x")).tolist()


@pytest.mark.parametrize(("dtype", "numeric"), [("?", True), ("u8", True), ("f2", True), ("U1", False)])
def test_numeric_dtypes(dtype: str, numeric: bool) -> None:  # noqa: FBT001 - the expected result
    """bool, integer and float arrays are numeric, text arrays are not."""
    assert numeric == is_numeric(np.zeros(1, dtype=dtype))
