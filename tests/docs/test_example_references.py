"""The references of README, documents and examples are large enough to alarm at the default promise."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import ks_2samp

from driftgauge.cli.reference_files import DEFAULT_BUDGET
from driftgauge.config.options import ProxyConfig
from driftgauge.drift.profile import FeatureKind
from driftgauge.reference.dataset import load_reference
from tests.support.markdown_blocks import ROOT, all_blocks, yaml_documents
from tests.support.shell_commands import all_commands

WINES = ROOT / "examples" / "wine"
GROSS = 0.35
"""A change that moves this share of the rows beyond where they were; it alarms in the first window with a verdict."""


def files_of_config_maps() -> list[Path]:
    """The files of which a command of the documents makes the references of a service."""
    words = [word for command in all_commands() for program in command.programs for word in program]
    names = {word.split("=", 2)[-1] for word in words if word.startswith("--from-file=")}
    return sorted(ROOT / name for name in names)


def inline_references() -> list[tuple[str, str]]:
    """Name and text of every reference that is written into a manifest, a block, or values of the chart."""
    written = [(str(block), one) for block in all_blocks("yaml") for one in yaml_documents(block)]
    for path in sorted((ROOT / "examples").rglob("*.y*ml")):
        written += [(path.name, one) for one in yaml.safe_load_all(path.read_text()) if isinstance(one, dict)]
    maps = [(place, _texts(one)) for place, one in written]
    return [(f"{place} {key}", text) for place, texts in maps for key, text in texts.items()]


def _texts(document: dict[str, Any]) -> dict[str, str]:
    """The texts of a ConfigMap, or of `references.inline`, whose keys are those of reference files."""
    found = document.get("data") if document.get("kind") == "ConfigMap" else None
    found = found or (document.get("references") or {}).get("inline") or {}
    return {key: text for key, text in found.items() if key.endswith(".csv")}


def thresholds(path: Path) -> list[float]:
    """The distance that alarms in the first window with a verdict, for each tested feature."""
    reference = load_reference(path, 0.0)
    tested = [one for one in reference.features if one.kind is not FeatureKind.IGNORED]
    first = ProxyConfig.model_fields["min_rows"].default
    return [DEFAULT_BUDGET.ks_threshold(reference.rows, first, len(tested)) for _ in tested]


def test_the_documents_name_a_reference() -> None:
    """The README's reference is the red wines, which the examples use too."""
    assert [WINES / "red.csv"] == files_of_config_maps()


@pytest.mark.parametrize("path", [WINES / "red.csv", *files_of_config_maps()], ids=lambda path: path.name)
def test_a_file_can_alarm(path: Path) -> None:
    """Each feature alarms on a gross change as soon as a window has `min_rows` rows."""
    found = thresholds(path)

    assert found
    assert max(found) < GROSS


def test_a_written_reference_can_alarm(tmp_path: Path) -> None:
    """So do references that stand in a manifest or block; a few rows as an illustration are none."""
    for place, text in inline_references():
        (tmp_path / "written.csv").write_text(text)
        assert max(thresholds(tmp_path / "written.csv")) < GROSS, place


def test_a_small_reference_is_found(tmp_path: Path) -> None:
    """Three rows, as examples used to have, do not pass."""
    (tmp_path / "small.csv").write_text("alcohol,ph\n9.4,3.51\n9.8,3.2\n10.1,3.26\n")

    assert min(thresholds(tmp_path / "small.csv")) > 1


def test_the_wines_of_the_other_colour_alarm() -> None:
    """In most features white wines are farther from the red ones than the threshold, and other red wines in none."""
    threshold = max(thresholds(WINES / "red.csv"))
    red, others, white = (_columns(WINES / f"{name}.csv") for name in ("red", "red_stream", "white_stream"))
    far = [float(ks_2samp(*pair).statistic) > threshold for pair in zip(red, white, strict=True)]
    near = [float(ks_2samp(*pair).statistic) > threshold for pair in zip(red, others, strict=True)]

    assert sum(far) > len(far) / 2
    assert not any(near)


@pytest.mark.parametrize("rows", [2, 10, 20])
def test_the_guide_says_what_a_small_reference_finds(rows: int) -> None:
    """The numbers of features in docs/install.md are those that white wines reach in a window of 500 rows."""
    guide = " ".join((ROOT / "docs" / "install.md").read_text().split())
    said = dict(re.findall(r"with (\d+) rows (?:it is )?(\d+|no change) (?:of 11|can ever alarm)", guide))
    red, white = (_columns(WINES / f"{name}.csv") for name in ("red", "white_stream"))
    threshold = DEFAULT_BUDGET.ks_threshold(rows, 500, len(red))
    far = sum(float(ks_2samp(one[:rows], other).statistic) > threshold for one, other in zip(red, white, strict=True))

    assert said[str(rows)] == (str(far) if far else "no change")


def _columns(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    with path.open() as file:
        _, *rows = csv.reader(file)
    return np.array(rows, float).T
