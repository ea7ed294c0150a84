"""Missing cells: empty ones, words among numbers, and words that are set, alike in references, windows and requests."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import driftgauge
from driftgauge.cli.main import run
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import PayloadError, ReferenceDataError
from driftgauge.features.inputs import extract
from driftgauge.features.predictions import extract_predictions
from driftgauge.inference.payload import Kind
from driftgauge.offline.data import as_table
from driftgauge.protocol.category import code
from driftgauge.protocol.missing_words import blank_categories, blank_numbers, is_missing_number, split_words
from driftgauge.reference.column import ColumnRules
from driftgauge.reference.dataset import load_reference, prepare, schema_hash
from driftgauge.reference.files import parse_table, read_table
from driftgauge.reference.formats.driftgauge_npz import packed
from driftgauge.reference.store import ReferenceStore
from driftgauge.reference.table import Table
from tests.support.models import WINE
from tests.support.payloads import as_json, read

NAN = float("nan")
NUMERIC, CATEGORICAL, _ = FeatureKind
UNKNOWN = ColumnRules(missing_words=frozenset({"unknown", "-999"}))


@pytest.mark.parametrize("text", ["", " ", "NA", "na", " NA ", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "None"])
def test_words_among_numbers(text: str) -> None:
    """The usual words, in any case, mean a missing number."""
    assert is_missing_number(text)


@pytest.mark.parametrize("text", ["0", "red", "unknown", "-", "NA.", "nanx", "."])
def test_other_texts_among_numbers(text: str) -> None:
    """Any other text is a fault of the data."""
    assert not is_missing_number(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", set()),
        ("NA", {"NA"}),
        ("NA, unknown,-999", {"NA", "unknown", "-999"}),
        ('"a,b"," x"', {"a,b", " x"}),
        ("a,,a", {"a"}),
    ],
)
def test_lists_of_words(text: str, words: set[str]) -> None:
    """Between commas; quotes keep a comma or a space."""
    assert words == split_words(text)


def test_words_that_are_numbers() -> None:
    """A word stands for the number, and as a category for the number's text."""
    words = frozenset({"-999", "1e3", "x", "inf", "1_0", "3.0"})

    np.testing.assert_array_equal([NAN, NAN, 10.0, NAN], blank_numbers(np.array([-999.0, 1000.0, 10.0, 3.0]), words))
    found = blank_categories(np.array([code("x"), code("3"), code("1000")]), words)
    np.testing.assert_array_equal([NAN, NAN, code("1000")], found)


def test_a_file_with_missing_words(tmp_path: Path) -> None:
    """The words are missing in numbers and in categories; case and spaces count."""
    path = tmp_path / "a.csv"
    path.write_text("n,c\n1,red\nunknown,unknown\n-999.0,Unknown\n4, unknown\n")
    table = read_table(path, UNKNOWN)

    np.testing.assert_array_equal([1, NAN, NAN, 4], table.values[:, 0])
    np.testing.assert_array_equal([code("red"), NAN, code("Unknown"), code(" unknown")], table.values[:, 1])
    with pytest.raises(ReferenceDataError, match="line 3, column 'n': 'unknown' is not a number"):
        read_table(path)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1, "NA", None, "unknown", -999], [1, NAN, NAN, NAN, NAN]),
        (["NA", 2.5, " "], [NAN, 2.5, NAN]),
        (np.array([1, -999, 3]), [1, NAN, 3]),
        (np.array(["unknown", None, True], dtype=object), [NAN, NAN, 1]),
    ],
)
def test_numbers_in_memory(column: Any, expected: list[float]) -> None:  # noqa: ANN401 - any column
    """A text beside numbers may only be a missing word."""
    table = as_table({"a": column}, "window", UNKNOWN)

    assert (NUMERIC,) == table.kinds
    np.testing.assert_array_equal(expected, table.values[:, 0])


def test_dates_with_a_missing_word(tmp_path: Path) -> None:
    """The word does not make categories of dates."""
    path = tmp_path / "a.csv"
    path.write_text("n,day\n" + "1,2024-01-31\n" * 8 + "1,unknown\n" * 4)

    assert "day" in read_table(path, UNKNOWN).left_out
    assert "day" not in read_table(path).left_out


def test_requests_are_read_by_the_words_of_the_reference() -> None:
    """Numbers and text, by name and by position; without the words they are a category and a fault."""
    rows = as_json({"instances": [{"n": 1, "c": "red"}, {"n": "unknown", "c": "unknown"}, {"n": -999, "c": -999}]})
    kinds = [NUMERIC, CATEGORICAL]
    found = extract(read(rows), ["n", "c"], kinds, missing_words=UNKNOWN.missing_words)

    np.testing.assert_array_equal([[1, code("red")], [NAN, NAN], [NAN, NAN]], found)
    with pytest.raises(PayloadError, match="Column 'n' holds text"):
        extract(read(rows), ["n", "c"], kinds)
    plain = extract(
        read(as_json({"instances": [[1.5, -999.0]]})), ["n", "c"], kinds, missing_words=UNKNOWN.missing_words
    )
    np.testing.assert_array_equal([[1.5, NAN]], plain)


@pytest.mark.parametrize("word", ["NaN", "NA", "", "null", " n/a "])
def test_a_missing_number_as_text_in_a_request(word: str) -> None:
    """Some clients cannot write NaN in JSON otherwise. In a column of categories the word is a category."""
    rows = read(as_json({"instances": [[word, "NaN"], [2, "red"]]}))

    np.testing.assert_array_equal(
        [[NAN, code("NaN")], [2, code("red")]], extract(rows, ["n", "c"], [NUMERIC, CATEGORICAL])
    )


def test_responses_are_read_by_the_words_of_the_reference() -> None:
    """Like requests."""
    body = read(as_json({"predictions": [[1, "unknown"], ["NaN", "red"]]}), Kind.RESPONSE)
    columns = ["prediction_0", "prediction_1"]
    found = extract_predictions(body, columns, [NUMERIC, CATEGORICAL], UNKNOWN.missing_words)

    np.testing.assert_array_equal([[1, NAN], [NAN, code("red")]], found)


def test_the_reference_keeps_its_words(tmp_path: Path) -> None:
    """In the file that is built and in a captured window; those of the process are added."""
    (tmp_path / "a.csv").write_text("n,c\n1,red\nunknown,NA\n")
    built = packed(read_table(tmp_path / "a.csv", UNKNOWN))
    window = packed(Table(Path("window"), ("n",), (NUMERIC,), np.ones((2, 1)), missing_words=UNKNOWN.missing_words))
    tables = [parse_table(Path("a.npz"), content) for content in (built, window)]
    more = parse_table(Path("a.npz"), built, ColumnRules(missing_words=frozenset({"NA"})))

    assert [UNKNOWN.missing_words] * 2 == [prepare(table, 0.0).missing_words for table in tables]
    assert UNKNOWN.missing_words | {"NA"} == more.missing_words
    np.testing.assert_array_equal([[1, code("red")], [NAN, NAN]], more.values)


def test_a_running_process_reads_its_references_by_the_words(tmp_path: Path) -> None:
    """Rows that were read with other words belong to another window."""
    (tmp_path / "wine.csv").write_text("n,c\n1,red\n2,unknown\n")
    references = [ReferenceStore(None, tmp_path, rules) for rules in (ColumnRules(), UNKNOWN)]
    for store in references:
        store.refresh(0.0)
    plain, with_words = (store.get(WINE) for store in references)

    assert plain is not None
    assert with_words is not None
    assert [0, 1] == [reference.features[1].missing for reference in (plain, with_words)]
    assert schema_hash(["n", "c"], [NUMERIC, CATEGORICAL]) == plain.schema != with_words.schema


def test_texts_that_may_be_meant_otherwise_are_noted(tmp_path: Path) -> None:
    """A category that looks missing, spaces at the ends of a category and of a name."""
    (tmp_path / "a.csv").write_text("country, sector\nNA, Private\nDE,Public\n")
    notes = load_reference(tmp_path / "a.csv", 0.0).notes

    assert (
        "a space begins or ends the name of ' sector': it is part of the name",
        "a space begins or ends categories of column ' sector', such as ' Private'",
        "column 'country' has the category 'NA': if it is a missing value, name it in missing_words",
    ) == notes


def test_many_spaces_are_one_note(tmp_path: Path) -> None:
    """Spaces after the commas of a CSV file concern every column but the first."""
    (tmp_path / "a.csv").write_text("a, b, c\nx, y, z\nx, v, z \n")
    notes = load_reference(tmp_path / "a.csv", 0.0).notes

    assert "a space begins or ends the name of ' b' and 1 more: it is part of the name" in notes
    assert any(
        note.startswith("a space begins or ends categories of column ' b' and 1 more, such as ' ") for note in notes
    )


def test_the_flag_of_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both files are read by the words, and a window by those of the reference."""
    lines = "".join(f"{number},{'red' if number % 2 else 'unknown'}\n" for number in range(100))
    (tmp_path / "a.csv").write_text(f"n,c\n{lines}")
    (tmp_path / "b.csv").write_text(f"n,c\n{lines.replace('unknown', '')}")
    files = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    built = str(tmp_path / "a.npz")

    assert 1 == run(["check", *files])
    assert 0 == run(["check", *files, "--missing-words", "unknown"])
    assert 0 == run(["reference", "build", files[0], "-o", built, "--missing-words", "unknown"])
    assert 0 == run(["check", built, files[0]])
    capsys.readouterr()
    assert 0 == run(["reference", "show", files[0], "--missing-words", "unknown"])
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["c", "categorical", "50", "1", "red", "100.0%"] in shown
    assert ["missing", "words:", "'unknown'"] in shown
    assert 0 == run(["reference", "show", built, "--format", "json"])
    assert ["unknown"] == json.loads(capsys.readouterr().out)["missing_words"]


def test_the_argument_of_the_python_functions() -> None:
    """`check`, `read_reference` and `build_reference` take the words; a reference keeps its own."""
    data = {"c": ["red", "unknown"] * 50}
    clean = {"c": ["red", None] * 50}
    references = [
        read_or_build(data, missing_words="unknown")
        for read_or_build in (driftgauge.read_reference, driftgauge.build_reference)
    ]

    assert driftgauge.check(data, clean).drift
    assert not driftgauge.check(data, clean, missing_words=["unknown"]).drift
    assert [False] * 2 == [driftgauge.check(reference, data).drift for reference in references]
    assert not driftgauge.check(references[0], data, missing_words=["unknown"]).drift
    with pytest.raises(ReferenceDataError, match="missing_words: the Reference has been read without them"):
        driftgauge.check(references[0], data, missing_words=["red"])
    with pytest.raises(ReferenceDataError, match="missing_words: must be texts"):
        driftgauge.check(data, clean, missing_words=[1])  # type: ignore[list-item]
