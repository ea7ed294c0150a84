"""Tensors become rows by name or by position, and what does not fit is refused with its reason."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.statistics.ks import ks_statistic
from driftgauge.errors import Reason
from driftgauge.features.inputs import extract
from driftgauge.features.row_table import MAX_CELLS
from driftgauge.protocol.category import code
from driftgauge.protocol.tensor import Decoded
from tests.support.payloads import Sent, as_json, decoded, listed, read, refusal, v2

NUMERIC, CATEGORICAL, IGNORED = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL, FeatureKind.IGNORED
RED, WHITE = code("red"), code("white")


def numeric(columns: Sequence[str]) -> list[FeatureKind]:
    """All of the columns hold numbers."""
    return [NUMERIC] * len(columns)


@pytest.mark.parametrize(
    ("payload", "columns", "expected"),
    [
        (decoded(a=[1, 2], b=[[3], [4]]), ["b", "a"], [[3.0, 1.0], [4.0, 2.0]]),
        (decoded(a=[1, 2], other=["x"]), ["a"], [[1.0], [2.0]]),
        (decoded(a=[1, 2], other=[5]), ["a", "b"], [[1.0, None], [2.0, None]]),
        (decoded(a=[1, None]), ["a"], [[1.0], [None]]),
        (decoded(_=[[1, 2], [3, 4]]), ["a", "b"], [[1.0, 2.0], [3.0, 4.0]]),
        (decoded(_=[[[1, 2], [3, 4]]]), list("abcd"), [[1.0, 2.0, 3.0, 4.0]]),
        (decoded(_=[1, 2, 3]), ["a"], [[1.0], [2.0], [3.0]]),
        (decoded(_=[[1, None]]), ["a", "b"], [[1.0, None]]),
        (decoded(dense=[[1, 2]]), ["a", "b"], [[1.0, 2.0]]),
        (decoded(a=[[1, 2]]), ["a", "b"], [[1.0, 2.0]]),
        (decoded(_=np.array([[1, 2], [3, 4]], order="F")), ["a", "b"], [[1.0, 2.0], [3.0, 4.0]]),
        (decoded(a=np.array([2**53 + 1], dtype="i8")), ["a"], [[float(2**53)]]),
        (decoded(a=np.array([True, False])), ["a"], [[1.0], [0.0]]),
        (decoded(a=np.array(5.0)), ["a"], [[5.0]]),
        (decoded(a=np.array([1, 2], dtype=">f4")), ["a"], [[1.0], [2.0]]),
    ],
    ids=[
        "by name in the reference's order",
        "unknown names are ignored",
        "absent columns are missing",
        "null is missing",
        "by position",
        "by position, wider shapes",
        "scalars are rows of one column",
        "null by position",
        "one named tensor by position",
        "a column's name on the whole matrix",
        "another order in memory",
        "64 bits to double",
        "bool",
        "a scalar tensor is one row",
        "another byte order",
    ],
)
def test_rows(payload: Decoded, columns: list[str], expected: list[Any]) -> None:
    """Rows are float64, C-contiguous, with NaN for what is missing."""
    rows = extract(payload, columns, numeric(columns))

    assert np.float64 == rows.dtype
    assert rows.flags.c_contiguous
    assert expected == listed(rows)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (as_json({"instances": [[9.5, "red"], [9.8, None]]}), [[9.5, RED], [9.8, None]]),
        (as_json({"instances": [{"ph": 9.5, "colour": "red"}, {"ph": None}]}), [[9.5, RED], [None, None]]),
        (as_json({"instances": [{"ph": [9.5, 9.8], "colour": ["red", "white"]}]}), [[9.5, RED], [9.8, WHITE]]),
        (as_json({"inputs": {"colour": ["white", "red"], "ph": [9.5, 9.8]}}), [[9.5, WHITE], [9.8, RED]]),
        (as_json({"instances": [[9.5, 3], [9.8, 3.5]]}), [[9.5, code("3")], [9.8, code("3.5")]]),
        (
            v2([Sent("ph", "FP64", np.array([9.5])), Sent("colour", "BYTES", np.array(["red"], dtype=object))])[0],
            [[9.5, RED]],
        ),
        (
            v2([Sent("colour", "BYTES", np.array([["red"], ["white"]], dtype=object), binary=True)])[0],
            [[None, RED], [None, WHITE]],
        ),
        (v2([Sent("colour", "BOOL", np.array([True, False]))])[0], [[None, code("true")], [None, code("false")]]),
        (v2([Sent("colour", "INT64", np.array([2**53 + 1]), binary=True)])[0], [[None, code("9007199254740993")]]),
        (v2([Sent("colour", "FP32", np.array([0.1, np.nan]), binary=True)])[0], [[None, code("0.1")], [None, None]]),
        (v2([Sent("dense", "FP32", np.array([[0.1, 7.0]]), binary=True)])[0], [[0.1, code("7")]]),
    ],
    ids=[
        "V1 rows that mix numbers and text",
        "V1 rows by name",
        "V1 lists by name",
        "V1 columns",
        "V1 numbers for a category",
        "V2 text in JSON",
        "V2 text in binary",
        "V2 bool",
        "V2 integers that no double holds",
        "V2 narrow floats as the decimals that they stand for",
        "V2 matrix by position",
    ],
)
def test_a_categorical_column_holds_the_codes_of_its_texts(body: bytes, expected: list[Any]) -> None:
    """However the text came over the wire; what is missing is NaN."""
    assert expected == listed(extract(read(body), ["ph", "colour"], [NUMERIC, CATEGORICAL]))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (decoded(_=[[1, "2026-03-01", 2]]), [[1.0, None, 2.0]]),
        (decoded(_=[[1, {"b64": "eA=="}, 2]]), [[1.0, None, 2.0]]),
        (decoded(_=np.array([[1, np.inf, 2]])), [[1.0, None, 2.0]]),
        (decoded(_=np.array([[1, 10**400, 2]], dtype=object)), [[1.0, None, 2.0]]),
        (decoded(a=[1], day=["x"], b=[2]), [[1.0, None, 2.0]]),
        (decoded(a=[1], day=[[1, 2, 3]], b=[2]), [[1.0, None, 2.0]]),
        (decoded(a=[1], day=["x", "y"], b=[2]), [[1.0, None, 2.0]]),
        (decoded(day=["x", "y"]), [[None] * 3, [None] * 3]),
        (decoded(day=[[1, 5, 2]]), [[1.0, None, 2.0]]),
    ],
    ids=[
        "text by position",
        "an object by position",
        "an infinity by position",
        "a huge integer by position",
        "by name",
        "by name, of another width",
        "by name, of other rows",
        "nothing else by name",
        "its name on the whole matrix",
    ],
)
def test_an_ignored_column_is_missing_whatever_it_holds(payload: Decoded, expected: list[Any]) -> None:
    """It keeps its place in a row, and nothing of it is looked at."""
    assert expected == listed(extract(payload, ["a", "day", "b"], [NUMERIC, IGNORED, NUMERIC]))


@pytest.mark.parametrize(
    ("payload", "columns", "reason", "named"),
    [
        (decoded(_=[[1, 2, 3]]), ["a", "b"], Reason.WRONG_WIDTH, "'a', 'b'"),
        (decoded(_=[1, 2, 3]), list("abc"), Reason.WRONG_WIDTH, "(3,)"),
        (decoded(x=[1], y=[2]), ["a", "b"], Reason.WRONG_WIDTH, "'x' of shape (1,)"),
        (decoded(x=[1], y=[2]), ["a"], Reason.WRONG_WIDTH, "got 2 tensors"),
        (decoded(a=[[1, 2]], b=[3]), ["a", "b"], Reason.WRONG_WIDTH, "(1, 2)"),
        (decoded(a=[1, 2], b=[3]), ["a", "b"], Reason.MALFORMED, "'b' has 1"),
        (decoded(a=["1.5"]), ["a"], Reason.WRONG_TYPE, "'a'"),
        (decoded(_=[[1, "x"]]), ["a", "b"], Reason.WRONG_TYPE, "'b'"),
        (decoded(_=[{"b64": "eA=="}]), ["a"], Reason.WRONG_TYPE, "'a'"),
        (decoded(a=[b"1"]), ["a"], Reason.WRONG_TYPE, "'a'"),
        (decoded(_=[[1, np.inf]]), ["a", "b"], Reason.INFINITE, "'b'"),
        (decoded(a=[-np.inf]), ["a"], Reason.INFINITE, "'a'"),
        (decoded(a=np.array([10**400], dtype=object)), ["a"], Reason.INFINITE, "'a'"),
        (decoded(a=np.empty(0)), ["a"], Reason.EMPTY, "no rows"),
        (decoded(_=np.empty((0, 2))), ["a", "b"], Reason.EMPTY, "no rows"),
        (decoded(a=np.zeros(MAX_CELLS // 2 + 1, dtype="u1")), ["a", "b"], Reason.TOO_LARGE, "2 columns"),
        (decoded(_=np.zeros((MAX_CELLS // 2 + 1, 2), dtype="u1")), ["a", "b"], Reason.TOO_LARGE, "2 columns"),
    ],
)
def test_refused(payload: Decoded, columns: list[str], reason: Reason, named: str) -> None:
    """What does not fit is refused with its reason, and the sentence names the column or what was got."""
    found, sentence = refusal(lambda: extract(payload, columns, numeric(columns)))

    assert reason == found
    assert named in sentence


def test_objects_are_no_categories() -> None:
    """The sentence says what was expected."""
    reason, sentence = refusal(lambda: extract(decoded(a=[{"b64": "eA=="}]), ["a"], [CATEGORICAL]))

    assert Reason.WRONG_TYPE == reason
    assert "Column 'a' holds objects where categories are expected." == sentence


def test_long_lists_are_cut_in_the_sentence() -> None:
    """The sentence about a wrong width stays readable for many columns."""
    columns = [f"c{index}" for index in range(500)]
    _, sentence = refusal(lambda: extract(decoded(_=[[1, 2]]), columns, numeric(columns)))

    assert "Expected 500 columns ('c0', 'c1', 'c2', 'c3', 'c4', ...), got" in sentence


def test_text_in_other_columns() -> None:
    """Text in a tensor that no column needs does no harm."""
    assert [[1.0]] == extract(decoded(a=[1], colour=["red"]), ["a"], [NUMERIC]).tolist()


def test_fp32_rows_tie_with_a_reference_in_decimals() -> None:
    """The same values, sent as FP32, are at distance 0."""
    reference = np.round(np.arange(80, 150) / 10, 1)
    rows = extract(decoded(_=reference.astype(np.float32)[:, np.newaxis]), ["alcohol"], [NUMERIC])

    assert 0.0 == ks_statistic(reference, rows[:, 0])
