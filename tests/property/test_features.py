"""Rows are what was sent, whatever the form and the order of the columns."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from sidecar.features import extract, extract_outputs, missing_per_column
from sidecar.payload import Kind
from tests.support.payloads import Sent, as_json, listed, read, v2

COLUMNS = ("alcohol", "ash", "hue", "proline")
TABLES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.just(len(COLUMNS))),
    elements=st.floats(allow_infinity=False),
)


def _by_row(rows: NDArray[np.float64]) -> bytes:
    return as_json({"instances": rows.tolist()})


def _by_name(rows: NDArray[np.float64]) -> bytes:
    return as_json({"instances": [dict(zip(COLUMNS, row, strict=True)) for row in rows.tolist()]})


def _by_block(rows: NDArray[np.float64]) -> bytes:
    return as_json({"instances": [dict(zip(COLUMNS, rows.T.tolist(), strict=True))]})


def _by_column(rows: NDArray[np.float64]) -> bytes:
    return as_json({"inputs": dict(zip(COLUMNS, rows.T.tolist(), strict=True))})


def _by_tensor(rows: NDArray[np.float64]) -> bytes:
    return v2([Sent("dense", "FP64", rows, binary=True)])[0]


def _by_tensors(rows: NDArray[np.float64]) -> bytes:
    return v2([Sent(name, "FP64", rows[:, [index]]) for index, name in enumerate(COLUMNS)])[0]


FORMS = [_by_row, _by_name, _by_block, _by_column, _by_tensor, _by_tensors]


@given(TABLES, st.sampled_from(FORMS))
def test_every_form_gives_the_same_rows(rows: NDArray[np.float64], form: Any) -> None:  # noqa: ANN401 - a form
    """Rows by position, rows by name, columns and tensors are different words for one table."""
    found = extract(read(form(rows)), COLUMNS)

    assert listed(rows) == listed(found)
    assert np.isnan(rows).sum(axis=0).tolist() == missing_per_column(found).tolist()


@given(TABLES, st.permutations(COLUMNS), st.sampled_from([_by_name, _by_block, _by_column, _by_tensors]))
def test_order_of_columns(rows: NDArray[np.float64], columns: list[str], form: Any) -> None:  # noqa: ANN401
    """By name, the order of the columns is the reference's and not the sender's."""
    order = [COLUMNS.index(name) for name in columns]

    assert listed(rows[:, order]) == listed(extract(read(form(rows)), columns))


@given(TABLES)
def test_outputs(rows: NDArray[np.float64]) -> None:
    """A response's tensors are its columns, in wire order."""
    sent = [Sent("p", "FP64", rows[:, :2]), Sent("q", "FP64", rows[:, 2:], binary=True)]
    names, found = extract_outputs(read(v2(sent, Kind.RESPONSE)[0], Kind.RESPONSE))

    assert ("p_0", "p_1", "q_0", "q_1") == names
    assert listed(rows) == listed(found)
