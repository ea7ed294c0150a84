"""`driftgauge check` and `driftgauge.check` on rows with labels: verdicts, one correction, forms, joined files."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

import driftgauge
from driftgauge.cli.check import LabelFile, run_check
from driftgauge.cli.export.export_files import content_of
from driftgauge.drift.outcomes.outcome_columns import OutcomeColumns
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from tests.support.exports import ROWS
from tests.support.outcomes import class_outcomes, number_outcomes

RULE = Rule(0.05, Correction.HOLM, 1)


def columns_of(outcomes: OutcomeColumns, *, seed: int = 0) -> dict[str, Any]:
    """A dataset of one input that never changes, with predictions, their confidence and labels."""
    columns: dict[str, Any] = {
        "a": np.random.default_rng(seed).normal(size=outcomes.labels.size),
        "prediction:good": outcomes.predictions,
    }
    if outcomes.confidence is not None:
        columns["prediction:good_confidence"] = outcomes.confidence
    return columns | {"label:good": outcomes.labels}


REFERENCE = columns_of(class_outcomes(4_000))
SOUND = columns_of(class_outcomes(1_000, seed=1), seed=1)
FLIPPED = columns_of(class_outcomes(1_000, seed=2, flipped=0.3), seed=2)


def write(path: Path, columns: dict[str, Any]) -> Path:
    """A CSV file."""
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def test_labels_on_both_sides_are_tested() -> None:
    """Sound rows have no drift; flipped labels have, though neither input nor prediction moves."""
    sound, flipped = driftgauge.check(REFERENCE, SOUND), driftgauge.check(REFERENCE, FLIPPED)

    assert (False, "ok") == (sound.drift, sound.state)
    assert (True, "drift", 0) == (flipped.drift, flipped.state, flipped.result.drifted_features)
    assert [True, True] == [test.drift for test in flipped.outcomes[0].tests]
    assert "the relation of inputs and labels has changed" in repr(flipped)
    assert ("a", "prediction:good", "prediction:good_confidence") == tuple(one.feature for one in sound.features)


def test_a_reference_of_its_own_has_the_same_verdict() -> None:
    """Read once, or given as data."""
    read = driftgauge.check(driftgauge.read_reference(REFERENCE), FLIPPED)

    assert driftgauge.check(REFERENCE, FLIPPED).to_dict()["outcomes"] == read.to_dict()["outcomes"]


def test_the_correction_is_over_features_and_outputs_together() -> None:
    """Bonferroni: three features with two p-values each at most, and two of the output, share alpha."""
    report = driftgauge.check(REFERENCE, SOUND, correction="bonferroni")
    tests = [test for feature in report.features for test in feature.tests if test.p_value is not None]

    assert [0.05 / (len(tests) + 2)] * 2 == [test.threshold for test in report.outcomes[0].tests]
    without = driftgauge.check(
        {name: values for name, values in REFERENCE.items() if name != "label:good"}, SOUND, correction="bonferroni"
    )
    first, alone = report.features[0].distance, without.features[0].distance
    assert first.p_value == alone.p_value
    assert first.threshold > alone.threshold
    assert () == without.outcomes


def test_the_window_may_lack_labels() -> None:
    """A note says so; the features are tested."""
    report = driftgauge.check(REFERENCE, {name: values for name, values in SOUND.items() if name != "label:good"})

    assert () == report.outcomes
    assert "window: output 'good' is not tested: it has no column label:good" in report.notes


def test_too_few_labels_are_no_verdict() -> None:
    """`min_rows` holds for labelled rows too, and a gate without a verdict is not passed."""
    few = {**SOUND, "label:good": [*SOUND["label:good"][:9], *[None] * 991]}
    report = driftgauge.check(REFERENCE, few, min_rows=10)

    assert (None, "cannot_tell") == (report.drift, report.state)
    assert "good: cannot tell: 9 rows have a prediction and a label, 10 are needed." == report.outcomes[0].reading


def test_the_command_says_when_the_labelled_rows_were(tmp_path: Path) -> None:
    """Where the file has times, as an export as NPZ has: those of the labelled rows alone."""
    (tmp_path / "rows.npz").write_bytes(content_of(Path("rows.npz"), ROWS))
    out = io.StringIO()
    reference = tmp_path / "reference.csv"
    lines = [f"{n % 7},{'Paris' if n % 2 else 'Rome'},{n % 3 + 5},{n % 3 + 5 + (n % 9 == 0)}" for n in range(300)]
    reference.write_text("alcohol,city,prediction:quality,label:quality\n" + "\n".join(lines) + "\n")
    run_check(reference, tmp_path / "rows.npz", RULE, "table", out, io.StringIO())
    text = " ".join(out.getvalue().split())

    assert "1 labelled rows from 2026-03-01 10:00:01 UTC to 2026-03-01 10:00:01 UTC, reference 300" in text


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_times_of_a_column(extension: str, tmp_path: Path) -> None:
    """`--time-column` names the times of the rows of CSV and Parquet, of which the block has those of labelled rows."""
    grades = [n % 3 + 5.0 for n in range(300)]
    labels = [None if n < 60 else grade + (n % 9 == 0) for n, grade in enumerate(grades)]
    columns = {"alcohol": [n % 7 + 0.5 for n in range(300)], "prediction:quality": grades, "label:quality": labels}
    frame = pd.DataFrame(columns | {"passed": [f"2026-03-{n // 20 + 1:02}" for n in range(300)]})
    rows, reference = tmp_path / f"rows.{extension}", tmp_path / "reference.csv"
    frame.to_csv(rows, index=False) if extension == "csv" else frame.to_parquet(rows)
    frame.drop(columns="passed").to_csv(reference, index=False)
    out, err = io.StringIO(), io.StringIO()
    run_check(reference, rows, RULE, "table", out, err, time_column="passed")
    text = " ".join(out.getvalue().split())

    assert "240 labelled rows from 2026-03-04 00:00:00 UTC to 2026-03-15 00:00:00 UTC, reference 240" in text
    assert "passed" not in text + err.getvalue()


def test_a_single_label_is_no_verdict() -> None:
    """Not even an error could alarm: 640 of 4,000 rows of the reference are wrong."""
    one = {**SOUND, "label:good": [SOUND["label:good"][0], *[None] * 999]}
    report = driftgauge.check(REFERENCE, one)

    assert "cannot_tell" == report.state
    assert "with 1 labelled rows not even errors in all of them could alarm" in report.outcomes[0].reading


def test_numbers_are_tested_by_their_errors() -> None:
    """A bias of half a standard deviation of the errors."""
    reference = columns_of(number_outcomes(3_000))
    sound, biased = (columns_of(number_outcomes(1_000, seed=1, bias=bias), seed=1) for bias in (0.0, 0.5))
    biased["prediction:good"] = biased["prediction:good"] - 0.5
    biased["label:good"] = biased["label:good"] - 0.5

    assert not driftgauge.check(reference, sound).drift
    assert [True, True] == [test.drift for test in driftgauge.check(reference, biased).outcomes[0].tests]


def test_labels_of_another_dataset_are_joined_by_an_id() -> None:
    """Numbers as ids on one side and text on the other; the last label counts; the id is no feature."""
    ids = np.arange(1_000)
    window = {"order": ids, **{name: values for name, values in FLIPPED.items() if name != "label:good"}}
    labels = {
        "order": [*map(str, ids[::2]), "0", "9999"],
        "label": [*FLIPPED["label:good"][::2], 1 - FLIPPED["label:good"][0], 1],
    }
    report = driftgauge.check(REFERENCE, window, labels=labels, id_column="order")
    kept = FLIPPED["label:good"][::2].copy()
    kept[0] = 1 - kept[0]
    accuracy = next(one for one in report.outcomes[0].facts.metrics if one.metric == "accuracy")

    assert (500, True) == (report.outcomes[0].facts.rows, report.drift)
    assert accuracy_score(kept, FLIPPED["prediction:good"][::2]) == accuracy.value
    assert "labels: 1 of 502 labels are of no row of window" in report.notes
    assert "order" not in {one.feature for one in report.features}


def test_rows_of_one_id_get_no_label() -> None:
    """It is unknown which of them is meant."""
    window = {"order": [1, 1, 2], **{name: values[:3] for name, values in SOUND.items() if name != "label:good"}}
    labels = {"order": [1, 2], "label:good": [1, 0]}
    report = driftgauge.check(REFERENCE, window, labels=labels, id_column="order")

    assert 1 == report.outcomes[0].facts.rows
    assert "window: 2 rows have the id of another row: they get no label" in report.notes


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"labels": {"id": [1], "label": [1]}},
            "labels and id_column, the column that names the rows, belong together",
        ),
        ({"labels": {"id": [1], "label": [1]}, "id_column": "no"}, "there is no column 'no' that names the rows"),
        ({"labels": {"a": [1], "truth": [1]}, "id_column": "a"}, "there is no column label or label:good"),
    ],
)
def test_labels_that_cannot_be_joined_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    """One sentence names the argument or the column."""
    with pytest.raises(driftgauge.ReferenceDataError, match=sentence):
        driftgauge.check(REFERENCE, SOUND, **arguments)


def check_files(tmp_path: Path, window: dict[str, Any], labels: LabelFile | None = None) -> tuple[int, str, str]:
    """Exit code, output and notes of the command."""
    out, err = io.StringIO(), io.StringIO()
    paths = write(tmp_path / "reference.csv", REFERENCE), write(tmp_path / "window.csv", window)
    return run_check(*paths, RULE, "table", out, err, labels=labels), out.getvalue(), err.getvalue()


def test_the_command_prints_a_block_of_metrics(tmp_path: Path) -> None:
    """Reference, window and interval of each metric, both tests, a sentence; exit code 1 for outputs alone."""
    code, out, _ = check_files(tmp_path, FLIPPED)
    words = [line.split() for line in out.splitlines()]

    assert 1 == code
    assert ["metric", "reference", "window", "95", "%", "interval"] in words
    assert any(line[:1] == ["accuracy"] and line[-2] == "to" for line in words)
    assert "performance: drift (p " in out
    assert "Labels: drift in good. No drift in 3 features" in out
    assert 0 == check_files(tmp_path, SOUND)[0]


def test_the_command_joins_a_file_of_labels(tmp_path: Path) -> None:
    """`--labels labels.csv --id order`."""
    window = {"order": range(1_000), **{name: values for name, values in FLIPPED.items() if name != "label:good"}}
    labels = write(tmp_path / "labels.csv", {"order": range(1_000), "label": FLIPPED["label:good"]})
    joined = check_files(tmp_path, window, LabelFile(labels, "order"))

    assert 1 == joined[0]
    assert "good: 1000 labelled rows" in joined[1]


def test_the_report_has_the_outcomes_as_json_and_as_a_page() -> None:
    """The same numbers in both; nothing is NaN; names are escaped."""
    report = driftgauge.check(
        {name.replace("good", "<b>"): values for name, values in REFERENCE.items()},
        {name.replace("good", "<b>"): values for name, values in FLIPPED.items()},
    )
    found = json.loads(report.to_json())
    page = report.to_html()

    assert ("drift", True) == (found["state"], found["drift"])
    (outcome,) = found["outcomes"]
    assert ("<b>", "classification", 1_000) == (outcome["output"], outcome["task"], outcome["rows"])
    assert ["performance", "concept"] == [test["test"] for test in outcome["tests"]]
    assert 1_000 == sum(map(sum, outcome["confusion"]["window"]))
    assert "&lt;b&gt;" in page
    assert "<b></b>" not in page
    assert "balanced accuracy" in page
    assert "Rows of the window: labels down, predictions across" in page
    assert 1 == page.count('class="summary drift"')
