"""What the guides name exists: files, headings, metrics, options, reasons, values, and the sentences of the log."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftgauge.config.load import MODES
from driftgauge.errors import Reason

ROOT = Path(__file__).parents[2]
GUIDES = [
    ROOT / "docs" / f"{name}.md"
    for name in ("install", "limits", "metrics", "security", "troubleshooting", "upgrading")
]
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text()
UNBROKEN = " ".join(TROUBLESHOOTING.split())
SOURCE = "".join(path.read_text() for path in (ROOT / "sidecar").rglob("*.py"))

every_guide = pytest.mark.parametrize("guide", GUIDES, ids=[path.stem for path in GUIDES])


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def paths(values: dict[str, Any], above: str = "") -> set[str]:
    """The dotted names of all keys."""
    found = {f"{above}{key}" for key in values}
    inner = [paths(value, f"{above}{key}.") for key, value in values.items() if isinstance(value, dict)]
    return found.union(*inner)


@every_guide
def test_every_link_leads_somewhere(guide: Path) -> None:
    """The file is there, and so is the heading."""
    for target in re.findall(r"\]\(([^)]+)\)", guide.read_text()):
        file, _, anchor = target.partition("#")
        page = (guide.parent / file).resolve() if file else guide

        assert page.exists(), target
        assert not anchor or anchor in anchors(page), target


@every_guide
def test_every_metric_is_one(guide: Path) -> None:
    """Each name with our prefix is in the table of docs/metrics.md, which a test holds to the registry."""
    known = set(re.findall(r"^\| `(driftgauge_\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    named = set(re.findall(r"`(driftgauge_\w+)", guide.read_text()))

    assert named <= known


@every_guide
def test_every_variable_is_an_option(guide: Path) -> None:
    """`DRIFTGAUGE_<NAME>` of a declared option."""
    known = {f"DRIFTGAUGE_{name.upper()}" for mode in MODES.values() for name in mode.model_fields}

    assert set(re.findall(r"DRIFTGAUGE_[A-Z_]+", guide.read_text())) <= known | {"DRIFTGAUGE_"}


@every_guide
def test_every_value_of_the_chart_is_one(guide: Path) -> None:
    """Those in YAML, and those that a sentence names by their path."""
    text = guide.read_text()
    known = paths(yaml.safe_load((ROOT / "charts" / "driftgauge" / "values.yaml").read_text()))
    known |= {f"config.{name}" for name in MODES["logger"].model_fields}
    written = [yaml.safe_load(block) for block in re.findall(r"```yaml\n# values.yaml\n(.*?)```", text, re.DOTALL)]
    sections = "podMonitor|serviceMonitor|prometheusRule|networkPolicy|references|redis"
    named = set(re.findall(rf"`((?:{sections})(?:\.\w+)+)", text)).union(*map(paths, written))

    assert named <= known


def test_every_reason_is_explained() -> None:
    """The table has a row for each reason of `driftgauge_payloads_total`, in the right one of its two outcomes."""
    reported = dict(re.findall(r"^\| `(\w+)` \| (dropped|rejected): ", TROUBLESHOOTING, re.MULTILINE))

    assert {reason.value: "dropped" if reason.dropped else "rejected" for reason in Reason} == reported


@pytest.mark.parametrize(
    "sentence",
    [
        "there is no such file",
        "the reference loaded before stays",
        "rows are dropped and counted until it",
        "cannot be reached.",
        "port: cannot listen (",
        "unknown option of driftgauge",
        "unknown variable",
        "a flag must hold no password",
        "gRPC is not carried",
        "the model server's metrics are left out:",
    ],
)
def test_the_sentences_are_those_of_the_log(sentence: str) -> None:
    """A person who searches the guide for a line of the log finds it."""
    written = sentence.removeprefix("port: ").removesuffix(" (")

    assert sentence in UNBROKEN
    assert written in SOURCE
