"""The check command: its verdicts and exit codes, compared with `ks_2samp`."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from driftgauge.cli.main import run
from driftgauge.cli.report_file import OutputFormat
from driftgauge.config.options import ProxyConfig
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.offline.report import FEW_ROWS
from tests.support.checked_files import COLUMNS, check, csv, sample

Floats = NDArray[np.float64]


def test_unforeseen_failure_is_no_drift(reference: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that no system call accepts gives one sentence and exit code 2, since 1 means drift."""
    code = run(["check", str(reference), "window\0.csv"])

    assert code == 2
    assert (
        f"driftgauge: check: cannot test window\0.csv against {reference}: ValueError: embedded null byte\n"
        == capsys.readouterr().err
    )


def test_no_drift(reference: Path, tmp_path: Path) -> None:
    """A window like the reference exits 0 and says so."""
    window = csv(tmp_path / "window.csv", COLUMNS, sample(2))
    code, out, err = check(reference, window)

    assert (0, "") == (code, err)
    assert out.endswith(
        f"No drift in 3 features (alpha 0.05, correction holm): {window} (400 rows) against {reference} (400 rows).\n"
    )


def test_drift(reference: Path, tmp_path: Path) -> None:
    """A shifted feature exits 1 and is listed first, since its distance is the largest."""
    window = csv(tmp_path / "window.csv", COLUMNS, sample(2, shift=0.5))
    code, out, _ = check(reference, window)
    lines = [line.split() for line in out.splitlines() if line.strip()]
    titles, _, first = lines[:3]
    last = lines[-2]

    assert 1 == code
    assert ["feature", "test", "D", "threshold", "p-value", "PSI", "rows", "missing", "verdict"] == titles
    assert ("alcohol", "ks", "400", "0", "drift") == (*first[:2], *first[-3:])
    assert ["alcohol:", "Drift:"] == last[:2]
    assert "Drift in 1 of 3 features (alpha 0.05, correction holm)" in out


def test_same_file(reference: Path) -> None:
    """A file has no distance from itself."""
    code, out, _ = check(reference, reference, output_format="json")

    assert 0 == code
    assert [0.0, 0.0, 0.0] == [feature["statistic"] for feature in json.loads(out)["features"]]


def test_columns_are_matched_by_name(reference: Path, tmp_path: Path) -> None:
    """Another order and further columns change nothing but a note."""
    rows = np.column_stack([np.zeros(400), sample(2)[:, ::-1]])
    window = csv(tmp_path / "w.csv", ("id", *COLUMNS[::-1]), rows)
    plain = csv(tmp_path / "p.csv", COLUMNS, sample(2))
    code, out, err = check(reference, window, output_format="json")

    assert json.loads(check(reference, plain, output_format="json")[1])["features"] == json.loads(out)["features"]
    assert 0 == code
    assert err == f"note: {window}: columns that the reference does not have are left out: 'id'\n"


def test_missing_columns(reference: Path, tmp_path: Path) -> None:
    """Columns that the window lacks are named, and the exit code is 2."""
    window = csv(tmp_path / "w.csv", COLUMNS[:1], sample(2)[:, :1])
    sentence = f"{window}: column 'sugar' of {reference} is missing, and 1 more\n"

    assert (2, "", sentence) == check(reference, window)


def test_matrices_are_matched_by_position(reference: Path, tmp_path: Path) -> None:
    """A matrix without names is compared column by column."""
    window = tmp_path / "w.npz"
    np.savez(window, sample(2, shift=0.5))
    code, out, err = check(reference, window, output_format="json")

    assert (1, "", [False, False, True]) == (code, err, [one["drift"] for one in json.loads(out)["features"]])


def test_matrix_of_another_width(reference: Path, tmp_path: Path) -> None:
    """A matrix without names must be as wide as the reference."""
    window = tmp_path / "w.npz"
    np.savez(window, sample(2)[:, :2])
    sentence = f"{window}: it has 2 columns, {reference} has 3, and without names they must be as many\n"

    assert (2, "", sentence) == check(reference, window)


@pytest.mark.parametrize("swapped", [False, True])
def test_bad_file(reference: Path, tmp_path: Path, swapped: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A file that cannot be used, on either side, is named and exits 2."""
    bad = tmp_path / "no.csv"
    pair = (bad, reference) if swapped else (reference, bad)

    assert (2, "", f"{bad}: there is no such file\n") == check(*pair)


def test_too_few_rows(reference: Path, tmp_path: Path) -> None:
    """With fewer rows than asked for there is no verdict: exit 2, and a line that says why."""
    window = csv(tmp_path / "w.csv", COLUMNS, sample(2, rows=30))
    code, out, err = check(reference, window, Rule(alpha=0.05, correction=Correction.HOLM, min_rows=31))

    assert 2 == code
    assert out == (
        "acidity, sugar, alcohol: cannot tell: the window has 30 rows, 31 are needed\n"
        f"Cannot tell for 3 of 3 features: {window} (30 rows) against {reference} (400 rows).\n"
    )
    assert err == f"note: {window}: 30 rows, under 200 only large changes can be seen\n"


def test_feature_without_values(reference: Path, tmp_path: Path) -> None:
    """A feature that is missing in every row has drifted, and its change is a schema break."""
    rows = sample(2)
    rows[:, 0] = np.nan
    code, out, _ = check(reference, csv(tmp_path / "w.csv", COLUMNS, rows))

    assert 1 == code
    assert "acidity missing 1.0000" in re.sub(" +", " ", out)
    assert "acidity: Schema break: " in out


def test_feature_with_few_values_is_tested_by_those_that_it_lacks(tmp_path: Path) -> None:
    """With too few values for a distance, the share of missing ones is shown, but it says nothing about the values."""
    rows = sample(2)
    rows[9:, 0] = np.nan
    window = csv(tmp_path / "w.csv", COLUMNS, rows)
    few = csv(tmp_path / "r.csv", COLUMNS, rows)
    code, out, err = check(few, window, Rule(alpha=0.05, correction=Correction.HOLM, min_rows=10))

    assert (2, "") == (code, err)
    assert "acidity missing 0.0000 inf 1 0.000 9 391 cannot tell" in re.sub(" +", " ", out)
    assert "acidity: cannot tell: the window has 9 values, 10 are needed\n" in out
    assert "Cannot tell for 1 of 3 features, no drift in 2 (alpha 0.05, correction holm): " in out


def test_missing_values_that_are_new_have_a_line_of_their_own(reference: Path, tmp_path: Path) -> None:
    """The distance does not alarm, the missing values do: both are shown, and the verdict is drift."""
    rows = sample(1)
    rows[::2, 0] = np.nan
    code, out, _ = check(reference, csv(tmp_path / "w.csv", COLUMNS, rows))
    lines = [line.split() for line in out.splitlines() if line.split()[:1] == ["acidity"]]

    assert 1 == code
    assert [("ks", "ok"), ("missing", "drift")] == [(line[1], line[-1]) for line in lines]


@pytest.fixture
def wines(tmp_path: Path) -> Path:
    """A reference of a number, a category and a date."""
    lines = [f"{place % 50},{('red', 'white', 'red')[place % 3]},2026-01-{1 + place % 28:02d}" for place in range(600)]
    path = tmp_path / "wines.csv"
    path.write_text("\n".join(["age,colour,bottled", *lines]) + "\n")
    return path


def test_categories_are_tested(wines: Path, tmp_path: Path) -> None:
    """A changed share is drift, tested by total variation; a column of dates is left out with a note."""
    window = tmp_path / "w.csv"
    window.write_text(wines.read_text().replace("red", "white", 200))
    code, out, err = check(wines, window, output_format="json")
    tree = json.loads(out)

    assert 1 == code
    assert [("age", "ks", False), ("colour", "tv", True)] == [
        (one["feature"], one["test"], one["drift"]) for one in tree["features"]
    ]
    assert 1 / 3 == pytest.approx(tree["features"][1]["statistic"])
    assert ["bottled"] == tree["ignored"]
    assert err == f"note: {wines}: column 'bottled' holds dates: it is left out, since a date is always new\n"
    assert [err.removeprefix("note: ").strip()] == tree["notes"]


def test_a_change_of_unit_is_explained(tmp_path: Path) -> None:
    """The verdict in the table and the explanation below it say scale break."""
    rows = sample(1) + 40
    first = csv(tmp_path / "r.csv", COLUMNS, rows)
    rows[:, 1] *= 2.54
    _, out, _ = check(first, csv(tmp_path / "w.csv", COLUMNS, rows))

    assert re.search(r"sugar .* scale *\n", out)
    assert "sugar: Scale break: " in out
    assert "2.54" in out


def test_prices_that_double_are_drift(tmp_path: Path) -> None:
    """The table and the explanation below it name no unit and no number that was not measured."""
    prices = np.exp(sample(1) + 3)
    first = csv(tmp_path / "r.csv", COLUMNS, prices)
    prices = np.exp(sample(2) + 3)
    prices[:, 1] *= 2
    _, out, _ = check(first, csv(tmp_path / "w.csv", COLUMNS, prices))

    assert re.search(r"sugar .* drift *\n", out)
    assert "unit" not in out


@pytest.mark.parametrize("threshold", [0.05, 0.3])
@pytest.mark.parametrize("seed", range(10))
def test_agrees_with_a_loop_over_ks_2samp(tmp_path: Path, seed: int, threshold: float) -> None:
    """Without correction, statistics, p-values and verdicts are those of `ks_2samp` on each column."""
    first, second = sample(seed, rows=150), sample(seed + 100, rows=120, shift=0.17).round(1)
    pair = csv(tmp_path / "a.csv", COLUMNS, first), csv(tmp_path / "b.csv", COLUMNS, second)
    rule = Rule(alpha=threshold, correction=Correction.NONE, min_rows=1)
    features = json.loads(check(*pair, rule, "json")[1])["features"]
    results = [ks_2samp(first[:, column], second[:, column]) for column in range(3)]

    assert [bool(one.pvalue < threshold) for one in results] == [feature["drift"] for feature in features]
    assert [one.pvalue for one in results] == pytest.approx([feature["p_value"] for feature in features], rel=1e-12)
    assert [one.statistic for one in results] == pytest.approx([one["statistic"] for one in features], abs=1e-12)


def test_few_rows_are_fewer_than_the_monitor_asks_for() -> None:
    """A note is given under the default of the option `min_rows`."""
    assert FEW_ROWS == ProxyConfig.model_fields["min_rows"].default


@pytest.mark.parametrize("output_format", ["table", "json", "html"])
def test_one_row_is_no_sign_that_nothing_has_changed(
    reference: Path, tmp_path: Path, output_format: OutputFormat
) -> None:
    """Exit 2, and every format says so."""
    window = csv(tmp_path / "one.csv", COLUMNS, np.zeros((1, 3)))
    code, out, _ = check(reference, window, output_format=output_format)

    assert code == 2
    assert ('"state": "cannot_tell"' if output_format == "json" else "cannot tell") in out.lower()
    assert "the window has 1 row, 2 are needed" in out
    assert "No drift" not in out


def test_a_feature_without_a_verdict_is_no_success(tmp_path: Path) -> None:
    """Two features without drift, one with a single value: exit 2, and the feature is named."""
    rows = sample(2)
    rows[1:, 1] = np.nan
    few = csv(tmp_path / "few.csv", COLUMNS, rows)
    code, out, _ = check(few, csv(tmp_path / "w.csv", COLUMNS, rows))

    assert code == 2
    assert "sugar: cannot tell: the window has 1 value, 2 are needed\n" in out
    assert "Cannot tell for 1 of 3 features, no drift in 2 (alpha 0.05, correction holm): " in out


def test_drift_is_found_although_another_feature_has_no_verdict(tmp_path: Path) -> None:
    """Exit 1, and the other feature is named."""
    old, new = sample(1), sample(2, shift=0.5)
    old[1:, 1], new[1:, 1] = np.nan, np.nan
    code, out, _ = check(csv(tmp_path / "old.csv", COLUMNS, old), csv(tmp_path / "new.csv", COLUMNS, new))

    assert code == 1
    assert "sugar: cannot tell: the window has 1 value, 2 are needed\n" in out
    assert "Drift in 1 of 3 features, cannot tell for 1 (alpha 0.05, correction holm): " in out


@pytest.mark.parametrize(("rows", "code"), [("1", 0), ("400", 0), ("401", 2), ("0", 2)])
def test_least_rows_are_an_option(reference: Path, rows: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A feature with fewer values has no verdict, as with `min_rows` in Python."""
    assert code == run(["check", str(reference), str(reference), "--min-rows", rows])
    assert ("min_rows: must be at least 1" in capsys.readouterr().err) == (rows == "0")
