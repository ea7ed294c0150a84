"""The Kustomize base and its components, built by kubectl's engine, against the chart's output."""

import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from charts.kustomize.__main__ import HERE, MONITORS, REDIS, files, objects
from tests.support.helm import YAML_LOADER, Manifest, Values, only_container
from tests.support.manifests import custom_faults, is_custom, kubernetes_faults, kubernetes_versions
from tests.support.parts import kustomize
from tests.support.pod_security import restricted_faults

EXAMPLE: Values = {
    **MONITORS,
    **REDIS,
    "monitoring": {"release": "prometheus"},
    "references": {"existingConfigMap": "driftgauge-references"},
    "replicaCount": 2,
    "image": {"repository": "registry.example.com/ml/driftgauge"},
}
"""The values that say what overlays/example says."""

Objects = dict[tuple[str, str, str], Manifest]
"""Kind, namespace and name -> object."""


@cache
def built(directory: Path) -> Objects:
    """The objects of a kustomization."""
    done = subprocess.run([*kustomize(), directory], capture_output=True, text=True, check=True, timeout=60)
    return comparable(list(yaml.load_all(done.stdout, Loader=YAML_LOADER)))


def comparable(found: list[Manifest]) -> Objects:
    """Objects by identity, with the parts whose order means nothing in one order."""
    for one in found:
        if one["kind"] == "ConfigMap":
            one["data"] = {name: text.strip() for name, text in one["data"].items()}
        for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            container.get("env", []).sort(key=lambda variable: variable["name"])
    return {(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]): one for one in found}


def test_the_generated_files_are_current() -> None:
    """`python -m charts.kustomize` writes them from the chart."""
    assert {} == {path: text for path, text in files().items() if path.read_text() != text}


@pytest.mark.parametrize("directory", [HERE, HERE / "base"], ids=["kustomize", "base"])
def test_the_base_is_the_default_output_of_the_chart(directory: Path) -> None:
    """Each object is equal to that of a release `driftgauge` in namespace `monitoring`."""
    assert comparable(objects({})) == built(directory)


def test_the_example_is_the_output_of_the_chart_with_its_values() -> None:
    """References, Redis and monitors are those of the chart; the URL of Redis is valid in every namespace."""
    expected = comparable(objects(EXAMPLE))
    logger = only_container(expected["Deployment", "monitoring", "driftgauge"])
    (url,) = [one for one in logger["env"] if one["name"] == "DRIFTGAUGE_REDIS_URL"]
    url["value"] = url["value"].replace(".monitoring.svc.cluster.local", "")

    assert expected == built(HERE / "overlays" / "example")


@pytest.mark.parametrize("directory", [HERE, HERE / "overlays" / "example"], ids=["base", "example"])
def test_every_kubernetes_version_accepts_the_objects(directory: Path) -> None:
    """Fields and types are valid, those of the Prometheus operator's kinds too."""
    found = built(directory).values()

    assert [] == [fault for one in found if is_custom(one) for fault in custom_faults(one)]
    assert [] == [
        fault
        for version in kubernetes_versions()
        for one in found
        if not is_custom(one)
        for fault in kubernetes_faults(one, version)
    ]


def test_a_restricted_namespace_admits_the_pods() -> None:
    """Logger and Redis meet the restricted standard."""
    workloads = [one for one in built(HERE / "overlays" / "example").values() if "template" in one.get("spec", {})]

    assert ["Deployment", "StatefulSet"] == sorted(one["kind"] for one in workloads)
    assert [] == [fault for one in workloads for fault in restricted_faults(one["spec"]["template"]["spec"])]
