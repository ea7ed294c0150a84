"""The manifests keep the rules of KServe and Knative that no schema contains."""

import pytest

from driftgauge.config.options import ProxyConfig
from tests.support.helm import Manifest
from tests.support.kserve_examples import NAMES, REFERENCE_PATH, Pod, documents, option_names, pods, predictor_of
from tests.support.pod_security import restricted_faults

PODS = pods()
every_pod = pytest.mark.parametrize("pod", PODS, ids=[pod.example for pod in PODS])
every_knative_pod = pytest.mark.parametrize(
    "pod", [pod for pod in PODS if pod.fits_knative], ids=[pod.example for pod in PODS if pod.fits_knative]
)
LOGGERS = [
    predictor_of(owner)["logger"] for name in NAMES for owner in documents(name) if "logger" in predictor_of(owner)
]


def others(pod: Pod) -> list[Manifest]:
    """The other containers of the pod: the model's container, or the `model:` that becomes one."""
    containers = [one for one in pod.spec["containers"] if one is not pod.sidecar]
    return containers + ([pod.spec["model"]] if "model" in pod.spec else [])


def test_every_kind_of_installation_has_an_example() -> None:
    """There are examples for each mode, a runtime, the logger, an own image, an LLM, a monitor, and the README."""
    examples = {
        "sidecar-standard",
        "sidecar-knative",
        "clusterservingruntime",
        "inferenceservice",
        "logger",
        "llm-native-sidecar",
        "logger-and-sidecar",
        "custom-predictor",
        "podmonitor",
        "README",
    }

    assert examples == set(NAMES)
    without = {"inferenceservice", "llm-native-sidecar", "logger", "podmonitor", "README"}
    assert examples - without == {pod.example for pod in PODS}


@every_pod
def test_the_container_has_the_name_that_gets_the_traffic(pod: Pod) -> None:
    """The sidecar is `transformer-container`, and no container is `agent`, which would replace KServe's agent."""
    names = [one["name"] for one in pod.spec["containers"]]

    assert "transformer-container" == pod.sidecar["name"]
    assert "agent" not in names


@every_pod
def test_the_models_container_is_the_first(pod: Pod) -> None:
    """The first container is kserve-container unless there is a `model:`, because KServe overwrites the first one."""
    assert "model" in pod.spec or "kserve-container" == pod.spec["containers"][0]["name"]


@every_pod
def test_only_the_sidecar_declares_ports_and_the_data_port_first(pod: Pod) -> None:
    """The first port of the sidecar, to which the Service points, is the data port; the model declares no port."""
    assert 8080 == pod.sidecar["ports"][0]["containerPort"]
    assert [] == [one for one in others(pod) if "ports" in one]


@every_pod
def test_the_model_listens_on_the_port_of_the_upstream_url(pod: Pod) -> None:
    """The arguments of the model server set port 8085, and the sidecar's upstream URL has the same port."""
    upstream = [word for word in pod.sidecar["args"] if word.endswith("http://127.0.0.1:8085")]

    assert 1 == len(upstream)
    assert any("--http_port=8085" in one["args"] for one in others(pod))


@every_pod
def test_readiness_is_a_http_path_of_the_model(pod: Pod) -> None:
    """The readiness probe is HTTP, on a path that the proxy passes on; with exec or gRPC KServe's agent exits."""
    probe = pod.sidecar["readinessProbe"]["httpGet"]

    assert 8080 == probe["port"]
    assert probe["path"].startswith(("/v1/", "/v2/"))


@every_pod
def test_every_argument_and_variable_is_a_known_option(pod: Pod) -> None:
    """Every argument and variable is an option, because `driftgauge proxy` refuses all others."""
    variables = [one["name"] for one in pod.sidecar.get("env", [])]
    names = option_names(pod.sidecar["args"]) + [name.removeprefix("DRIFTGAUGE_").lower() for name in variables]

    assert "proxy" == pod.sidecar["args"][0]
    assert all(name.startswith("DRIFTGAUGE_") for name in variables)
    assert set(names) <= set(ProxyConfig.model_fields)


@every_pod
def test_a_restricted_namespace_admits_the_sidecar(pod: Pod) -> None:
    """The container alone meets the restricted standard, because KServe owns the pod; its file system is read-only."""
    assert [] == restricted_faults({"containers": [pod.sidecar]})
    assert pod.sidecar["securityContext"]["readOnlyRootFilesystem"] is True


@every_pod
def test_a_missing_reference_delays_no_pod(pod: Pod) -> None:
    """The volume is optional, read-only, and mounted as a directory, because a subPath is never updated."""
    mounts = {one["name"]: one for one in pod.sidecar["volumeMounts"]}
    volumes = {one["name"]: one for one in pod.spec["volumes"]}

    assert set(volumes) == set(mounts)
    assert all(REFERENCE_PATH == one["mountPath"] and one["readOnly"] and len(one) == 3 for one in mounts.values())
    assert all(one["configMap"].get("optional") for one in volumes.values())


@every_pod
def test_resources_are_bounded(pod: Pod) -> None:
    """The sidecar has requests and a limit for memory; KServe's defaults apply only to the first container."""
    assert {"cpu", "memory"} == set(pod.sidecar["resources"]["requests"])
    assert "memory" in pod.sidecar["resources"]["limits"]


@every_pod
def test_the_pod_may_drain(pod: Pod) -> None:
    """The grace period, or Kubernetes' 30 s, is longer than the delay and both limits; Knative's is at least 300 s."""
    delay, limit = (float(pod.option(name)) for name in ("drain_delay_seconds", "drain_timeout_seconds"))
    seconds = pod.spec.get("terminationGracePeriodSeconds", 30)

    assert pod.only_knative or delay + 2 * limit < seconds
    assert not pod.fits_knative or "terminationGracePeriodSeconds" not in pod.spec


@every_knative_pod
def test_knative_accepts_the_pod(pod: Pod) -> None:
    """The pod has one port without a name, no liveness probe, and no downward API."""
    assert [{"containerPort": 8080, "protocol": "TCP"}] == pod.sidecar["ports"]
    assert "livenessProbe" not in pod.sidecar
    assert "port" not in option_names(pod.sidecar["args"])
    assert [] == [one for one in pod.sidecar["env"] if "valueFrom" in one]


@every_knative_pod
def test_knative_is_scraped_on_the_data_port(pod: Pod) -> None:
    """The annotations name the data port, and its `/metrics` has driftgauge's metrics."""
    scraped = {key: value for key, value in pod.annotations.items() if key.startswith("prometheus.io/")}

    assert {"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics"} == scraped
    assert "--merge-metrics=true" in pod.sidecar["args"]


@pytest.mark.parametrize("logger", LOGGERS)
def test_a_logger_has_a_mode_and_headers_in_gos_spelling(logger: Manifest) -> None:
    """A logger has a mode, which KServe requires, and header names in Go's spelling, which KServe compares."""
    headers = logger.get("metadataHeaders", [])

    assert "all" == logger["mode"]
    assert headers == ["-".join(part.capitalize() for part in header.split("-")) for header in headers]
    assert logger["url"].startswith("http://")


@pytest.mark.parametrize("name", NAMES)
def test_one_component_is_logged(name: str) -> None:
    """At most one component of a service is logged, because a second one would log the same requests again."""
    specs = [owner["spec"] for owner in documents(name) if owner["kind"] == "InferenceService"]

    assert all(sum("logger" in component for component in spec.values()) <= 1 for spec in specs)
