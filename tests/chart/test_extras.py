"""Values for what clusters differ in: further parts of pods, Services, monitors, and objects of one's own."""

import pytest

from tests.support.helm import Manifest, Release, Values, render, scenario
from tests.support.kubelet import pod_of
from tests.support.manifests import custom_faults

STORED = "references-object-storage"
MONITORS = {"serviceMonitor": ("ServiceMonitor", "endpoints"), "podMonitor": ("PodMonitor", "podMetricsEndpoints")}


def endpoint(kind: str, values: Values) -> Manifest:
    """The only endpoint of a monitor."""
    name, field = MONITORS[kind]
    (found,) = render({kind: {"enabled": True, **values}}).one(name)["spec"][field]
    assert isinstance(found, dict)
    return found


def external(release: Release) -> Manifest:
    """The Service for senders outside the cluster."""
    return release.one("Service", "drift-driftgauge-external")


def test_further_variables_follow_those_of_the_chart() -> None:
    """Both are in the container."""
    variables = scenario("extras").variables

    assert ("Europe/Berlin", "8080") == (variables["TZ"], variables["DRIFTGAUGE_PORT"])


def test_further_arguments_follow_the_command() -> None:
    """They are flags of `driftgauge logger`."""
    assert ["logger", "--log-level=debug"] == scenario("extras").logger["args"]
    assert ["logger"] == scenario("minimal").logger["args"]


def test_volumes_and_affinity_are_those_of_the_pod() -> None:
    """They go into the pod as they are, and only the logger's pods get them."""
    release = scenario("extras")

    assert [{"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}}] == pod_of(release)["volumes"]
    assert [{"name": "scratch", "mountPath": "/tmp"}] == release.logger["volumeMounts"]  # noqa: S108 of the pod
    assert {"nodeAffinity"} == set(pod_of(release)["affinity"])


def test_an_init_container_writes_what_the_logger_reads() -> None:
    """Both mount the volume `reference`, the logger read-only."""
    release = scenario(STORED)
    (fetch,) = pod_of(release)["initContainers"]
    mounts = [one["volumeMounts"][0] for one in (fetch, release.logger)]

    assert [{"name": "reference", "emptyDir": {"sizeLimit": "256Mi"}}] == pod_of(release)["volumes"]
    assert [("reference", "/mnt/reference")] * 2 == [(one["name"], one["mountPath"]) for one in mounts]
    assert [None, True] == [one.get("readOnly") for one in mounts]
    assert "/mnt/reference" == fetch["args"][1] == release.variables["DRIFTGAUGE_REFERENCE_DIR"]


def test_an_init_container_gets_the_security_context_of_the_logger() -> None:
    """Namespaces with the restricted standard admit it; one of its own replaces it."""
    own = {"capabilities": {"drop": ["ALL"]}}
    images = [{"name": "a", "image": "a"}, {"name": "b", "image": "b", "securityContext": own}]
    release = render({"initContainers": images, "networkPolicy": {"egress": []}})
    default, replaced = pod_of(release)["initContainers"]

    assert release.logger["securityContext"] == default["securityContext"]
    assert own == replaced["securityContext"]


@pytest.mark.parametrize("kind", MONITORS)
def test_monitors_take_relabelings_after_those_of_the_chart(kind: str) -> None:
    """The chart's relabelings come first, so that values can change their result."""
    more = {"targetLabel": "cluster", "replacement": "north"}
    default, changed = endpoint(kind, {}), endpoint(kind, {"relabelings": [more]})

    assert [*default["relabelings"], more] == changed["relabelings"]


@pytest.mark.parametrize("kind", MONITORS)
def test_monitors_take_a_timeout_and_relabelings_of_series(kind: str) -> None:
    """Both are fields of the endpoint; without values they are absent."""
    drop = {"sourceLabels": ["__name__"], "regex": "python_.*", "action": "drop"}
    changed = endpoint(kind, {"scrapeTimeout": "500ms", "metricRelabelings": [drop]})

    assert ("500ms", [drop]) == (changed["scrapeTimeout"], changed["metricRelabelings"])
    assert not {"scrapeTimeout", "metricRelabelings"} & set(endpoint(kind, {}))


def test_the_operator_accepts_monitors_with_everything() -> None:
    """They have only fields of their CRDs."""
    release = scenario("extras")

    assert [] == [fault for kind, _ in MONITORS.values() for fault in custom_faults(release.one(kind))]


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_senders_outside_the_cluster_reach_the_port_for_events_alone(kind: str) -> None:
    """The admin port shows quantiles of the data: its Service stays inside, and has the name as before."""
    peers = {"eventsFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    release = render({"service": {"type": kind, "nodePort": 30080}, "networkPolicy": peers})
    inside = release.one("Service", "drift-driftgauge")

    assert (kind, "Local") == (external(release)["spec"]["type"], external(release)["spec"]["externalTrafficPolicy"])
    assert [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "nodePort": 30080}] == external(
        release
    )["spec"]["ports"]
    assert "type" not in inside["spec"]
    assert render({}).one("Service") == inside


def test_a_load_balancer_admits_the_addresses_of_the_values() -> None:
    """The addresses of senders are kept, so that the network policy can check them too."""
    spec = external(scenario("extras"))["spec"]

    assert (["192.0.2.0/24"], "Local") == (spec["loadBalancerSourceRanges"], spec["externalTrafficPolicy"])


def test_objects_of_the_values_are_templates() -> None:
    """They are YAML or text, and know the names of the chart."""
    release = scenario("extras")

    assert (
        "http://drift-driftgauge.monitoring.svc.cluster.local/"
        == release.one("ConfigMap", "drift-driftgauge-owner")["data"]["url"]
    )
    assert "monitoring" == release.one("ServiceAccount", "scraper")["metadata"]["namespace"]
