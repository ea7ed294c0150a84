"""Rows are what was sent, whatever the form and the order of the columns."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.inputs import extract
from driftgauge.features.outputs import extract_outputs
from driftgauge.features.predictions import extract_predictions
from driftgauge.features.row_table import missing_per_column
from driftgauge.inference.payload import Kind
from driftgauge.protocol.category import code, text_of
from tests.support.payloads import Sent, as_json, listed, read, v2

COLUMNS = ("alcohol", "ash", "hue", "proline")
NUMBERS = [FeatureKind.NUMERIC] * len(COLUMNS)
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
    found = extract(read(form(rows)), COLUMNS, NUMBERS)

    assert listed(rows) == listed(found)
    assert np.isnan(rows).sum(axis=0).tolist() == missing_per_column(found).tolist()


@given(TABLES, st.permutations(COLUMNS), st.sampled_from([_by_name, _by_block, _by_column, _by_tensors]))
def test_order_of_columns(rows: NDArray[np.float64], columns: list[str], form: Any) -> None:  # noqa: ANN401
    """By name, the order of the columns is the reference's and not the sender's."""
    order = [COLUMNS.index(name) for name in columns]

    assert listed(rows[:, order]) == listed(extract(read(form(rows)), columns, NUMBERS))


KINDS = st.lists(st.sampled_from(FeatureKind), min_size=len(COLUMNS), max_size=len(COLUMNS))
CELLS = st.none() | st.text(max_size=3) | st.integers(-(2**53), 2**53) | st.floats(allow_infinity=False)
"""What a cell of V1 rows may hold. Not bools, nor larger integers: among numbers alone V1 makes doubles of them."""


@given(TABLES, st.sampled_from(FORMS), KINDS)
def test_the_kind_of_one_column_leaves_the_others_as_they_are(
    rows: NDArray[np.float64],
    form: Any,  # noqa: ANN401 - a form
    kinds: list[FeatureKind],
) -> None:
    """Numbers of a categorical column are codes of their decimals, and an ignored one is missing throughout."""
    expected = [[_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows.tolist()]

    assert expected == listed(extract(read(form(rows)), COLUMNS, kinds))


def _cell(value: float, kind: FeatureKind) -> float | None:
    text = text_of(value)
    if text is None or kind is FeatureKind.IGNORED:
        return None
    return code(text) if kind is FeatureKind.CATEGORICAL else value


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_any_text_and_any_number_can_be_a_category(rows: list[tuple[object, object]]) -> None:
    """By position and by name alike, in requests and in responses."""
    kinds = [FeatureKind.CATEGORICAL] * 2
    by_position = extract(read(as_json({"instances": rows})), ["a", "b"], kinds)
    by_name = extract(read(as_json({"instances": [dict(zip("ab", row, strict=True)) for row in rows]})), "ab", kinds)
    predicted = read(as_json({"predictions": rows}), Kind.RESPONSE)
    responded = extract_predictions(predicted, ["prediction_0", "prediction_1"], kinds)

    assert listed(by_position) == listed(by_name) == listed(responded)
    assert [text_of(cell) is None for row in rows for cell in row] == np.isnan(by_position).ravel().tolist()


@given(TABLES)
def test_outputs(rows: NDArray[np.float64]) -> None:
    """A response's tensors are its columns, in wire order, and the reference picks among them by name."""
    sent = [Sent("p", "FP64", rows[:, :2]), Sent("q", "FP64", rows[:, 2:], binary=True)]
    decoded = read(v2(sent, Kind.RESPONSE)[0], Kind.RESPONSE)
    found = extract_outputs(decoded, dict.fromkeys(("p_0", "p_1", "q_0", "q_1"), FeatureKind.NUMERIC))
    picked = extract_predictions(decoded, ["q_1", "p_0"], NUMBERS[:2])

    assert ("p_0", "p_1", "q_0", "q_1") == found.columns
    assert listed(rows) == listed(found.values)
    assert listed(rows[:, [3, 0]]) == listed(picked)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 6)), elements=st.floats(0.01, 1.0)))
def test_scores_give_their_largest_and_its_place(weights: NDArray[np.float64]) -> None:
    """Of any number of classes; by the reference as without it."""
    scores = weights / weights.sum(axis=1, keepdims=True)
    decoded = read(as_json({"predictions": scores.tolist()}), Kind.RESPONSE)
    found = extract_outputs(decoded)
    texts = [found.categories[label] for label in found.values[:, -1].tolist()]

    assert scores.max(axis=1).tolist() == found.values[:, -2].tolist()
    assert [str(place) for place in scores.argmax(axis=1).tolist()] == texts
    assert listed(found.values) == listed(extract_predictions(decoded, found.columns, found.kinds))
