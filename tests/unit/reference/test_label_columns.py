"""Columns of labels in a reference: what they make of its outputs, in every format, and what cannot be used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.drift.outcomes.labelled_output import MAX_REFERENCE_VALUES, TaskSettings
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput, Task
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.dataset import Reference, load_reference, prepare
from driftgauge.reference.files import parse_table
from driftgauge.reference.formats.driftgauge_npz import packed
from driftgauge.reference.packing import pack, unpack
from driftgauge.reference.sample import SampleSpec, sample_table
from driftgauge.reference.table import table_of_columns
from tests.support.outcomes import class_outcomes

GRADES: dict[str, list[float]] = {
    "acidity": [3.1, 3.2, 3.3, 3.4],
    "prediction:grade": [5, 6, 6, 7],
    "label:grade": [5, 6, 7, 7],
}


def reference_of(columns: Mapping[str, Any]) -> Reference:
    """A reference in memory."""
    return prepare(table_of_columns(columns), 0.0)


def only(reference: Reference) -> LabelledOutput:
    """Its only output with labels."""
    (output,) = reference.labelled
    return output


def as_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """A CSV file."""
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_columns_of_labels_are_no_features_in_any_format(tmp_path: Path, suffix: str) -> None:
    """The output has the predictions and labels of each row, as numbers, and its classes by their frequency."""
    path = tmp_path / f"reference{suffix}"
    if suffix == ".csv":
        path.write_bytes(as_csv(GRADES))
    elif suffix == ".parquet":
        pq.write_table(pa.table(GRADES), path)
    else:
        arrays: dict[str, Any] = {name: np.array(values) for name, values in GRADES.items()}
        np.savez(path, **arrays)
    reference = load_reference(path, 0.0)
    output = only(reference)

    assert (("acidity",), ("grade",)) == (reference.columns, reference.prediction_columns)
    assert ("grade", Task.CLASSIFICATION, ("7", "6", "5")) == (output.name, output.task, output.class_texts)
    assert [5, 6, 6, 7] == output.reference.predictions.tolist()
    assert [5, 6, 7, 7] == output.reference.labels.tolist()
    assert (0, 1) == (output.places.prediction, output.places.label)


def test_labels_and_predictions_of_text_have_the_codes_of_categories() -> None:
    """Text is a class, whatever it is."""
    output = only(reference_of({"prediction:kind": ["red", "white", "red"], "label:kind": ["red", "red", "rosé"]}))

    assert FeatureKind.CATEGORICAL is output.label_kind
    assert [code("red"), code("red"), code("rosé")] == output.reference.labels.tolist()
    assert "red" == output.class_texts[0]


def test_numbers_with_a_fraction_or_many_values_are_a_regression() -> None:
    """21 different whole numbers, or one fraction, and labels of numbers."""
    many = list(range(21))
    for columns in (
        {"prediction:price": many, "label:price": many[::-1]},
        {"prediction:price": [1.5, 2, 3], "label:price": [1, 2, 3]},
    ):
        output = only(reference_of(columns))
        assert (Task.REGRESSION, ()) == (output.task, output.class_texts)
    assert Task.CLASSIFICATION is only(reference_of({"prediction:p": many[1:], "label:p": many[1:]})).task


def test_a_probability_of_two_classes_predicts_the_likelier_one() -> None:
    """From one half on the class 1, with the scores of both."""
    output = only(reference_of({"prediction:good": [0.2, 0.5, 0.9], "label:good": [0, 1, 0]}))

    assert ("0", "1") == output.class_texts
    assert [0, 1, 1] == output.reference.predictions.tolist()
    assert output.reference.scores is not None
    np.testing.assert_allclose(output.reference.scores, [[0.8, 0.2], [0.5, 0.5], [0.1, 0.9]])
    rows = output.places.columns(np.array([[np.nan, 1.0]]))
    assert np.isnan(rows.predictions[0])


def scored(classes: int, names: Sequence[str] = ()) -> dict[str, Any]:
    """Columns of class scores, the index of the class and the confidence, as KServe's servers return them."""
    outcomes = class_outcomes(400, classes)
    assert outcomes.scores is not None
    labels = outcomes.labels.astype(int)
    return {
        **{f"prediction:kind_{index}": outcomes.scores[:, index] for index in range(classes)},
        "prediction:kind_class": outcomes.predictions.astype(int),
        "prediction:kind_confidence": outcomes.confidence,
        "label:kind": [names[label] for label in labels] if names else labels,
    }


def test_scores_belong_to_classes_by_their_place() -> None:
    """Labels 0, 1, 2: the score of each class in the order of the classes, which is that of their frequency."""
    columns = scored(3)
    output = only(reference_of(columns))

    assert {"0", "1", "2"} == set(output.class_texts)
    assert output.reference.scores is not None
    for place, text in enumerate(output.class_texts):
        np.testing.assert_array_equal(columns[f"prediction:kind_{text}"], output.reference.scores[:, place])
    np.testing.assert_array_equal(columns["prediction:kind_confidence"], output.reference.confidence)


def test_an_output_does_not_take_the_confidence_of_another() -> None:
    """Of two outputs one has a confidence: the other has none."""
    rows = 400
    fraud = np.arange(rows) % 2
    columns = scored(3) | {"prediction:fraud": fraud, "label:fraud": 1 - fraud}

    by_name = {one.name: one for one in reference_of(columns).labelled}

    assert by_name["kind"].reference.confidence is not None
    assert by_name["fraud"].reference.confidence is None


def test_responses_without_labels_predict_what_labelled_rows_do() -> None:
    """Also where the model returns a probability, or the index of a class: such responses are in the same bins."""
    names = ["white", "red", "rosé"]
    table = table_of_columns({name.replace("label:kind", "truth"): values for name, values in scored(3, names).items()})
    named = only(prepare(sample_table(table, SampleSpec(labels={"kind": "truth"}, settings=settings(names))), 0.0))
    likely = only(reference_of({"prediction:good": [0.2, 0.5, 0.9], "label:good": [0, 1, 0]}))

    of_index = named.places.predicted(np.array([[0.1, 0.2, 0.7, 2.0, 0.7]]))
    of_probability = likely.places.predicted(np.array([[0.2], [0.9]]))

    assert [code("rosé")] == of_index.predictions.tolist()
    assert [0, 1] == of_probability.predictions.tolist()
    assert of_probability.confidence is not None
    np.testing.assert_allclose(of_probability.confidence, [0.8, 0.9])


def test_named_classes_have_scores_and_indices_in_their_order() -> None:
    """Labels of text, predictions of indices: `--classes` says which is which."""
    names = ["white", "red", "rosé"]
    columns = scored(3, names)
    table = table_of_columns({name.replace("label:kind", "truth"): values for name, values in columns.items()})
    spec = SampleSpec(labels={"kind": "truth"}, settings=settings(classes=names))
    output = only(prepare(sample_table(table, spec), 0.0))

    expected = [code(names[index]) for index in columns["prediction:kind_class"]]
    assert expected == output.reference.predictions.tolist()
    assert output.reference.scores is not None
    place = output.class_texts.index("rosé")
    np.testing.assert_array_equal(columns["prediction:kind_2"], output.reference.scores[:, place])
    rows = output.places.columns(np.array([[0.1, 0.2, 0.7, 2.0, 0.7, code("red")], [0, 0, 1, 9.0, 1, code("red")]]))
    assert code("rosé") == rows.predictions[0]
    assert rows.predictions[1] not in set(output.classes)


def settings(classes: Sequence[str] = (), task: Task | None = None) -> TaskSettings:
    """What a person has said."""
    return TaskSettings(task, tuple(classes))


def test_text_labels_of_index_predictions_need_named_classes() -> None:
    """Else it is unknown which index is which class: a note says so, and all else is used."""
    reference = reference_of(scored(3, ["white", "red", "rosé"]))

    assert () == reference.labelled
    assert "name the classes, in the order of their scores" in reference.notes[0]
    assert 5 == len(reference.predictions)


def test_labels_of_numbers_become_categories_where_predictions_are() -> None:
    """A server that returns the class as text, and a file of labels that has numbers."""
    output = only(reference_of({"prediction:grade": ["5", "6", "6"], "label:grade": [5, 6, 7]}))

    assert [code("5"), code("6"), code("7")] == output.reference.labels.tolist()
    assert FeatureKind.CATEGORICAL is output.label_kind


def test_rows_without_a_prediction_or_a_label_are_no_reference() -> None:
    """They stay rows of the features."""
    reference = reference_of({"prediction:p": [1, 2, None, 4], "label:p": [1, None, 3, 4]})

    assert [1, 4] == only(reference).reference.labels.tolist()
    assert 4 == reference.rows


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        ({"a": [1, 2], "label:p": [1, 2]}, "output 'p' has labels and no column prediction:p or prediction:p_class"),
        ({"prediction:p": [1, 2], "label:p": [None, None]}, "has no row with both a prediction and a label"),
        ({"prediction:p": [1.5, 2], "label:p": ["a", "b"]}, "has text as labels and numbers as predictions"),
        ({"prediction:p": [1, 2], "label:p": ["2026-01-01", "2026-01-02"]}, "since the column of its labels holds"),
    ],
)
def test_labels_that_cannot_be_used_have_a_note(columns: Mapping[str, Any], note: str) -> None:
    """One sentence names the output and the rule; the reference serves without it."""
    reference = reference_of(columns)

    assert () == reference.labelled
    assert note in reference.notes[0]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": [1], "label:": [1]}, "column 'label:' must name an output"),
        ({"a": [1], "label:p": [1], "label: p": [1]}, "two columns hold the labels of the output 'p'"),
    ],
)
def test_labels_without_an_output_of_their_own_are_refused(columns: Mapping[str, Any], sentence: str) -> None:
    """As columns of predictions are."""
    with pytest.raises(ReferenceDataError, match=sentence):
        reference_of(columns)


def test_labels_of_ten_outputs_are_taken() -> None:
    """The eleventh has a note."""
    columns = {f"prediction:o{index}": [1, 2, 2] for index in range(11)}
    columns |= {f"label:o{index}": [1, 2, 1] for index in range(11)}
    reference = reference_of(columns)

    assert [f"o{index}" for index in range(10)] == [one.name for one in reference.labelled]
    assert "output 'o10' is not judged: labels of at most 10 outputs are taken" in reference.notes[0]
    assert list(range(11, 21)) == [one.places.label for one in reference.labelled]


def test_a_reference_without_any_error_has_a_warning() -> None:
    """Training rows make a model look perfect: it is said first of all notes."""
    right = {"a": [1.0] * 200, "prediction:p": [1, 2] * 100, "label:p": [1, 2] * 100}
    reference = reference_of(right)
    one_error = reference_of({**right, "label:p": [2, 2, *[1, 2] * 99]})

    assert reference.notes[:1] == reference.warnings
    assert "is predicted without any error in 200 rows" in reference.warnings[0]
    assert () == one_error.warnings


def test_the_reference_of_an_output_is_bounded() -> None:
    """Of more rows as many are kept as fit, at equal distances, and nothing can be written to."""
    rows = MAX_REFERENCE_VALUES
    labels = np.arange(rows) % 7
    output = only(reference_of({"prediction:p": labels, "label:p": labels[::-1]}))

    assert MAX_REFERENCE_VALUES // 2 == output.reference.labels.size
    assert not output.reference.labels.flags.writeable
    assert not output.reference.predictions.flags.writeable


def test_the_outputs_of_a_reference_share_what_is_kept() -> None:
    """Two outputs have half of the rows each, so that memory does not grow with the outputs."""
    labels = np.arange(MAX_REFERENCE_VALUES // 2) % 7
    columns = {f"{kind}:{output}": labels for kind in ("prediction", "label") for output in ("p", "q")}
    sizes = [output.reference.labels.size for output in reference_of(columns).labelled]

    assert [MAX_REFERENCE_VALUES // 4] * 2 == sizes


def test_rows_of_one_time_are_one_request() -> None:
    """The bootstrap draws them together."""
    times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"]
    content = as_csv({"t": times, "prediction:p": [1, 2, 2], "label:p": [1, 1, 2]})
    table = parse_table(Path("a.csv"), content, ColumnRules(time=TimeRules("t")))
    output = only(prepare(table, 0.0))

    assert output.requests is not None
    assert [1, 1, 2] == output.requests.tolist()


def test_the_task_and_the_classes_are_written_into_the_file(tmp_path: Path) -> None:
    """A build says what the model does, and the reference keeps it."""
    training = table_of_columns({"a": [1, 2, 3], "p": [1, 2, 2], "truth": [1, 1, 2]})
    spec = SampleSpec(predictions=["p"], labels={"p": "truth"}, settings=settings(task=Task.REGRESSION))
    path = tmp_path / "reference.npz"
    path.write_bytes(packed(sample_table(training, spec)))
    reference = load_reference(path, 0.0)
    by_content = SampleSpec(predictions=["p"], labels={"p": "truth"})

    assert Task.REGRESSION is only(reference).task
    assert ("a",) == reference.columns
    assert Task.CLASSIFICATION is only(prepare(sample_table(training, by_content), 0.0)).task
    classes = SampleSpec(predictions=["p"], labels={"p": "truth"}, settings=settings(classes=["2", "1", "3"]))
    path.write_bytes(packed(sample_table(training, classes)))
    assert ("1", "2", "3") == only(load_reference(path, 0.0)).class_texts


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (SampleSpec(labels={"p": "none"}), "there is no column 'none' to take as labels"),
        (SampleSpec(labels={"p": "a"}, predictions=["a"]), "column 'a' cannot be both prediction and labels"),
        (SampleSpec(settings=settings(["x"])), "a task or classes are given, and there is no column of labels"),
    ],
)
def test_labels_that_a_build_cannot_take_are_refused(spec: SampleSpec, sentence: str) -> None:
    """One sentence names the column."""
    with pytest.raises(ReferenceDataError, match=sentence):
        sample_table(table_of_columns({"a": [1, 2]}), spec)


def test_outputs_with_labels_come_out_of_the_child_process_as_they_went_in() -> None:
    """Packed and unpacked: equal, and not to be written to."""
    reference = reference_of(scored(3))
    before, after = only(reference), only(unpack(pack(reference)))

    assert (before.name, before.classes, before.places) == (after.name, after.classes, after.places)
    np.testing.assert_array_equal(before.reference.labels, after.reference.labels)
    assert () == pack(reference).head.labelled
