"""Every supported scenario, rendered by Helm's engine and checked by the schemas of its objects."""

import json
import re

import pytest
import yaml

from driftgauge import __version__
from tests.support.helm import (
    CHART,
    SCENARIOS,
    YAML_LOADER,
    Manifest,
    engine,
    only_container,
    render,
    scenario,
    scenario_values,
)
from tests.support.manifests import custom_faults, is_custom, kubernetes_faults, kubernetes_versions
from tests.support.pod_security import restricted_faults

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1035, as a Service's name must be

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def pods(name: str) -> list[Manifest]:
    """The spec of every pod of a scenario, including the test hook's."""
    release = scenario(name)
    workloads = release.of_kind("Deployment") + release.of_kind("StatefulSet")
    return [one["spec"]["template"]["spec"] for one in workloads] + [one["spec"] for one in release.of_kind("Pod")]


@every_scenario
def test_helm_lint_finds_no_fault(name: str) -> None:
    """`helm lint --strict` with the values of the scenario has no warning and no error."""
    report = engine().lint(str(CHART), scenario_values(name), strict=True, namespace="monitoring")

    assert [] == [one for one in report["messages"] if one["severity"] > 1]
    assert [] == report["errors"]


@every_scenario
def test_every_kubernetes_version_accepts_its_objects(name: str) -> None:
    """From 1.27 to the newest version each core object has only known fields, with the right types."""
    versions = kubernetes_versions()
    objects = [one for one in scenario(name).objects if not is_custom(one)]
    faults = [(version, one["kind"], kubernetes_faults(one, version)) for version in versions for one in objects]

    assert "1.27.0" == versions[0]
    assert [] == [fault for fault in faults if fault[2]]


@every_scenario
def test_an_install_sends_what_is_rendered(name: str) -> None:
    """A dry run of the install, which checks `kubeVersion`, has the same objects, hook and notes."""
    with engine().Config(storage_driver="memory", namespace="monitoring") as config:
        installed = config.install(str(CHART), "drift", scenario_values(name), dry_run="client")
    sent = [one for one in yaml.load_all(installed["manifest"], Loader=YAML_LOADER) if one]
    release = scenario(name)
    rendered = [one for one in release.objects if "helm.sh/hook" not in one["metadata"].get("annotations", {})]

    assert sorted(rendered, key=json.dumps) == sorted(sent, key=json.dumps)
    assert release.notes == installed["notes"]


@pytest.mark.parametrize("name", ["monitors", "full", "extras"])
def test_the_prometheus_operator_accepts_its_objects(name: str) -> None:
    """ServiceMonitor, PodMonitor and PrometheusRule have only fields of their CRDs, with the right types."""
    objects = [one for one in scenario(name).objects if is_custom(one)]

    assert ["PodMonitor", "PrometheusRule", "ServiceMonitor"] == sorted(one["kind"] for one in objects)
    assert [] == [fault for one in objects for fault in custom_faults(one)]


@every_scenario
def test_a_restricted_namespace_admits_every_pod(name: str) -> None:
    """Logger, Redis and test hook meet the restricted standard."""
    assert [] == [fault for pod in pods(name) for fault in restricted_faults(pod)]


@every_scenario
def test_pods_have_no_needless_rights(name: str) -> None:
    """Beyond the standard they have no token, no service links, a read-only root, requests and a memory limit."""
    for pod in pods(name):
        (container,) = pod["containers"]

        assert (False, False) == (pod["automountServiceAccountToken"], pod["enableServiceLinks"])
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


@every_scenario
def test_the_same_values_render_to_the_same_text(name: str) -> None:
    """Nothing depends on chance or time, so a GitOps tool sees no false change."""
    assert scenario(name).texts == scenario(name).texts


@every_scenario
def test_every_object_has_a_name_a_namespace_and_labels(name: str) -> None:
    """Names are unique by kind, and all objects have the common labels."""
    objects = scenario(name).objects
    identities = [(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]) for one in objects]

    assert len(objects) == len(set(identities))
    assert all(LABEL.fullmatch(identity[2]) for identity in identities)
    assert {"drift"} == {one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in objects}
    assert {"Helm"} == {one["metadata"]["labels"]["app.kubernetes.io/managed-by"] for one in objects}


@every_scenario
def test_each_service_selects_only_its_own_pods(name: str) -> None:
    """A Service's selector matches the labels of one workload, which declares its target ports."""
    release = scenario(name)
    workloads = release.of_kind("Deployment") + release.of_kind("StatefulSet")
    for service in release.of_kind("Service"):
        wanted = service["spec"]["selector"].items()
        (found,) = [one for one in workloads if wanted <= one["spec"]["template"]["metadata"]["labels"].items()]

        ports = {port["name"] for port in only_container(found)["ports"]}

        assert found["spec"]["selector"]["matchLabels"].items() == wanted
        assert {one["targetPort"] for one in service["spec"]["ports"]} == (
            {"http"} if service["metadata"]["name"].endswith("-external") else ports
        )


@every_scenario
def test_each_volume_is_mounted_and_each_mount_has_its_volume(name: str) -> None:
    """Claims of a StatefulSet count as volumes."""
    release = scenario(name)
    for workload in release.of_kind("Deployment") + release.of_kind("StatefulSet"):
        spec = workload["spec"]["template"]["spec"]
        claims = [claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])]
        volumes = claims + [volume["name"] for volume in spec.get("volumes", [])]

        assert sorted(volumes) == sorted(mount["name"] for mount in only_container(workload).get("volumeMounts", []))


def test_the_default_values_need_no_operator_and_no_redis() -> None:
    """Without any value there are one logger, its Service, and no object of a CRD."""
    release = render({})

    kinds = {"Deployment", "Service", "ServiceAccount", "NetworkPolicy", "Pod", "ConfigMap"}

    assert kinds >= {one["kind"] for one in release.objects}
    assert 1 == release.one("Deployment")["spec"]["replicas"]


def test_nothing_depends_on_the_capabilities_of_the_cluster() -> None:
    """`helm template` and GitOps have no cluster, and render the same as an install."""
    texts = [path.read_text() for path in sorted(CHART.glob("templates/**/*")) if path.is_file()]

    assert [] == [text for text in texts if ".Capabilities" in text or "lookup " in text]


def test_the_chart_installs_this_version() -> None:
    """`appVersion`, the image's tag, is the version of this code."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert __version__ == chart["appVersion"]
    assert f"driftgauge:{__version__}" == render({}).logger["image"]


def test_the_package_has_no_scenarios(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The result of `helm package` can be loaded and has templates and values, but no `ci/`."""
    archive = engine().package(str(CHART), destination=str(tmp_path_factory.mktemp("package")))
    with engine().Chart.load(archive) as packed:
        assert "driftgauge" == packed.name
        assert [] == [one["name"] for one in packed.files if one["name"].startswith("ci/")]
