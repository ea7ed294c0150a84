"""The manifests keep the rules of KServe and Knative that no schema knows."""

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
    """What runs in the pod beside the sidecar: the model's container, or the `model:` that becomes one."""
    containers = [one for one in pod.spec["containers"] if one is not pod.sidecar]
    return containers + ([pod.spec["model"]] if "model" in pod.spec else [])


def test_every_form_of_delivery_is_there() -> None:
    """Both modes, a runtime, the logger with and without sidecar, a predictor of one's own, a monitor, the README."""
    reported = {
        "sidecar-standard",
        "sidecar-knative",
        "clusterservingruntime",
        "logger",
        "logger-and-sidecar",
        "custom-predictor",
        "podmonitor",
        "README",
    }

    assert reported == set(NAMES)
    assert reported - {"logger", "podmonitor"} == {pod.example for pod in PODS}


@every_pod
def test_the_container_has_the_name_that_gets_the_traffic(pod: Pod) -> None:
    """KServe sends requests to `transformer-container`; one called `agent` would keep its own away."""
    names = [one["name"] for one in pod.spec["containers"]]

    assert "transformer-container" == pod.sidecar["name"]
    assert "agent" not in names


@every_pod
def test_the_models_container_stands_first(pod: Pod) -> None:
    """KServe overwrites the first container of a list with kserve-container, unless there is a `model:`."""
    assert "model" in pod.spec or "kserve-container" == pod.spec["containers"][0]["name"]


@every_pod
def test_the_data_port_is_declared_first_and_by_the_sidecar_alone(pod: Pod) -> None:
    """The Service points to the first port of the sidecar; the model declares none."""
    assert 8080 == pod.sidecar["ports"][0]["containerPort"]
    assert [] == [one for one in others(pod) if "ports" in one]


@every_pod
def test_the_model_listens_where_the_sidecar_asks(pod: Pod) -> None:
    """The model server is moved to 8085 by its arguments, and that is the upstream, unless a runtime did it."""
    upstream = [word for word in pod.sidecar["args"] if word.endswith("http://127.0.0.1:8085")]

    assert 1 == len(upstream)
    assert any("--http_port=8085" in one["args"] for one in others(pod))


@every_pod
def test_readiness_is_asked_of_the_model_by_http(pod: Pod) -> None:
    """A path of the data port that the proxy passes on; exec or gRPC would make KServe's agent end at once."""
    probe = pod.sidecar["readinessProbe"]["httpGet"]

    assert 8080 == probe["port"]
    assert probe["path"].startswith(("/v1/", "/v2/"))


@every_pod
def test_every_argument_and_variable_is_a_known_option(pod: Pod) -> None:
    """What `driftgauge proxy` does not know it refuses."""
    variables = [one["name"] for one in pod.sidecar.get("env", [])]
    reported = option_names(pod.sidecar["args"]) + [name.removeprefix("DRIFTGAUGE_").lower() for name in variables]

    assert "proxy" == pod.sidecar["args"][0]
    assert all(name.startswith("DRIFTGAUGE_") for name in variables)
    assert set(reported) <= set(ProxyConfig.model_fields)


@every_pod
def test_a_restricted_namespace_admits_the_sidecar(pod: Pod) -> None:
    """The container keeps the whole standard by itself, since KServe owns the pod; its file system is read-only."""
    assert [] == restricted_faults({"containers": [pod.sidecar]})
    assert pod.sidecar["securityContext"]["readOnlyRootFilesystem"] is True


@every_pod
def test_a_missing_reference_holds_no_pod_back(pod: Pod) -> None:
    """The volume is optional, read-only and mounted as a directory: a subPath would never see a change."""
    mounts = {one["name"]: one for one in pod.sidecar["volumeMounts"]}
    volumes = {one["name"]: one for one in pod.spec["volumes"]}

    assert set(volumes) == set(mounts)
    assert all(REFERENCE_PATH == one["mountPath"] and one["readOnly"] and len(one) == 3 for one in mounts.values())
    assert all(one["configMap"].get("optional") for one in volumes.values())


@every_pod
def test_resources_are_bounded(pod: Pod) -> None:
    """Requests for both, a limit for memory; KServe's defaults are for the first container alone."""
    assert {"cpu", "memory"} == set(pod.sidecar["resources"]["requests"])
    assert "memory" in pod.sidecar["resources"]["limits"]


@every_pod
def test_the_pod_may_drain(pod: Pod) -> None:
    """Kubernetes' 30 s are fewer than the default delay and both limits; Knative sets its own and takes none."""
    defaults = ProxyConfig.model_fields
    needed = defaults["drain_delay_seconds"].default + 2 * defaults["drain_timeout_seconds"].default
    reported = pod.spec.get("terminationGracePeriodSeconds")

    assert reported is None if pod.fits_knative else (reported or 30) > needed


@every_knative_pod
def test_knative_takes_the_pod(pod: Pod) -> None:
    """One port without a name of ours, no liveness probe on the model's port, no downward API."""
    assert [{"containerPort": 8080, "protocol": "TCP"}] == pod.sidecar["ports"]
    assert "livenessProbe" not in pod.sidecar
    assert "port" not in option_names(pod.sidecar["args"])
    assert [] == [one for one in pod.sidecar["env"] if "valueFrom" in one]


@every_knative_pod
def test_knative_is_scraped_on_the_data_port(pod: Pod) -> None:
    """The annotations name the one port, and the option that puts our metrics there is on."""
    scraped = {key: value for key, value in pod.annotations.items() if key.startswith("prometheus.io/")}

    assert {"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics"} == scraped
    assert "--merge-metrics=true" in pod.sidecar["args"]


@pytest.mark.parametrize("logger", LOGGERS)
def test_a_logger_says_its_mode_and_spells_headers_as_go_does(logger: Manifest) -> None:
    """KServe refuses a logger without a mode, and compares header names letter by letter."""
    headers = logger.get("metadataHeaders", [])

    assert "all" == logger["mode"]
    assert headers == ["-".join(part.capitalize() for part in header.split("-")) for header in headers]
    assert logger["url"].startswith("http://")


@pytest.mark.parametrize("name", NAMES)
def test_one_component_is_logged(name: str) -> None:
    """Events of a transformer and of its predictor are the same requests twice."""
    specs = [owner["spec"] for owner in documents(name) if owner["kind"] == "InferenceService"]

    assert all(sum("logger" in component for component in spec.values()) <= 1 for spec in specs)
