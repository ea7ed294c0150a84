"""One reference: profiles, schema, notes, and what a reference must have that a window need not."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.dataset import load_reference, schema_hash
from driftgauge.reference.files import read_table

DATA = Path(__file__).parents[2] / "data" / "reference"

NUMERIC, CATEGORICAL, IGNORED = FeatureKind


def write(folder: Path, text: str) -> Path:
    """A CSV file."""
    path = folder / "a.csv"
    path.write_text(text)
    return path


def test_columns_are_sorted_without_what_is_missing(tmp_path: Path) -> None:
    """Each column is sorted by itself, its missing values are counted apart, and rows counts all."""
    path = write(tmp_path, "a,b\n3,1\n,2\n1,0\n")
    reference = load_reference(path, 12.5)

    assert [[1.0, 3.0], [0.0, 1.0, 2.0]] == [profile.values.tolist() for profile in reference.features]
    assert [1, 0] == [profile.missing for profile in reference.features]
    assert (("a", "b"), 3, path, 12.5) == (reference.columns, reference.rows, reference.path, reference.loaded_at)
    assert (NUMERIC, NUMERIC) == reference.kinds
    assert (read_table(path).digest, schema_hash(["a", "b"], [NUMERIC] * 2)) == (reference.digest, reference.schema)


def test_columns_can_not_be_written(tmp_path: Path) -> None:
    """A reference is shared by threads, so its arrays are read-only."""
    path = write(tmp_path, "a,b\n1,x\n")
    for profile in load_reference(path, 0.0).features:
        with pytest.raises(ValueError, match="read-only"):
            profile.values[0] = 2.0


def test_column_without_values() -> None:
    """A column without any value cannot serve as reference, though it may stand in a window."""
    path = DATA / "empty_column.csv"
    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: column 'alcohol' has no value in any row")):
        load_reference(path, 0.0)

    assert ("acidity", "alcohol") == read_table(path).columns


def test_categories_keep_their_texts(tmp_path: Path) -> None:
    """A categorical column holds codes, and the text of each."""
    (profile,) = load_reference(write(tmp_path, 'colour\nred\nred\nwhite\n""\n'), 0.0).features

    assert (CATEGORICAL, 1) == (profile.kind, profile.missing)
    assert sorted([code("red"), code("red"), code("white")]) == profile.values.tolist()
    assert {code("red"): "red", code("white"): "white"} == dict(profile.categories)


def test_predictions_stand_apart(tmp_path: Path) -> None:
    """A column `prediction:<name>` describes the output of that name."""
    reference = load_reference(write(tmp_path, "a,prediction:quality,b,prediction: label\n1,5,2,x\n"), 0.0)

    assert (("a", "b"), ("quality", "label")) == (reference.columns, reference.prediction_columns)
    assert (NUMERIC, CATEGORICAL) == reference.prediction_kinds
    assert schema_hash(["quality", "label"], [NUMERIC, CATEGORICAL]) == reference.prediction_schema


def test_predictions_alone(tmp_path: Path) -> None:
    """A file may describe outputs alone: nothing of the requests is tested then."""
    reference = load_reference(write(tmp_path, "prediction:quality\n5\n6\n"), 0.0)

    assert ((), ("quality",), 2) == (reference.features, reference.prediction_columns, reference.rows)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,prediction: \n1,2\n", "column 'prediction: ' must name an output after the colon"),
        ("prediction:q,prediction: q\n1,2\n", "two columns describe the output 'q'"),
        ("day\n2026-01-01\n", "no column is left to test: column 'day' holds dates"),
        ("a,colour\n1,\n2,NA\n", "column 'colour' has no value in any row"),
    ],
)
def test_bad_columns(tmp_path: Path, text: str, sentence: str) -> None:
    """What cannot serve as reference is refused with a sentence."""
    path = write(tmp_path, text)
    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: {sentence}")):
        load_reference(path, 0.0)


def test_columns_that_are_left_out_keep_their_place(tmp_path: Path) -> None:
    """Rows are matched by position too, so that a date counts as a column."""
    reference = load_reference(write(tmp_path, "a,day,b\n1,2026-01-01,3\n"), 0.0)

    assert ("a", "day", "b") == reference.columns
    assert (NUMERIC, IGNORED, NUMERIC) == reference.kinds


def test_nothing_is_tested_where_all_inputs_are_left_out(tmp_path: Path) -> None:
    """Inputs without one that can be tested are as no inputs."""
    reference = load_reference(write(tmp_path, "day,prediction:q\n2026-01-01,3\n"), 0.0)

    assert ((), ("q",)) == (reference.features, reference.prediction_columns)


def notes(folder: Path, text: str) -> tuple[str, ...]:
    """The notes of a file."""
    return load_reference(write(folder, text), 0.0).notes


def test_notes_on_redundant_columns(tmp_path: Path) -> None:
    """There are notes on dates, constants and copies; constants are not copies of each other."""
    text = "a,b,c,d,day\n1,7,7,1,2026-01-01\n2,7,7,2,2026-01-02\n"

    assert (
        "column 'day' holds dates: it is left out, since a date is always new",
        "column 'b' is constant",
        "column 'c' is constant",
        "column 'd' equals column 'a'",
    ) == notes(tmp_path, text)


def test_columns_that_differ_in_what_is_missing_are_no_copies(tmp_path: Path) -> None:
    """A missing value is a difference, and two columns that miss the same are equal."""
    assert ("column 'c' equals column 'a'",) == notes(tmp_path, "a,b,c\n1,1,1\n,2,\n2,2,2\n")


def test_notes_are_bounded(tmp_path: Path) -> None:
    """Beyond twenty sentences there is only a number."""
    reported = notes(tmp_path, ",".join(f"f{i}" for i in range(25)) + "\n" + ",".join("7" * 25) + "\n")

    assert (21, "column 'f0' is constant") == (len(reported), reported[0])
    assert reported[-1] == "as much can be said of 5 more columns: left out, constant or equal to another"


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ([f"u{i}" for i in range(999)], CATEGORICAL),
        ([f"u{i}" for i in range(1000)], IGNORED),
        ([f"u{i % 501}" for i in range(1000)], IGNORED),
        ([f"u{i % 500}" for i in range(1000)], CATEGORICAL),
        ([f"u{i % 10_000}" for i in range(20_000)], CATEGORICAL),
        ([f"u{i % 10_001}" for i in range(30_000)], IGNORED),
    ],
    ids=["few-rows", "all-new", "over-half", "half", "many", "too-many"],
)
def test_identifiers_are_left_out(tmp_path: Path, texts: Sequence[str], kind: FeatureKind) -> None:
    """Text that names rows is left out: over 10,000 different, or over half of 1,000 rows and more."""
    path = tmp_path / "a.npz"
    np.savez(path, allow_pickle=False, user=np.array(texts), n=np.arange(len(texts)))
    reference = load_reference(path, 0.0)

    assert (kind, NUMERIC) == reference.kinds
    reported = f"column 'user' holds {len(set(texts))} different texts in {len(texts)} rows, as identifiers do: "
    assert (() if kind is CATEGORICAL else (f"{reported}it is left out",)) == reference.notes


def test_schema_differs_by_names_kinds_and_order() -> None:
    """Another order, another name, another split of the same letters or another kind is another schema."""
    lists = (["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""], ["a,b"])
    hashes = {schema_hash(columns, [kind] * len(columns)) for columns in lists for kind in FeatureKind}

    assert 15 == len(hashes)
    assert {16} == {len(one) for one in hashes}
