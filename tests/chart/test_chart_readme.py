"""The chart's README, icon and description."""

import base64
import re
from pathlib import Path

import pytest
import yaml

from tests.support.helm import CHART, SCENARIOS, engine, render

README = (CHART / "README.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
DESCRIPTION = yaml.safe_load((CHART / "Chart.yaml").read_text())


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(block.split("\n")[1]))
def test_every_block_of_values_renders(block: str) -> None:
    """The chart accepts the values of each setup."""
    assert render(yaml.safe_load(block), "driftgauge").objects


def test_the_object_storage_block_is_the_tested_scenario() -> None:
    """README and ci/ have the same text."""
    assert f"# values.yaml\n{SCENARIOS['references-object-storage'].read_text()}" in BLOCKS


def test_links_lead_to_files() -> None:
    """Every relative link of the README exists."""
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert [] == [link for link in links if not (CHART / link).exists()]


def test_the_readme_names_existing_values() -> None:
    """A key with a dot in backticks is one of the chart's."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    named = [key for key in re.findall(r"`([a-zA-Z]+(?:\.[a-zA-Z]+)+)", README) if key.split(".")[0] in defaults]

    def known(key: str) -> bool:
        value = defaults
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                return False
            value = value[part]
        return True

    assert "networkPolicy.egress" in named
    assert [] == [key for key in named if key != "logger.url" and not known(key)]


def test_the_icon_is_the_file_beside_the_chart() -> None:
    """The description holds it itself, because there is no public address to load it from."""
    kind, content = DESCRIPTION["icon"].split(",", 1)

    assert "data:image/svg+xml;base64" == kind
    assert (CHART / "icon.svg").read_bytes() == base64.b64decode(content, validate=True)


def test_helm_lint_has_no_advice_left() -> None:
    """Not even a recommendation: the icon's address is accepted."""
    assert [] == engine().lint(str(CHART), {}, strict=True, namespace="monitoring")["messages"]


def test_the_package_has_the_readme(tmp_path: Path) -> None:
    """`helm show readme` prints it; what is for Kustomize is not in the package."""
    with engine().Chart.load(engine().package(str(CHART), destination=str(tmp_path))) as packed:
        names = {one["name"] for one in packed.files}

    assert "README.md" in names
    assert "files/dashboards/kustomization.yaml" not in names
