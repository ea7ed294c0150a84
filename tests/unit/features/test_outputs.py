"""A response's columns: numbers, class labels, and what follows from scores."""

from typing import Any

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import Reason
from driftgauge.features.output_columns import NOT_SCALAR, ROWS_DIFFER
from driftgauge.features.outputs import MAX_OUTPUT_COLUMNS, extract_outputs
from driftgauge.features.row_table import MAX_CATEGORIES, MAX_CELLS
from driftgauge.inference.payload import Kind
from driftgauge.protocol.category import code
from driftgauge.protocol.tensor import Decoded
from tests.support.payloads import Sent, as_json, decoded, listed, read, refusal, v2

NUMERIC, CATEGORICAL = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL
RED = code("red")


@pytest.mark.parametrize(
    ("payload", "names", "expected"),
    [
        (decoded(_=[1, 2]), ("prediction",), [[1.0], [2.0]]),
        (decoded(_=[[1, 2]]), ("prediction_0", "prediction_1"), [[1.0, 2.0]]),
        (decoded(y=[[1]], p=[[3, 4]]), ("y", "p_0", "p_1"), [[1.0, 3.0, 4.0]]),
        (decoded(image=[{"b64": "eA=="}], p=[0.5]), ("p",), [[0.5]]),
        (decoded(_=[[5, {"b64": "eA=="}]]), ("prediction_0",), [[5.0]]),
        (decoded(tokens=[["x"] * 1001, ["y"] * 1001], p=[1, 2]), ("p",), [[1.0], [2.0]]),
        (decoded(p=[0.5, None]), ("p",), [[0.5], [None]]),
        (decoded(p=np.array([[[1, 2]]], dtype="i4")), ("p_0", "p_1"), [[1.0, 2.0]]),
        (decoded(p=np.array([True, False])), ("p",), [[1.0], [0.0]]),
    ],
)
def test_numbers_are_columns(payload: Decoded, names: tuple[str, ...], expected: list[Any]) -> None:
    """Objects and long lists of text are left out."""
    found = extract_outputs(payload)

    assert names == found.columns
    assert (NUMERIC,) * len(names) == found.kinds
    assert expected == listed(found.values)
    assert found.values.flags.c_contiguous
    assert {} == found.categories


@pytest.mark.parametrize(
    ("payload", "known", "expected"),
    [
        (decoded(_=[5, 6]), ("quality",), ("quality",)),
        (decoded(_=[[5, 6]]), ("p_0", "p_1"), ("p_0", "p_1")),
        (decoded(_=[[0.5, 0.5]]), ("p_0", "p_1", "p_confidence", "p_class"), ("p_0", "p_1", "p_confidence", "p_class")),
        (decoded(_=[[5, 6]]), ("quality",), ("prediction_0", "prediction_1")),
        (decoded(_=[[5, 6]]), ("p", "q"), ("prediction_0", "prediction_1")),
        (decoded(_=[5, 6]), ("p", "q"), ("prediction",)),
        (decoded(p=[5, 6]), ("quality",), ("p",)),
        (decoded(_=[5, 6]), ("fruit_class", "fruit_weight"), ("prediction",)),
        (decoded(_=[5, 6]), ("weight", "fruit_confidence"), ("prediction",)),
        (decoded(_=[5, 6]), ("fruit_class",), ("fruit_class",)),
        (decoded(_=[5, 6]), ("fruit", "fruit_class"), ("fruit",)),
        (decoded(_=[[5, 6]]), ("p_1", "p_0"), ("p_0", "p_1")),
        (decoded(_=[[5, 6]]), ("p_class", "p_1", "p_0"), ("p_0", "p_1")),
        (decoded(_=[[5, 6]]), ("p_0_1", "p_0_0"), ("p_0_0", "p_0_1")),
        (decoded(_=[[5, 6]]), ("p_0", "q_0"), ("prediction_0", "prediction_1")),
    ],
)
def test_responses_without_names_have_those_of_earlier_responses(
    payload: Decoded, known: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Clients of V1 and of V2 fill one window, if the number of columns is the same."""
    assert expected == extract_outputs(payload, dict.fromkeys(known, NUMERIC)).columns


@pytest.mark.parametrize(
    ("values", "known", "kind", "expected"),
    [
        ([0.5, "NaN", ""], {}, NUMERIC, [[0.5], [None], [None]]),
        (["NaN"], {"prediction": NUMERIC}, NUMERIC, [[None]]),
        (["NaN"], {}, CATEGORICAL, [[code("NaN")]]),
        ([1, "NA"], {"prediction": CATEGORICAL}, CATEGORICAL, [[code("1")], [code("NA")]]),
        ([1, "red"], {"prediction": NUMERIC}, CATEGORICAL, [[code("1")], [RED]]),
    ],
)
def test_missing_numbers_as_text(
    values: list[object], known: dict[str, FeatureKind], kind: FeatureKind, expected: list[Any]
) -> None:
    """Beside numbers, `NaN` is a missing number; alone it is what the column was before."""
    found = extract_outputs(read(as_json({"predictions": values}), Kind.RESPONSE), known)

    assert ((kind,), expected) == (found.kinds, listed(found.values))


@pytest.mark.parametrize(
    ("body", "names", "kinds", "expected"),
    [
        (as_json({"predictions": ["red", None]}), ("prediction",), (CATEGORICAL,), [[RED], [None]]),
        (
            as_json({"predictions": [["red", 0.5]]}),
            ("prediction_0", "prediction_1"),
            (CATEGORICAL, NUMERIC),
            [[RED, 0.5]],
        ),
        (
            as_json({"predictions": [{"class": "red", "score": 0.5}]}),
            ("class", "score"),
            (CATEGORICAL, NUMERIC),
            [[RED, 0.5]],
        ),
        (
            v2([Sent("label", "BYTES", np.array(["red"], dtype=object))], Kind.RESPONSE)[0],
            ("label",),
            (CATEGORICAL,),
            [[RED]],
        ),
        (
            v2([Sent("label", "BYTES", np.array(["red"], dtype=object), binary=True)], Kind.RESPONSE)[0],
            ("label",),
            (CATEGORICAL,),
            [[RED]],
        ),
    ],
)
def test_text_is_a_column_of_categories(
    body: bytes, names: tuple[str, ...], kinds: tuple[FeatureKind, ...], expected: list[Any]
) -> None:
    """Class labels are codes, and the texts of the codes are returned."""
    found = extract_outputs(read(body, Kind.RESPONSE))

    assert names == found.columns
    assert kinds == found.kinds
    assert expected == listed(found.values)
    assert {RED: "red"} == found.categories


def test_scores_give_the_confidence_and_the_class() -> None:
    """The class is its index."""
    found = extract_outputs(decoded(p=np.array([[0.25, 0.75], [0.5, 0.5]]), q=[7, 8]))

    assert ("p_0", "p_1", "p_confidence", "p_class", "q") == found.columns
    assert (NUMERIC, NUMERIC, NUMERIC, CATEGORICAL, NUMERIC) == found.kinds
    assert [[0.25, 0.75, 0.75, code("1"), 7.0], [0.5, 0.5, 0.5, code("0"), 8.0]] == found.values.tolist()
    assert {code("0"): "0", code("1"): "1"} == found.categories
    assert found.values.flags.c_contiguous


@pytest.mark.parametrize(
    "payload",
    [decoded(p=[[0.25, 0.7]]), decoded(p=[[0.25, 0.75]], p_class=["red"]), decoded(p=[["0.25", "0.75"]])],
    ids=["they do not sum to 1", "a name is taken", "text"],
)
def test_what_is_no_scores_gives_nothing_more(payload: Decoded) -> None:
    """Nor does an output of scores whose two names are not free."""
    assert "p_confidence" not in extract_outputs(payload).columns


def test_numbers_that_once_were_no_scores_are_none_by_chance_later() -> None:
    """Rows of other columns do not mix, and one short response would set its rows apart."""
    known = dict.fromkeys(("p_0", "p_1"), NUMERIC)
    payload = decoded(p=[[0.25, 0.75]])

    assert ("p_0", "p_1") == extract_outputs(payload, known).columns
    assert 4 == len(extract_outputs(payload, {**known, "p_confidence": NUMERIC, "p_class": CATEGORICAL}).columns)
    assert 4 == len(extract_outputs(payload, {"other": NUMERIC}).columns)


def test_known_scores_stay_scores_where_all_are_missing() -> None:
    """Otherwise one row without a value would separate them."""
    payload = decoded(p=[[None, None]])
    known = {**dict.fromkeys(("p_0", "p_1", "p_confidence"), NUMERIC), "p_class": CATEGORICAL}

    assert [[None] * 4] == listed(extract_outputs(payload, known).values)
    assert [[None] * 2] == listed(extract_outputs(payload).values)


@pytest.mark.parametrize("payload", [decoded(label=[None]), decoded(label=[np.nan])])
def test_a_column_without_any_value_keeps_its_known_kind(payload: Decoded) -> None:
    """Alone it could be either."""
    assert (CATEGORICAL,) == extract_outputs(payload, {"label": CATEGORICAL}).kinds
    assert (NUMERIC,) == extract_outputs(payload).kinds
    assert (NUMERIC,) == extract_outputs(decoded(label=[None, 1.0]), {"label": CATEGORICAL}).kinds


def test_the_texts_of_a_response_are_bounded() -> None:
    """A thousand over all of its columns."""
    labels = [[f"a{number}", f"b{number}"] for number in range(MAX_CATEGORIES)]

    assert MAX_CATEGORIES == len(extract_outputs(decoded(p=labels)).categories)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (decoded(image=[{"b64": "eA=="}]), Reason.UNSUPPORTED),
        (decoded(p=np.zeros((1, 1001))), Reason.UNSUPPORTED),
        (decoded(p=[[1, 2]], p_0=[3]), Reason.UNSUPPORTED),
        (decoded(p=[np.inf]), Reason.INFINITE),
        (decoded(p=[[np.inf, -np.inf]]), Reason.INFINITE),
        (decoded(p=np.array([10**400], dtype=object)), Reason.INFINITE),
        (decoded(p=np.empty(0)), Reason.EMPTY),
        (decoded(p=np.empty((0, 2))), Reason.EMPTY),
        (decoded(p=np.zeros((MAX_CELLS // 1000 + 1, 1000), dtype="u1")), Reason.TOO_LARGE),
    ],
)
def test_refused_outputs(payload: Decoded, reason: Reason) -> None:
    """Outputs that cannot be columns are refused with their reason."""
    assert reason == refusal(lambda: extract_outputs(payload))[0]


@pytest.mark.parametrize(
    ("payload", "columns", "left_out"),
    [
        (decoded(p=[1, 2], q=[3]), ["p"], ["q"]),
        (decoded(info=["v1"], p=[1, 2], label=["a", "b"]), ["p", "label"], ["info"]),
        (decoded(p=[1], boxes=[[1, 2], [3, 4]], q=[5]), ["p", "q"], ["boxes"]),
        (decoded(p=[1], q=[2]), ["p", "q"], []),
    ],
)
def test_outputs_that_differ_in_rows(payload: Decoded, columns: list[str], left_out: list[str]) -> None:
    """Those with the most frequent number of rows are kept, and the others are named."""
    found = extract_outputs(payload)

    assert columns == [column for column in found.columns if not column.endswith(("_class", "_confidence"))]
    assert dict.fromkeys(left_out, ROWS_DIFFER) == found.left_out


def test_unstable_outputs_are_left_out() -> None:
    """If none is left, the response is refused."""
    payload = decoded(p=[1], q=[[2, 3]])

    assert ("p",) == extract_outputs(payload, {}, frozenset({"q"})).columns
    assert Reason.UNSUPPORTED == refusal(lambda: extract_outputs(payload, {}, frozenset({"p", "q"})))[0]


def test_outputs_of_objects_are_named() -> None:
    """Beside them, the other outputs are kept."""
    found = extract_outputs(decoded(p=[1], details=[{"a": 1}]))

    assert ("p",) == found.columns
    assert {"details": NOT_SCALAR} == found.left_out


def test_most_output_columns() -> None:
    """A thousand columns are still kept, and scores of a thousand classes give two more."""
    scores = np.full((1, MAX_OUTPUT_COLUMNS), 1 / MAX_OUTPUT_COLUMNS)

    assert MAX_OUTPUT_COLUMNS == len(extract_outputs(decoded(p=np.zeros((1, MAX_OUTPUT_COLUMNS)))).columns)
    assert MAX_OUTPUT_COLUMNS + 2 == len(extract_outputs(decoded(p=scores)).columns)


def test_known_categories_leave_wide_outputs_as_they_are() -> None:
    """Their columns are refused by their number, and not looked at one by one."""
    known = {"label": CATEGORICAL}

    assert Reason.UNSUPPORTED == refusal(lambda: extract_outputs(decoded(p=np.zeros((1, 1001))), known))[0]
