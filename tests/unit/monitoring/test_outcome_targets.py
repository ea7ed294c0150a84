"""What labels are compared with, and where their columns are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftgauge.app.outcome_parts import label_layout
from driftgauge.drift.profile import FeatureKind
from driftgauge.features.output_columns import OutputColumns, OutputLayout
from driftgauge.monitoring.outcome_targets import LabelLayouts, layout_of, placed_outputs
from driftgauge.protocol.category import code
from driftgauge.reference.dataset import Reference, load_reference
from driftgauge.storage.labels import LabelLayout
from tests.support.models import WINE

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
