"""What an upgrade to another version of the chart leaves as it is: pods, selectors and claims."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.support.helm import CHART, SCENARIOS, Manifest, Release, render, scenario_values

VERSIONS = ("helm.sh/chart", "app.kubernetes.io/version")
IMMUTABLE = ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates")
"""Fields of a StatefulSet and a Deployment that the API server never lets an upgrade change, where they have them."""

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with another version and another appVersion, otherwise the same."""
    directory = tmp_path_factory.mktemp("newer") / "driftgauge"
    shutil.copytree(CHART, directory)
    description = yaml.safe_load((CHART / "Chart.yaml").read_text()) | {"version": "9.8.7", "appVersion": "9.8.6"}
    (directory / "Chart.yaml").write_text(yaml.safe_dump(description))
    return directory


def workloads(release: Release) -> list[Manifest]:
    """Deployments and StatefulSets."""
    return release.of_kind("Deployment") + release.of_kind("StatefulSet")


def before_and_after(name: str, newer: Path) -> list[tuple[Manifest, Manifest]]:
    """The workloads of both versions, in pairs, with an image whose tag is set."""
    values = scenario_values(name)
    values["image"] = {"tag": "1.0.0"} | values.get("image", {})
    return list(zip(workloads(render(values)), workloads(render(values, chart=newer)), strict=True))


@every_scenario
def test_a_new_version_of_the_chart_replaces_no_pod(name: str, newer: Path) -> None:
    """With the same image the pod templates are equal, so windows in memory survive."""
    assert [] == [
        (before, after)
        for before, after in before_and_after(name, newer)
        if before["spec"]["template"] != after["spec"]["template"]
    ]


@every_scenario
def test_a_new_version_of_the_chart_changes_nothing_immutable(name: str, newer: Path) -> None:
    """Selectors and claims are equal, so the API server accepts the upgrade."""
    assert [] == [
        (before["kind"], field)
        for before, after in before_and_after(name, newer)
        for field in IMMUTABLE
        if before["spec"].get(field) != after["spec"].get(field)
    ]


def test_the_objects_name_the_version_of_the_chart(newer: Path) -> None:
    """The labels of versions are on the objects, and on neither pods nor claims."""
    release = render(scenario_values("redis-internal-persistent"), chart=newer)
    inner = [one["spec"]["template"]["metadata"] for one in workloads(release)]
    claims = [claim["metadata"] for one in workloads(release) for claim in one["spec"].get("volumeClaimTemplates", [])]

    assert {("driftgauge-9.8.7", "9.8.6")} == {
        tuple(one["metadata"]["labels"][label] for label in VERSIONS) for one in release.objects
    }
    assert [] == [one for one in inner + claims if set(VERSIONS) & set(one.get("labels", {}))]


def test_a_digest_pins_the_pods(newer: Path) -> None:
    """An image by digest without a tag has none of the chart's appVersion, which would replace the pods too."""
    values = scenario_values("digest")

    assert [one["spec"]["template"] for one in workloads(render(values))] == [
        one["spec"]["template"] for one in workloads(render(values, chart=newer))
    ]
