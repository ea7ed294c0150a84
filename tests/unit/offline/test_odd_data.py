"""Odd data gets one sentence, and is never tested as what it is not."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import ks_2samp

import driftgauge
from driftgauge.errors import ReferenceDataError

AGES = {"age": np.arange(50.0)}


def test_check_drift_heeds_a_mask() -> None:
    """The result is that of `ks_2samp` on the masked columns."""
    drawn = np.random.default_rng(1).normal(size=(200, 1))
    reference, production = np.ma.masked_greater(drawn, 0), drawn[::-1] + 0.1
    statistic, p_value = ks_2samp(reference[:, 0], production[:, 0])

    result = driftgauge.check_drift(reference, production)["feature_0"]

    assert (statistic, p_value) == (result["statistic"], result["p_value"])


@pytest.mark.parametrize("make", [np.array, pd.Series, pl.Series, list])
def test_integers_that_float64_cannot_hold_are_left_out_and_named(make: Any) -> None:  # noqa: ANN401 constructors
    """Above 2^53 neighbours would become equal, so the column is not tested, and a note says why."""
    data = {"id": make([2**60 + number for number in range(100)]), "age": make(list(range(100)))}

    report = driftgauge.check(data, data)

    assert ["age"] == [feature.feature for feature in report.features]
    assert any("id" in note and "2^53" in note for note in report.to_dict()["notes"])


def test_integers_up_to_2_to_the_53_are_numbers() -> None:
    """The last integer that float64 keeps apart from its neighbours is tested."""
    data = {"id": np.array([-(2**53), 0, 2**53])}

    assert ["id"] == [feature.feature for feature in driftgauge.check(data, data).features]


@pytest.mark.parametrize("with_pyarrow", [True, False])
@pytest.mark.long
def test_a_categorical_of_numbers_is_a_category_with_and_without_pyarrow(with_pyarrow: bool) -> None:  # noqa: FBT001
    """The kind of a column does not depend on what else is installed."""
    code = (
        f"import sys; {'' if with_pyarrow else 'sys.modules.update(pyarrow=None)'}\n"
        "import pandas as pd, driftgauge\n"
        "frame = pd.DataFrame({'zip': pd.Categorical([1, 2, 3] * 20)})\n"
        "print(driftgauge.check(frame, frame).features[0].kind)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "categorical" == done.stdout.strip()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pd.DataFrame({"age": pd.arrays.SparseArray([0.0, 1.0])}), "window: DataFrame cannot be converted"),
        (pl.LazyFrame({"age": [1]}), "window: LazyFrame is not computed yet: call collect() first"),
        (np.ma.masked_array([[1 + 2j]]), "window: a masked array holds complex128, not numbers"),
        (np.ma.masked_array([["a"]], [[True]]), "window: a masked array holds <U1, not numbers"),
        (driftgauge.read_reference(AGES), "window: it is a Reference"),
        ("a\0.csv", "window: the path 'a\\x00.csv' has a NUL character"),
    ],
)
def test_data_of_other_kinds_gets_one_sentence(data: Any, words: str) -> None:  # noqa: ANN401 what callers may pass
    """No exception of another library reaches the caller."""
    with pytest.raises(ReferenceDataError) as caught:
        driftgauge.check(AGES, data)

    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "arguments",
    [
        {"alpha": "x"},
        {"alpha": None},
        {"alpha": 0},
        {"alpha": float("nan")},
        {"correction": []},
        {"min_rows": "x"},
        {"min_rows": 1.5},
        {"min_rows": 0},
    ],
)
def test_a_wrong_argument_gets_a_sentence_that_names_it(arguments: dict[str, Any]) -> None:
    """Whatever its type is."""
    with pytest.raises(ReferenceDataError, match=f"^{next(iter(arguments))}: "):
        driftgauge.check(AGES, AGES, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [{"rows": 1.5}, {"rows": "x"}, {"seed": None}, {"seed": -1}, {"predictions": None}, {"predictions": [1]}],
)
def test_a_wrong_argument_of_build_reference_gets_a_sentence(arguments: dict[str, Any]) -> None:
    """Whatever its type is."""
    with pytest.raises(ReferenceDataError, match=f"^{next(iter(arguments))}: "):
        driftgauge.build_reference(AGES, **arguments)


def test_arguments_of_numpy_s_types_can_be_saved() -> None:
    """They become Python's numbers, which JSON has."""
    report = driftgauge.check(AGES, AGES, alpha=np.float32(0.05), min_rows=np.int64(5))  # type: ignore[arg-type]

    assert json.loads(json.dumps(report.to_dict()))


def test_a_reference_prints_in_one_line() -> None:
    """Its columns are not printed."""
    assert "<Reference 'reference': 50 rows, 1 features, 0 predictions>" == repr(driftgauge.read_reference(AGES))
