"""What labels are compared with, and where their columns are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.app.outcome_parts import label_layout
from driftgauge.drift.budget import Budget
from driftgauge.drift.outcomes.outcome_bets import OutcomeBets
from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputColumns, OutputLayout
from driftgauge.inference.payload import Kind
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.outcome_targets import (
    OUTCOME_BASELINES,
    LabelLayouts,
    OutcomeTarget,
    OutcomeTargets,
    layout_of,
    placed_outputs,
)
from driftgauge.protocol.category import code
from driftgauge.reference.dataset import Reference, load_reference
from driftgauge.reference.store import ReferenceStore
from driftgauge.results.latest_outcomes import LatestOutcomes
from driftgauge.storage.labels import LabelLayout
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.memory_labels import MemoryLabels
from driftgauge.storage.ring import StreamKey
from tests.support.models import WINE
from tests.support.rows import block_of

NUMBER, TEXT = FeatureKind.NUMERIC, FeatureKind.CATEGORICAL
LAYOUT = LabelLayout(("price", "grade"), (NUMBER, TEXT), ("grade", "price"), (TEXT, NUMBER))
GOOD, POOR = code("good"), code("poor")


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    """A reference with labels of a text and of a number."""
    dice = np.random.default_rng(2)
    lines = ["alcohol,prediction:price,prediction:grade,label:grade,label:price"]
    for number in range(200):
        grade = dice.choice(["good", "poor"])
        lines.append(
            f"{dice.normal():.4f},{dice.normal():.4f},{grade},{'good' if number % 9 else grade},{dice.normal():.4f}"
        )
    (tmp_path / "wine.csv").write_text("\n".join(lines) + "\n")
    return load_reference(tmp_path / "wine.csv", 0.0)


def test_columns_of_a_layout_lead_back_to_it() -> None:
    """Also if a prediction's name begins like that of labels."""
    layouts = LabelLayouts(OutputColumns(), {WINE: LAYOUT})
    columns = layouts.get(WINE)
    odd = replace(LAYOUT, predictions=("label:x", "grade"))

    assert columns is not None
    assert layout_of(columns.columns, columns.kinds) == LAYOUT
    assert layout_of((*odd.predictions, "label:grade", "label:price"), (*odd.kinds, TEXT, NUMBER)) == odd


def test_columns_of_a_layout_have_the_texts_of_the_newest_responses() -> None:
    """Of a model without a layout nothing is known."""
    outputs = OutputColumns()
    outputs.record(WINE, OutputLayout(("grade",), (TEXT,), {GOOD: "good"}))
    known = LabelLayouts(outputs, {WINE: LAYOUT}).get(WINE)

    assert known is not None
    assert known.categories == {GOOD: "good"}
    assert LabelLayouts(outputs).get(WINE) is None


def test_labels_are_taken_of_the_outputs_that_the_reference_has_labels_of(reference: Reference) -> None:
    """In their kinds; without such a reference of each output."""
    columns, kinds = ("price", "grade"), (NUMBER, TEXT)

    assert label_layout(reference, columns, kinds) == LAYOUT
    assert label_layout(replace(reference, labelled=()), columns, kinds) == LabelLayout(columns, kinds, columns, kinds)
    assert label_layout(None, (), ()) is None


def test_outputs_are_where_the_layout_has_their_columns(reference: Reference) -> None:
    """Columns in another order are found by their names."""
    turned = LabelLayout(("grade", "other", "price"), (TEXT, NUMBER, NUMBER), ("price", "grade"), (NUMBER, TEXT))
    found = {one.name: (one.places.prediction, one.places.label) for one in placed_outputs(reference, turned)}

    assert found == {"grade": (0, 4), "price": (2, 3)}


@pytest.mark.parametrize(
    "layout",
    [
        replace(LAYOUT, predictions=("price", "mark")),
        replace(LAYOUT, outputs=("mark", "price")),
        replace(LAYOUT, output_kinds=(NUMBER, NUMBER)),
    ],
    ids=["no prediction", "no labels", "labels of another kind"],
)
def test_an_output_whose_columns_are_missing_is_left_out(reference: Reference, layout: LabelLayout) -> None:
    """The other one stays: numbers and codes of the same labels differ, so that all would be wrong."""
    assert [one.name for one in placed_outputs(reference, layout)] == ["price"]


async def baseline_target(rows: NDArray[np.float64], responses: NDArray[np.int64]) -> OutcomeTarget:
    """The target of a model whose first labelled rows, in the order of their labels, are of these responses."""
    layout = LabelLayout(("grade",), (NUMBER,), ("grade",), (NUMBER,))
    ring, states, stream = MemoryRing(len(rows)), MemoryStates(), StreamKey(WINE, Kind.OUTCOME)
    for row, response in zip(rows, responses.tolist(), strict=True):
        block, id_ = block_of(row[np.newaxis], layout.schema, response), 7919 * response % 1013
        await ring.append(stream, replace(block, ids=np.array([id_], np.uint64)))
    layouts = LabelLayouts(OutputColumns(), {WINE: layout})
    baselines = Baselines(ring, states, layouts, len(rows), subject=OUTCOME_BASELINES)
    references, labels = ReferenceStore(None, None), MemoryLabels(ring)
    targets = OutcomeTargets(references, labels, layouts, baselines, LatestOutcomes(60), min_rows=50)
    target = await targets.get(WINE, layout, 1_000.0, "token")
    targets.close()
    assert target is not None
    return target


async def test_rows_of_a_baseline_count_by_how_alike_those_of_their_response_are() -> None:
    """Whenever their labels came: sixteen equal rows are worth little more than one."""
    rng = np.random.default_rng(3)
    responses = np.repeat(np.arange(60), 16)
    right = np.repeat(rng.random(60) < 0.8, 16)
    grades = rng.choice([5.0, 6.0], responses.size)
    rows, order = np.column_stack([grades, np.where(right, grades, 11 - grades)]), rng.permutation(responses.size)
    (output,) = (await baseline_target(rows[order], responses[order])).outputs

    assert output.requests is not None
    assert np.bincount(output.requests).tolist() == [16] * 60
    for response in range(60):
        wrong = output.reference.predictions != output.reference.labels
        assert set(wrong[output.requests == response]) == {not right[16 * response]}
    bets = OutcomeBets.of(output, PredictionBins.of(output), Budget(86_400, 30, 0.02), 1)
    assert 1 / 20 < bets.worth < 1 / 10
