"""The command `reference show`: what a person and a program read of a reference."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftgauge.cli.reference_files import DEFAULT_BUDGET, DEFAULT_WINDOW_ROWS, run_show
from driftgauge.config.load import load
from driftgauge.drift.budget import Budget
from driftgauge.reference.files import read_table
from driftgauge.reference.formats.driftgauge_npz import packed
from driftgauge.reference.sample import SampleSpec, draw_sample
from driftgauge.reference.table import Origin

TEXT = "a,colour,day,prediction:quality\n3,red,2026-01-01,5\n1,red,2026-01-02,5\n,white,2026-01-03,5\n2,,2026-01-04,5\n"


def write(folder: Path, text: str = TEXT) -> Path:
    """A CSV file."""
    path = folder / "a.csv"
    path.write_text(text)
    return path


def show(path: Path, output_format: str = "table") -> tuple[int, str, str]:
    """Exit code, output and faults."""
    out, err = io.StringIO(), io.StringIO()
    code = run_show(path, "json" if output_format == "json" else "table", out, err)
    return code, out.getvalue(), err.getvalue()


def test_a_program_reads_every_column(tmp_path: Path) -> None:
    """Kind, missing and distinct values of each, the places of numbers, the shares of categories."""
    path = write(tmp_path)
    code, out, err = show(path, "json")

    assert (0, "") == (code, err)
    assert json.loads(out) == {
        "path": str(path),
        "sha256": read_table(path).digest,
        "rows": 4,
        "origin": None,
        "sampling_error": 0.0,
        "rows_needed": 1156,
        "ordered": False,
        "first_time": None,
        "last_time": None,
        "features": [
            {
                "name": "a",
                "kind": "numeric",
                "missing": 1,
                "distinct": 3,
                "least": 1.0,
                "median": 2.0,
                "greatest": 3.0,
                "rows_to_detect": None,
            },
            {
                "name": "colour",
                "kind": "categorical",
                "missing": 1,
                "distinct": 2,
                "categories": [{"category": "red", "share": 2 / 3}, {"category": "white", "share": 1 / 3}],
            },
            {"name": "day", "kind": "ignored"},
        ],
        "predictions": [
            {
                "name": "quality",
                "kind": "numeric",
                "missing": 0,
                "distinct": 1,
                "least": 5.0,
                "median": 5.0,
                "greatest": 5.0,
                "rows_to_detect": None,
            }
        ],
        "labels": [],
        "missing_words": [],
        "notes": [
            "column 'day' holds dates: it is left out, since a date is always new",
            "column 'prediction:quality' is constant",
        ],
        "warnings": [],
    }


def test_a_person_reads_a_table(tmp_path: Path) -> None:
    """One line for each column, then the file, then the notes."""
    path = write(tmp_path)
    code, out, _ = show(path)
    words = [line.split() for line in out.splitlines() if line.strip()]

    assert 0 == code
    assert ["a", "numeric", "1", "3", "1", "2", "3"] in words
    assert ["colour", "categorical", "1", "2", "red", "66.7%,", "white", "33.3%"] in words
    assert ["day", "ignored", "left", "out"] in words
    assert ["prediction:quality", "numeric", "0", "1", "5", "5", "5"] in words
    assert f"{path}: 4 rows, sha256 {read_table(path).digest}" in out
    assert "note: column 'prediction:quality' is constant\n" in out


def test_a_person_reads_how_soon_a_shift_is_found(tmp_path: Path) -> None:
    """The line is left out where the reference is too small for any shift of half a standard deviation."""
    numbers = np.random.default_rng(1).standard_normal(5_000).round(6).astype(str)
    sentence = "with this reference, default options and independent rows a shift of half a standard deviation is found"
    path = write(tmp_path, "\n".join(["a", *numbers]))

    assert f"\n{sentence} after about " in show(path)[1]
    assert sentence not in show(write(tmp_path))[1]


def test_of_many_categories_the_first_are_shown(tmp_path: Path) -> None:
    """Five, the most frequent ones first."""
    texts = "".join(f"{letter}\n" * (9 - place) for place, letter in enumerate("abcdefg"))
    _, out, _ = show(write(tmp_path, f"x\n{texts}"))

    assert "a 21.4%, b 19.0%, c 16.7%, d 14.3%, e 11.9%, ..." in out


def test_a_sample_says_its_error(tmp_path: Path) -> None:
    """The error of the draw, rounded to the safe side; a file that was kept whole has none."""
    training = write(tmp_path, "a\n" + "".join(f"{number}\n" for number in range(1000)))
    path = tmp_path / "a.npz"
    digest = read_table(training).digest[:12]
    path.write_bytes(packed(draw_sample(training, SampleSpec(rows=500, seed=2))))
    reported = show(path)[1]
    path.write_bytes(packed(draw_sample(training, SampleSpec())))

    assert f"a sample of the 1000 rows of a.csv (sha256 {digest}), seed 2\n" in reported
    assert "sampling error, with 99 % confidence: each column is within D = 0.0728 of the whole file's\n" in reported
    assert f"all rows of a.csv (sha256 {digest})\n" in show(path)[1]


def test_an_origin_without_a_file(tmp_path: Path) -> None:
    """A window has no hash of its own."""
    path = tmp_path / "a.npz"
    table = draw_sample(write(tmp_path, "a\n1\n2\n"), SampleSpec())
    origin = Origin("the window of prod/wine", "", 2, 0, "1.0")
    path.write_bytes(packed(replace(table, origin=origin)))

    assert "all rows of the window of prod/wine\n" in show(path)[1]
    assert json.loads(show(path, "json")[1])["origin"]["sha256"] is None


def test_names_are_plain_text(tmp_path: Path) -> None:
    """A name is untrusted: it may look like markup, or hold control characters."""
    path = tmp_path / "a.npz"
    np.savez(path, allow_pickle=False, data=np.eye(2), columns=np.array(["[bold]x", "\x1b[2J"]))
    out = show(path)[1]

    assert "[bold]x" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("output_format", ["table", "json"])
def test_a_file_that_cannot_serve(tmp_path: Path, output_format: str) -> None:
    """Exit code 2 and one sentence."""
    path = tmp_path / "none.csv"

    assert (2, "", f"{path}: there is no such file\n") == show(path, output_format)


def test_a_reference_that_is_small_for_the_budget_says_what_it_needs(tmp_path: Path) -> None:
    """The sidecar's default options ask for so many rows; one that has them says nothing."""
    path = tmp_path / "wine.csv"
    path.write_text("alcohol\n" + "9.5\n9.8\n" * 10)
    _, few, _ = show(path, "table")
    path.write_text("alcohol\n" + "9.5\n9.8\n" * 1_000)
    _, enough, _ = show(path, "table")

    assert "one false alarm in 30 days asks for 1115 rows: with 20 at best large changes can be seen" in few
    assert "one false alarm" not in enough


def test_the_budget_of_show_is_that_of_the_default_options() -> None:
    """What it says a reference needs is what a running sidecar asks for."""
    options = load("logger", {}, (), None)
    budget = Budget(options.false_alarm_interval, options.evaluation_interval_seconds, options.drift_tolerance)

    assert (budget, options.window_rows) == (DEFAULT_BUDGET, DEFAULT_WINDOW_ROWS)
