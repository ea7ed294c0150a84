"""Tensors become rows by name or by position, and what does not fit is refused with its reason."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sidecar.drift.ks import ks_statistic
from sidecar.errors import Reason
from sidecar.features import MAX_CELLS, extract, extract_outputs, missing_per_column
from sidecar.protocol.tensor import Decoded, Tensor
from tests.support.payloads import listed, refusal


def decoded(**tensors: Any) -> Decoded:  # noqa: ANN401 - arrays or nested lists
    """Tensors by name; `_` stands for the unnamed one. Lists with other things than numbers are objects."""
    return Decoded(tuple(Tensor("" if name == "_" else name, block(data)) for name, data in tensors.items()))


def block(data: Any) -> NDArray[Any]:  # noqa: ANN401 - an array or nested lists
    """An array as it is, lists as float64 or, where they hold other things, as objects."""
    if isinstance(data, np.ndarray):
        return data
    objects = np.array(data, dtype=object)
    numeric = all(isinstance(item, int | float) for item in objects.ravel())
    return objects.astype(np.float64) if numeric else objects


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
        "64 bits to double",
        "bool",
        "a scalar tensor is one row",
        "another byte order",
    ],
)
def test_rows(payload: Decoded, columns: list[str], expected: list[Any]) -> None:
    """Rows are float64, C-contiguous, with NaN for what is missing."""
    rows = extract(payload, columns)

    assert np.float64 == rows.dtype
    assert rows.flags.c_contiguous
    assert expected == listed(rows)


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
    ],
)
def test_refused(payload: Decoded, columns: list[str], reason: Reason, named: str) -> None:
    """What does not fit is refused with its reason, and the sentence names the column or what was got."""
    found, sentence = refusal(lambda: extract(payload, columns))

    assert reason == found
    assert named in sentence


def test_long_lists_are_cut_in_the_sentence() -> None:
    """The sentence about a wrong width stays readable for many columns."""
    _, sentence = refusal(lambda: extract(decoded(_=[[1, 2]]), [f"c{index}" for index in range(500)]))

    assert "Expected 500 columns ('c0', 'c1', 'c2', 'c3', 'c4', ...), got" in sentence


def test_text_in_other_columns() -> None:
    """Text in a tensor that no column needs does no harm."""
    assert [[1.0]] == extract(decoded(a=[1], colour=["red"]), ["a"]).tolist()


@pytest.mark.parametrize(
    ("payload", "names", "expected"),
    [
        (decoded(_=[1, 2]), ("prediction",), [[1.0], [2.0]]),
        (decoded(_=[[1, 2]]), ("prediction_0", "prediction_1"), [[1.0, 2.0]]),
        (decoded(y=[[1]], p=[[3, 4]]), ("y", "p_0", "p_1"), [[1.0, 3.0, 4.0]]),
        (decoded(label=["red"], p=[0.5]), ("p",), [[0.5]]),
        (decoded(p=[0.5, None]), ("p",), [[0.5], [None]]),
        (decoded(p=np.array([[[1, 2]]], dtype="i4")), ("p_0", "p_1"), [[1.0, 2.0]]),
    ],
)
def test_outputs(payload: Decoded, names: tuple[str, ...], expected: list[Any]) -> None:
    """Numeric outputs are columns; the others are left out."""
    found, rows = extract_outputs(payload)

    assert names == found
    assert expected == listed(rows)
    assert rows.flags.c_contiguous


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (decoded(label=["red"]), Reason.UNSUPPORTED),
        (decoded(p=np.zeros((1, 1001))), Reason.UNSUPPORTED),
        (decoded(p=[[1, 2]], p_0=[3]), Reason.UNSUPPORTED),
        (decoded(p=[1, 2], q=[3]), Reason.MALFORMED),
        (decoded(p=[np.inf]), Reason.INFINITE),
        (decoded(p=np.array([10**400], dtype=object)), Reason.INFINITE),
        (decoded(p=np.empty(0)), Reason.EMPTY),
        (decoded(p=np.zeros((MAX_CELLS // 1000 + 1, 1000), dtype="u1")), Reason.TOO_LARGE),
    ],
)
def test_refused_outputs(payload: Decoded, reason: Reason) -> None:
    """Outputs that cannot be columns are refused with their reason."""
    assert reason == refusal(lambda: extract_outputs(payload))[0]


def test_most_output_columns() -> None:
    """A thousand columns are still kept."""
    assert 1000 == len(extract_outputs(decoded(p=np.zeros((1, 1000))))[0])


def test_missing() -> None:
    """Each column's NaN are counted."""
    missing = missing_per_column(np.array([[np.nan, 1.0], [np.nan, np.nan], [0.0, 2.0]]))

    assert [2, 1] == missing.tolist()
    assert np.int64 == missing.dtype


def test_fp32_rows_tie_with_a_reference_in_decimals() -> None:
    """The same values, sent as FP32, are at distance 0."""
    reference = np.round(np.arange(80, 150) / 10, 1)
    rows = extract(decoded(_=reference.astype(np.float32)[:, np.newaxis]), ["alcohol"])

    assert 0.0 == ks_statistic(reference, rows[:, 0])
