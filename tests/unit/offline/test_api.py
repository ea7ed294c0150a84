"""The Python functions: the same results from every form of data."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp

import driftgauge
from driftgauge.cli.main import run
from driftgauge.drift.result import CannotTellReason, VerdictState
from tests.support.samples import COLUMNS, Floats, by_name, csv, sample


def structured(values: Floats) -> NDArray[Any]:
    """A structured array."""
    rows = [tuple(row) for row in values.tolist()]
    return np.array(rows, dtype=[(name, np.float64) for name in COLUMNS])


class Interchange:
    """A DataFrame that has the interchange protocol alone.

    Args:
        frame: The DataFrame whose protocol it is.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def __dataframe__(self) -> object:
        """The protocol's object."""
        return self._frame.__dataframe__()


FORMS = {
    "mapping": by_name,
    "pandas": lambda values: pd.DataFrame(by_name(values)),
    "polars": lambda values: pl.DataFrame(by_name(values)),
    "pyarrow": lambda values: pa.table(by_name(values)),
    "structured": structured,
}
"""Forms of data with names."""


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_data_gives_the_report_of_the_command(form: Any, tmp_path: Path, capsys: Any) -> None:  # noqa: ANN401 - six forms
    """Features and verdict are those that `driftgauge check --format json` prints for files."""
    paths = csv(tmp_path / "a.csv", sample(1)), csv(tmp_path / "b.csv", sample(2, 0.5))
    code = run(["check", *map(str, paths), "--format", "json"])
    printed = json.loads(capsys.readouterr().out)
    report = driftgauge.check(form(sample(1)), form(sample(2, 0.5)))

    assert (1, True) == (code, report.drift)
    assert list(printed) == list(report.to_dict())
    for key in ("rule", "drift", "drifted_features", "features", "untested", "ignored", "notes"):
        assert printed[key] == report.to_dict()[key]
    assert printed == driftgauge.check(*paths).to_dict()


def test_a_matrix_is_matched_by_position() -> None:
    """Its features are named by position, and its p-values are those of `ks_2samp`."""
    first, second = sample(1), sample(2, 0.5)
    report = driftgauge.check(first, second, correction="none")

    assert ["feature_0", "feature_1", "feature_2"] == [one.feature for one in report.features]
    assert [ks_2samp(first[:, i], second[:, i]).pvalue for i in range(3)] == pytest.approx(
        [one.distance.p_value for one in report.features], rel=1e-12
    )


def test_an_array_of_one_axis_is_one_feature() -> None:
    """It is tested like a matrix of one column."""
    assert ["feature_0"] == [one.feature for one in driftgauge.check(sample(1)[:, 0], sample(2)[:, 0]).features]


def test_a_reference_is_tested_against_like_its_data() -> None:
    """`read_reference` first gives the same features."""
    data, window = pd.DataFrame(by_name(sample(1))), pd.DataFrame(by_name(sample(2, 0.5)))
    reference = driftgauge.read_reference(data)

    assert driftgauge.check(data, window).to_dict() == driftgauge.check(reference, window).to_dict()
    assert (
        driftgauge.check(sample(1), sample(2)).drift
        == driftgauge.check(driftgauge.read_reference(sample(1)), sample(2)).drift
    )


def test_a_matrix_against_a_reference_with_predictions_holds_the_inputs() -> None:
    """A reference does not keep how inputs and predictions are mixed, so a matrix of both is refused."""
    reference = driftgauge.read_reference({"prediction:quality": sample(3)[:, 0], **by_name(sample(1))})

    assert [False, False, True] == [one.drift for one in driftgauge.check(reference, sample(2, 0.5)).features]
    with pytest.raises(driftgauge.ReferenceDataError, match="window: it has 4 columns"):
        driftgauge.check(reference, np.zeros((9, 4)))


def test_a_window_in_csv_has_the_kinds_of_a_reference(tmp_path: Path) -> None:
    """Digits in a column of categories are categories, in predictions too."""
    path = tmp_path / "window.csv"
    path.write_text("zip,prediction:class\n" + "1,2\n3,4\n" * 100)
    reference = driftgauge.read_reference({"zip": ["1", "3"] * 100, "prediction:class": ["2", "4"] * 100})
    report = driftgauge.check(reference, path)

    assert [("tv", 0.0)] * 2 == [(one.distance.test, one.distance.statistic) for one in report.features]


@pytest.mark.parametrize("correction", ["holm", "bh", "bonferroni", "none"])
@pytest.mark.parametrize("seed", range(5))
def test_the_verdict_changes_at_the_threshold(seed: int, correction: str) -> None:
    """A feature drifts exactly if its statistic reaches its threshold, near alpha and with ties too."""
    first, second = sample(seed + 50, rows=140).round(1), sample(seed, 0.19, rows=170).round(1)
    tests = [one.distance for one in driftgauge.check(first, second, correction=correction).features]

    assert [test.statistic >= test.threshold for test in tests] == [test.drift for test in tests]


@pytest.mark.parametrize("alpha", [0.05, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_without_correction_it_is_check_drift(seed: int, alpha: float) -> None:
    """For numbers, statistic, p-value and verdict are those of `check_drift`, exactly."""
    first, second = sample(seed, rows=150), sample(seed + 100, 0.17, rows=120).round(1)
    report = driftgauge.check(first, second, alpha=alpha, correction="none")
    results = {
        one.feature: {
            "statistic": one.distance.statistic,
            "p_value": one.distance.p_value,
            "drift_detected": one.drift,
        }
        for one in report.features
    }

    assert driftgauge.check_drift(first, second, alpha) == results


def test_missing_values_are_left_out() -> None:
    """The distance is that of the values that are present; the share of missing ones is a test of its own."""
    window = sample(2)
    window[::2, 0] = np.nan
    feature = driftgauge.check(sample(1), window).features[0]
    expected = driftgauge.check_drift(sample(1)[:, :1], window[1::2, :1])["feature_0"]

    assert expected["p_value"] == feature.distance.p_value
    assert ["ks", "missing"] == [test.test for test in feature.tests]


def frame(shift: int = 0) -> pd.DataFrame:
    """A DataFrame of every type that is tested, with nulls, and of a type that is left out."""
    rows = range(120)
    return pd.DataFrame(
        {
            "float": [None if row % 7 == 0 else row / 3 + shift for row in rows],
            "int": [row % 11 for row in rows],
            "nullable": pd.array([None if row % 5 == 0 else row % 3 for row in rows], dtype="Int64"),
            "bool": [row % 3 == 0 for row in rows],
            "text": [None if row % 9 == 0 else ("red", "white", "rosé")[row % 3] for row in rows],
            "category": pd.Categorical([None if row % 8 == 0 else "ab"[row % 2] for row in rows]),
            "day": pd.date_range("2026-01-01", periods=120),
        }
    )


def test_every_type_is_the_same_by_all_protocols() -> None:
    """Arrow and the interchange protocol agree on numbers, bool, text, categories, datetimes and nulls."""
    by_arrow = driftgauge.check(frame(), frame(5)).to_dict()
    by_interchange = driftgauge.check(Interchange(frame()), Interchange(frame(5))).to_dict()
    by_polars = driftgauge.check(pl.from_pandas(frame()), pl.from_pandas(frame(5))).to_dict()

    kinds = ["numeric", "numeric", "numeric", "numeric", "categorical", "categorical"]
    assert kinds == [one["kind"] for one in by_arrow["features"]]
    assert [18, 0, 24, 0, 14, 15] == [one["missing"] for one in by_arrow["features"]]
    assert ["day"] == by_arrow["ignored"]
    assert by_arrow["features"] == by_interchange["features"]
    assert by_arrow["features"] == by_polars["features"]


def test_a_frame_of_columns_by_name_needs_no_protocol() -> None:
    """Without pyarrow a DataFrame of polars is read column by column."""

    class Columns:
        """A DataFrame with columns by name alone."""

        columns = COLUMNS

        def __getitem__(self, name: str) -> Floats:
            return by_name(sample(1))[name]

    report = driftgauge.check(Columns(), by_name(sample(1)))

    assert list(COLUMNS) == [one.feature for one in report.features]


def test_a_pandas_index_is_no_feature() -> None:
    """Neither an index of numbers nor one with a name."""
    data = pd.DataFrame(by_name(sample(1)))
    indexed = data.set_axis(pd.Index(range(1, 251), name="id"))

    assert list(COLUMNS) == [one.feature for one in driftgauge.check(indexed, data.iloc[::-1]).features]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (3, "reference: int is no dataset: give a path, a DataFrame, a NumPy array or a mapping of columns"),
        (np.zeros((2, 2, 2)), "reference: the array has shape (2, 2, 2), one or two axes are needed"),
        ("no.csv", "no.csv: there is no such file"),
        ({"a": [1, 2], "b": [1]}, "reference: column 'b' has 1 rows, 'a' has 2"),
        (np.array([[1j]]), "reference: array 'feature_0' holds complex128, not numbers"),
        (np.empty((0, 2)), "reference: there are no rows"),
    ],
)
def test_bad_data_is_named(data: Any, sentence: str) -> None:  # noqa: ANN401 - whatever a caller passes
    """One sentence names the data and the rule."""
    with pytest.raises(driftgauge.ReferenceDataError) as caught:
        driftgauge.check(data, sample(1))

    assert sentence == str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"alpha": 1.0}, "alpha: must be a number between 0 and 1; it is 1.0"),
        ({"correction": "x"}, "correction: must be one of holm, bh, bonferroni, none; it is 'x'"),
        ({"min_rows": 0}, "min_rows: must be a whole number, at least 1; it is 0"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], sentence: str) -> None:
    """One sentence names the argument and the rule."""
    with pytest.raises(driftgauge.ReferenceDataError) as caught:
        driftgauge.check(sample(1), sample(2), **arguments)

    assert sentence == str(caught.value)


def test_a_mixed_column_of_pandas_is_named() -> None:
    """Of a column that Arrow cannot convert, the sentence names the row and the value."""
    with pytest.raises(
        driftgauge.ReferenceDataError, match="reference: row 2, column 'a': 'b' is text, the rows before"
    ):
        driftgauge.check(pd.DataFrame({"a": [1, "b", None]}, dtype=object), sample(1))


def test_a_report_is_shown_as_a_table() -> None:
    """The largest distance first, then the verdict."""
    lines = repr(driftgauge.check(by_name(sample(1)), by_name(sample(2, 0.5)))).splitlines()

    assert ["feature", "test", "D", "threshold", "p-value", "verdict"] == lines[0].split()
    assert ["alcohol", "drift"] == [lines[1].split()[0], lines[1].split()[-1]]
    assert 5 == len(lines)
    assert lines[4].startswith("Drift in 1 of 3 features")


def test_a_report_is_shown_in_a_frame_of_its_own() -> None:
    """The page is in an attribute of an iframe without scripts, so nothing of it is part of the notebook's page."""
    fragment = driftgauge.check(sample(1), sample(2))._repr_html_()

    assert fragment.startswith("<iframe ")
    assert 'sandbox="allow-scripts"' in fragment
    assert ["<iframe", "</iframe"] == re.findall(r"</?\w+", fragment)
    assert "&lt;base href=&quot;about:srcdoc&quot;&gt;" in fragment
    assert "&lt;svg" in fragment


def test_a_report_is_saved(tmp_path: Path) -> None:
    """As a page or as JSON, by the extension; another one is refused."""
    report = driftgauge.check(sample(1), sample(2))
    report.save(tmp_path / "a.html")
    report.save(str(tmp_path / "a.json"))

    assert report.to_html() == (tmp_path / "a.html").read_text()
    assert report.to_dict() == json.loads((tmp_path / "a.json").read_text())
    with pytest.raises(driftgauge.ReferenceDataError, match=r"a\.txt: the extension must be one of \.html, \.json"):
        report.save(tmp_path / "a.txt")
    with pytest.raises(driftgauge.ReferenceDataError, match="it cannot be written: "):
        report.save(tmp_path / "none" / "a.html")


@pytest.mark.parametrize(
    ("window", "state", "untested"),
    [
        ({"a": range(50), "b": range(50)}, VerdictState.OK, []),
        ({"a": [25.0], "b": [25.0]}, VerdictState.CANNOT_TELL, ["a", "b"]),
        ({"a": range(50), "b": [25.0, *[None] * 49]}, VerdictState.DRIFT, []),
        ({"a": range(80, 130), "b": [25.0] * 50}, VerdictState.DRIFT, []),
    ],
)
def test_no_drift_is_no_doubt(window: dict[str, list[float]], state: VerdictState, untested: list[str]) -> None:
    """A report is ok only if every feature has a verdict; a feature that is suddenly missing drifts."""
    report = driftgauge.check({"a": [*range(50)], "b": [*range(50)]}, {name: [*one] for name, one in window.items()})
    drift = {VerdictState.OK: False, VerdictState.DRIFT: True, VerdictState.CANNOT_TELL: None}[state]

    assert (state, drift, untested) == (report.state, report.drift, [one.feature for one in report.result.untested])
    assert [state, drift] == [report.to_dict()[key] for key in ("state", "drift")]


def test_a_feature_that_was_always_missing_leaves_a_doubt() -> None:
    """No feature drifts, but one has a single value: no verdict, and every form of the report names the feature."""
    data = {"a": [*range(50)], "b": [25.0, *[None] * 49]}
    report = driftgauge.check(data, data)

    assert (None, False, None) == (report.drift, report.features[0].drift, report.features[1].drift)
    assert (VerdictState.CANNOT_TELL, CannotTellReason.FEW_ROWS) == (report.state, report.reason)
    assert [VerdictState.OK, VerdictState.CANNOT_TELL] == [one.state for one in report.features]
    assert [None, CannotTellReason.FEW_ROWS] == [one.reason for one in report.features]
    assert [("b", CannotTellReason.FEW_ROWS)] == [(one.feature, one.reason) for one in report.result.untested]
    assert "b: cannot tell: the window has 1 value, 2 are needed" in repr(report)
    assert "cannot tell" in report.to_html()


def test_texts_that_hardly_repeat_are_no_sign_that_nothing_has_changed() -> None:
    """No window of identifiers could alarm, however many of them are new."""
    before, after = ([f"{letter}{number}" for number in range(300)] for letter in "uv")
    report = driftgauge.check({"uid": before}, {"uid": after})

    assert (VerdictState.CANNOT_TELL, CannotTellReason.THRESHOLD) == (report.state, report.reason)
    assert "most of its categories are so rare that 300 values show no change among them" in repr(report)


def test_many_categories_that_repeat_have_a_verdict() -> None:
    """By chance the shares of 100 categories in 300 rows differ by a quarter: that is no reason to have no verdict."""
    before, after = (
        [f"c{code}" for code in np.random.default_rng(seed).integers(0, 100, rows)]
        for seed, rows in ((1, 1000), (101, 300))
    )
    report = driftgauge.check({"city": before}, {"city": after})

    assert VerdictState.OK == report.state
    assert 0.25 < report.features[0].distance.statistic


def test_the_module_lists_its_names_and_refuses_others() -> None:
    """All public names can be imported; another one is an AttributeError."""
    assert set(driftgauge.__all__) <= set(dir(driftgauge))
    assert all(getattr(driftgauge, name) is not None for name in driftgauge.__all__)
    with pytest.raises(AttributeError, match="module 'driftgauge' has no attribute 'unknown'"):
        _ = driftgauge.unknown  # type: ignore[attr-defined] # a type checker finds it too


def test_importing_the_package_imports_no_other() -> None:
    """Neither numpy nor scipy nor a module of the package."""
    code = "import sys, driftgauge; print(*[n for n in sys.modules if n.partition('.')[0] in ('numpy', 'scipy', 'rich')"
    code += " or n.startswith('driftgauge.')])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == ""
