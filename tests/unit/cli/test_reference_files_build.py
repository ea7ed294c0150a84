"""The command `reference build`: from training data to a file that the sidecar takes."""

import io
from pathlib import Path

import numpy as np

from driftgauge.cli.reference_files import run_build
from driftgauge.drift.profile import FeatureKind
from driftgauge.reference.dataset import load_reference
from driftgauge.reference.sample import SampleSpec


def write(folder: Path) -> Path:
    """Training data of every kind."""
    path = folder / "train.csv"
    rng = np.random.default_rng(1)
    rows = zip(rng.normal(size=3000), rng.choice(["red", "white"], 3000), rng.integers(3, 9, 3000), strict=True)
    path.write_text("acidity,colour,quality\n" + "".join(f"{a:.3f},{c},{q}\n" for a, c, q in rows))
    return path


def build(training: Path, output: Path, draw: SampleSpec) -> tuple[int, str, str]:
    """Exit code, output and faults."""
    out, err = io.StringIO(), io.StringIO()
    code = run_build(training, output, draw, out, err)
    return code, out.getvalue(), err.getvalue()


def test_a_reference_is_written_and_shown(tmp_path: Path) -> None:
    """What is written loads, says where it comes from, and is what was shown."""
    output = tmp_path / "reference.npz"
    code, out, err = build(write(tmp_path), output, SampleSpec(1000, 5, ["quality"]))
    reference = load_reference(output, 0.0)

    assert (0, "") == (code, err)
    assert (("acidity", "colour"), ("quality",), 1000) == (
        reference.columns,
        reference.prediction_columns,
        reference.rows,
    )
    assert (FeatureKind.NUMERIC, FeatureKind.CATEGORICAL) == reference.kinds
    assert reference.origin is not None
    assert ("train.csv", 3000, 5) == (reference.origin.source, reference.origin.rows_seen, reference.origin.seed)
    assert f"{output}: 1000 rows, sha256 {reference.digest}\n" in out
    assert "each column is within D = 0.0515 of the whole file's" in out


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    """So that the hash names the reference; another seed gives another."""
    training = write(tmp_path)
    contents: list[bytes] = []
    for seed in (1, 1, 2):
        output = tmp_path / f"{len(contents)}.npz"
        build(training, output, SampleSpec(100, seed))
        contents.append(output.read_bytes())

    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_a_fault_leaves_the_old_reference(tmp_path: Path) -> None:
    """Exit code 2, one sentence, and the file as it was."""
    output = tmp_path / "reference.npz"
    training = write(tmp_path)
    build(training, output, SampleSpec())
    before = output.read_bytes()
    training.write_text("a\n1\n2\nx\n")
    code, out, err = build(training, output, SampleSpec())

    assert (2, "") == (code, out)
    assert err.startswith(f"{training}: line 4, column 'a': 'x' is not a number")
    assert before == output.read_bytes()


def test_a_sample_without_a_value_is_refused(tmp_path: Path) -> None:
    """What the sidecar would refuse is not written."""
    training = tmp_path / "train.csv"
    training.write_text("a,b\n1,\n2,\n")
    output = tmp_path / "reference.npz"

    assert (2, "", f"{output}: column 'b' has no value in any row\n") == build(training, output, SampleSpec())
    assert not output.exists()


def test_an_output_of_another_kind(tmp_path: Path) -> None:
    """It is refused before the training data are read."""
    output = tmp_path / "reference.csv"

    assert (2, "", f"{output}: a reference is written as .npz\n") == build(tmp_path / "none.csv", output, SampleSpec())
