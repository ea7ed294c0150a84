"""The flags of the `reference` commands, by way of the command line itself."""

import json
from pathlib import Path

import numpy as np
import pytest

from driftgauge.cli.main import run
from driftgauge.reference.dataset import load_reference


def test_build_and_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reference is built with all flags, and shown."""
    training, output = tmp_path / "train.csv", tmp_path / "reference.npz"
    training.write_text("a,q\n" + "".join(f"{number},{number % 2}\n" for number in range(50)))
    flags = ["-o", str(output), "--rows", "20", "--seed", "4", "--predictions", "q"]

    assert 0 == run(["reference", "build", str(training), *flags])
    reference = load_reference(output, 0.0)
    assert (20, ("q",)) == (reference.rows, reference.prediction_columns)
    assert reference.origin is not None
    assert 4 == reference.origin.seed
    built = capsys.readouterr().out
    assert 0 == run(["reference", "show", str(output)])
    assert built == capsys.readouterr().out


def test_codes_are_shown_as_categories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--categorical` names columns between commas; `show` shows their kind, and an unknown name is a fault."""
    training, output = tmp_path / "train.csv", tmp_path / "reference.npz"
    lines = "".join(f"{94103 + (number % 3 == 0)},{number % 3},{number}\n" for number in range(60))
    training.write_text(f'zip,"shop, old",n\n{lines}')
    build = ["reference", "build", str(training), "-o", str(output), "--categorical"]

    assert 0 == run([*build, 'zip,"shop, old"'])
    assert ["categorical", "categorical", "numeric"] == list(load_reference(output, 0.0).kinds)
    capsys.readouterr()
    assert 0 == run(["reference", "show", str(output)])
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["zip", "categorical", "0", "2", "94103", "66.7%,", "94104", "33.3%"] in shown
    assert 2 == run([*build, "zip,shop"])
    assert f"{training}: there is no column 'shop' to test as categories\n" == capsys.readouterr().err


def test_numbers_out_of_range(capsys: pytest.CaptureFixture[str]) -> None:
    """One error lists every fault."""
    assert 2 == run(["reference", "build", "a.csv", "-o", "a.npz", "--rows", "0", "--seed", "-1"])
    assert [
        "driftgauge: rows: must be at least 1; it is 0",
        "driftgauge: seed: must be at least 0; it is -1",
    ] == capsys.readouterr().err.splitlines()


def test_capture_asks_the_admin_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model has the name of its InferenceService unless a flag says otherwise; no server responds here."""
    output = str(tmp_path / "a.npz")
    flags = ["--admin-url", "http://127.0.0.1:1", "--inference-service", "wine", "--namespace", "prod", "-o", output]

    assert 2 == run(["reference", "capture", *flags, "--yes"])
    query = "namespace=prod&inference_service=wine&component=predictor&model_name=wine"
    assert capsys.readouterr().err.startswith(f"http://127.0.0.1:1/window?{query}: no response: ")
    assert 2 == run(["reference", "capture", *flags, "--yes", "--revision", "v2"])
    assert capsys.readouterr().err.startswith(f"http://127.0.0.1:1/window?{query}&revision=v2: no response: ")


@pytest.mark.parametrize(
    "arguments",
    [["reference"], ["reference", "build", "a.csv"], ["reference", "show"], ["reference", "show", "a.csv", "--other"]],
)
def test_flags_that_are_missing_or_unknown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the usage."""
    with pytest.raises(SystemExit) as caught:
        run(arguments)

    assert 2 == caught.value.code
    assert "usage: driftgauge" in capsys.readouterr().err


def test_build_with_times_and_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file keeps order and times, so that `show` needs no flag; the time is no column."""
    training, output = tmp_path / "train.csv", tmp_path / "reference.npz"
    training.write_text("ts,a\n" + "".join(f"2026-01-{30 - row:02}T00:00Z,{row}\n" for row in range(20)))

    assert 0 == run(["reference", "build", str(training), "-o", str(output), "--time-column", "ts", "--rows", "9"])
    built = capsys.readouterr().out
    assert "rows in the order of time, from 2026-01-24 00:00 to 2026-01-30 00:00 UTC\n" in built
    assert "runs of neighbours in time of the 20 rows of train.csv" in built
    assert 0 == run(["reference", "show", str(output)])
    assert built == capsys.readouterr().out
    assert ("a",) == load_reference(output, 0.0).columns


def test_show_with_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without any order has none in the report for programs, unless a flag says so."""
    path = tmp_path / "a.csv"
    path.write_text("ts,a\n1700000000,1\n1700000001,2\n")
    facts = []
    for flags in ([], ["--ordered"], ["--time-column", "ts"]):
        assert 0 == run(["reference", "show", str(path), "--format", "json", *flags])
        facts.append(json.loads(capsys.readouterr().out))

    expected = [(False, None, None), (True, None, None), (True, 1_700_000_000.0, 1_700_000_001.0)]
    assert expected == [(one["ordered"], one["first_time"], one["last_time"]) for one in facts]


def test_an_unknown_time_zone(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of the command line, before any file is read."""
    assert 2 == run(["reference", "show", "a.csv", "--rhythm-timezone", "Mars"])
    expected = "driftgauge: rhythm_timezone: is not the name of a time zone; it is 'Mars'\n"
    assert expected == capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "fault"),
    [("soon", "must be a number of seconds, or a number with a unit: 30d, 12h, 45m"), ("0d", "must be more than 0")],
)
def test_a_time_to_collect_must_be_one(capsys: pytest.CaptureFixture[str], text: str, fault: str) -> None:
    """A fault of the command line, before any request."""
    assert 2 == run(["reference", "capture", "--inference-service", "wine", "-o", "a.npz", "--for", text])
    assert f"driftgauge: for: {fault}; it is {text!r}\n" == capsys.readouterr().err


def test_the_models_of_hours_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each column of numbers has its model and the number of its parameters; a program reads them too."""
    times = 1_767_225_600 + np.arange(4000) * 300.0
    wave = np.sin(times / 86_400 * 2 * np.pi) + np.random.default_rng(1).normal(size=4000)
    training, output = tmp_path / "train.csv", tmp_path / "reference.npz"
    lines = "".join(
        f"{time},{value},{'xy'[row % 2]}\n" for row, (time, value) in enumerate(zip(times, wave, strict=True))
    )
    training.write_text(f"ts,wave,word\n{lines}")

    assert 0 == run(["reference", "build", str(training), "-o", str(output), "--time-column", "ts"])
    shown = capsys.readouterr().out
    assert ["wave", "numeric", "0", "4000", "h1,", "p", "3"] in [line.split()[:7] for line in shown.splitlines()]
    assert "are shown as at its average hour (time zone UTC)\n" in shown
    assert 0 == run(["reference", "show", str(output), "--format", "json"])
    first, second = json.loads(capsys.readouterr().out)["features"]
    assert ("h1", 3.0) == (first["hour_model"], first["parameters"])
    assert (1, False) == (second["hour_buckets"], "hour_model" in second)


def test_build_with_labels_and_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The flags of labels are those of the file that is written, and `show` says task, rows and smallest changes."""
    training, output = tmp_path / "train.csv", tmp_path / "reference.npz"
    rows = [(number, number % 2, (number + (number % 10 == 0)) % 2) for number in range(2_000)]
    training.write_text("a,q,truth\n" + "".join(f"{a},{q},{t}\n" for a, q, t in rows))
    flags = ["-o", str(output), "--predictions", "q", "--labels", "q=truth", "--classes", "1,0"]

    assert 0 == run(["reference", "build", str(training), *flags, "--task", "classification"])
    assert ("q",) == tuple(one.name for one in load_reference(output, 0.0).labelled)
    shown = capsys.readouterr().out
    assert "labels of 'q': classification of 2 classes, 2000 rows with prediction and label, accuracy 0.9" in shown
    assert "of 'q' performance can find a rise of the share of errors by more than 2." in shown
    assert 0 == run(["reference", "show", str(output), "--format", "json"])
    facts = json.loads(capsys.readouterr().out)["labels"][0]
    assert (["1", "0"], 2_000, 0.9) == (facts["classes"], facts["rows"], facts["metrics"]["accuracy"])


def test_labels_of_an_output_without_predictions_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They would be of no use: the sentence names the output, the rule and the predictions, and no file is written."""
    training, output = tmp_path / "train.csv", tmp_path / "reference.npz"
    training.write_text("a,predict,truth\n" + "".join(f"{a},{a % 2},{a % 2}\n" for a in range(200)))
    flags = ["-o", str(output), "--predictions", "predict", "--labels", "class=truth"]

    assert 2 == run(["reference", "build", str(training), *flags])
    fault = capsys.readouterr().err
    assert "output 'class' has labels and no column prediction:class or prediction:class_class" in fault
    assert "(there are: 'predict')" in fault
    assert not output.exists()


def test_training_rows_are_shown_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reference without any error."""
    path = tmp_path / "train.csv"
    path.write_text("a,prediction:q,label:q\n" + "".join(f"{a},{a % 2},{a % 2}\n" for a in range(200)))

    assert 0 == run(["reference", "show", str(path)])
    assert "warning: output 'q' is predicted without any error in 200 rows" in capsys.readouterr().out


def test_labels_that_name_no_column(capsys: pytest.CaptureFixture[str]) -> None:
    """Each fault is one sentence."""
    build = ["reference", "build", "a.csv", "-o", "a.npz", "--labels"]

    assert 2 == run([*build, "q"])
    assert "labels: must be an output and a column, such as quality=grade; it is 'q'" in capsys.readouterr().err
    assert 2 == run([*build, "q=a", "p=a"])
    assert "labels: each output and each column must be named once" in capsys.readouterr().err
