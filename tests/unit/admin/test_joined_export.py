"""Rows of an export: features, predictions and labels of the same row of the same inference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.admin.allowed_columns import AllowedColumns, RefusedColumnError
from driftgauge.admin.joined_export import LabelledWindow, WindowColumns, export_of
from driftgauge.drift.profile import FeatureKind
from driftgauge.reference.exported_rows import ExportedRows
from driftgauge.storage.assembling import Appended, assemble, put_together
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.ring import Block, Window, id_digests

NUMERIC = FeatureKind.NUMERIC
LAYOUT = LabelLayout(("a", "b"), (NUMERIC, NUMERIC), ("a", "b"), (NUMERIC, NUMERIC))
Inference = tuple[int, int]
"""The number of an inference, and its rows."""


def value(number: int, place: int) -> float:
    """What only this row of this inference has."""
    return 100.0 * number + place


def payloads(inferences: list[Inference], width: int, later: float, capacity: int) -> Window:
    """A window of the payloads of some inferences, whose column j is the value of the row and j / 10."""
    rows = np.array(
        [[value(n, p) + j / 10 for j in range(width)] for n, count in inferences for p in range(count)]
    ).reshape(-1, width)
    counts = np.array([count for _, count in inferences], dtype=np.int64)
    times = np.array([n + later for n, _ in inferences], dtype=np.float64)
    block = Block("s", rows, counts, times, id_digests(f"order-{n}" for n, _ in inferences))
    return assemble(put_together([], [Appended(len(rows), block, "w", len(rows))]), "s", width, capacity, 0)


def outcomes(labels: list[tuple[int, int, int]], capacity: int = 1_000) -> LabelledWindow:
    """A window of labels: the inference, the row and the output of each; its value is that of the row less a half."""
    if not labels:
        return LabelledWindow(LAYOUT, assemble([], "s", 4, capacity, 0))
    rows = np.full((len(labels), 4), np.nan)
    for index, (number, place, output) in enumerate(labels):
        rows[index, :2] = value(number, place), value(number, place) + 0.1
        rows[index, 2 + output] = value(number, place) - 0.5
    ones = np.ones(len(labels), dtype=np.int64)
    block = Block(
        "s",
        rows,
        ones,
        np.array([number + 0.25 for number, *_ in labels]),
        id_digests(f"order-{number}" for number, *_ in labels),
        places=np.array([place for _, place, _ in labels]),
    )
    window = assemble(put_together([], [Appended(len(rows), block, "w", len(rows))]), "s", 4, capacity, 0)
    return LabelledWindow(LAYOUT, window)


def joined(
    inferences: list[Inference], labels: LabelledWindow, kept: int = 1_000, allowed: AllowedColumns | None = None
) -> ExportedRows | None:
    """The export of inferences of which the windows of requests and responses have the newest rows alone."""
    requests = WindowColumns(("x", "y"), (NUMERIC, NUMERIC), payloads(inferences, 2, 0.0, kept))
    responses = WindowColumns(("a", "b"), (NUMERIC, NUMERIC), payloads(inferences, 2, 0.25, kept))
    allows = AllowedColumns() if allowed is None else allowed
    return export_of(requests, responses, labels, "stable", allows.allows)


@st.composite
def traffic(draw: st.DrawFn) -> tuple[list[Inference], list[tuple[int, int, int]], int]:
    """Inferences of some rows, labels of some outputs of these in any order, and the rows that windows keep."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=8))
    every = [(n, p, o) for n, count in enumerate(counts) for p in range(count) for o in (0, 1)]
    labels = draw(st.lists(st.sampled_from(every), unique=True))
    return list(enumerate(counts)), labels, draw(st.integers(1, 40))


@given(traffic())
def test_every_part_of_a_row_is_of_that_row(drawn: tuple[list[Inference], list[tuple[int, int, int]], int]) -> None:
    """Each kept or labelled row is there once, with its own features, predictions and labels, and no others."""
    inferences, labels, kept = drawn
    rows = joined(inferences, outcomes(labels), kept)
    every = [(number, place) for number, count in inferences for place in range(count)]
    in_windows = set(every[-kept:])
    by_digest = {int(id_digests([f"order-{number}"])[0]): number for number, _ in inferences}

    assert rows is not None
    assert ("x", "y", "prediction:a", "prediction:b", "label:a", "label:b") == rows.table.columns
    found = [(by_digest[digest], place) for digest, place in zip(rows.ids.tolist(), rows.places.tolist(), strict=True)]
    assert sorted(in_windows | {(number, place) for number, place, _ in labels}) == sorted(found)
    for (number, place), values, known in zip(found, rows.table.values, rows.has_features.tolist(), strict=True):
        own = value(number, place)
        assert known == ((number, place) in in_windows)
        features = [own, own + 0.1] if known else [np.nan, np.nan]
        given_labels = [own - 0.5 if (number, place, output) in labels else np.nan for output in (0, 1)]
        np.testing.assert_array_equal([*features, own, own + 0.1, *given_labels], values)
    assert [number + 0.25 for number, _ in found] == rows.times.tolist() == sorted(rows.times.tolist())
    assert {"stable"} == set(rows.revisions.tolist())


def test_columns_that_are_not_allowed_are_not_there() -> None:
    """By patterns of the names that a reference has; a model of which no column is allowed is refused."""
    allowed = AllowedColumns("x, label:*")
    rows = joined([(1, 2)], outcomes([(1, 0, 1)]), allowed=allowed)

    assert rows is not None
    assert ("x", "label:a", "label:b") == rows.table.columns
    with pytest.raises(RefusedColumnError, match="export_columns allows none"):
        joined([(1, 2)], outcomes([]), allowed=AllowedColumns("nothing"))


def test_a_model_without_inputs_and_labels_has_its_predictions() -> None:
    """A process without a reference and without labels still has responses; without these there is nothing."""
    responses = WindowColumns(("a",), (NUMERIC,), payloads([(1, 2)], 1, 0.25, 10))
    rows = export_of(WindowColumns(), responses, LabelledWindow(), "")

    assert rows is not None
    assert (("prediction:a",), [100.0, 101.0]) == (rows.table.columns, rows.table.values[:, 0].tolist())
    assert not rows.has_features.any()
    assert export_of(WindowColumns(), WindowColumns(), LabelledWindow(), "") is None
